"""Cost of the proxy's vertices in a plain forward pass: the measure for its time, and for that of exact
counts."""

from __future__ import annotations

import time

import numpy as np
import torch

from splineviz.estimators.frames import shared_frame
from splineviz.program.program import Program

__all__ = ["plain_seconds"]

_ROWS = 1024
"""Vertices at a time, which fit into caches."""


def plain_seconds(
    program: Program, points: np.ndarray, *, radius: float, directions: int, seed: int = 0, most: int = 128
) -> float:
    """Seconds of a plain float64 forward pass over the vertices x ± r v_p of all points.

    It is timed for the first ``most`` points, and scaled up to all of them.
    """
    x = torch.from_numpy(points[:most]).flatten(1)
    steps = radius * torch.from_numpy(shared_frame(x.shape[1], directions, seed))
    vertices = (x[:, None] + torch.cat([steps, -steps])).reshape(-1, *program.input_shape)
    with torch.inference_mode():
        program.forward(vertices[:1])
        began = time.perf_counter()
        for batch in torch.split(vertices, _ROWS):
            program.forward(batch)
    return (time.perf_counter() - began) * len(points) / len(x)
