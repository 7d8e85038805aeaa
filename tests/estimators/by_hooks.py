"""The proxy once more, from forward hooks on a module: shares nothing with the package but the frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from splineviz.estimators.frames import shared_frame


def counted(
    module: nn.Module,
    points: Tensor,
    radius: float,
    directions: int,
    watched: Sequence[nn.Module],
    seed: int = 0,
) -> np.ndarray:
    """(point, call of a watched module) units that are on at one vertex and not at another."""
    axes = torch.from_numpy(shared_frame(points[0].numel(), directions, seed)).reshape(
        directions, *points.shape[1:]
    )
    rows = []
    for point in points:
        entered: list[Tensor] = []

        def look(_module: nn.Module, given: tuple[Any, ...], into: list[Tensor] = entered) -> None:
            into.append(given[0].clone())

        hooks = [module_.register_forward_pre_hook(look) for module_ in watched]
        with torch.no_grad():
            module(torch.cat([point + radius * axes, point - radius * axes]))
        for hook in hooks:
            hook.remove()
        rows.append([int(((z > 0).any(0) & ~(z > 0).all(0)).sum()) for z in entered])
    return np.array(rows)
