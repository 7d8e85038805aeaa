"""Deformation, by the layers of a network, of the neighbourhood on which the proxy is taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from splineviz.errors import InputError
from splineviz.estimators.frames import shared_frame
from splineviz.estimators.request import (
    Model,
    Points,
    batch_for,
    checked_points,
    device_of,
    directions_of,
    numbers,
    origin_of,
)
from splineviz.estimators.switches import StageReader
from splineviz.estimators.tape import Tape
from splineviz.stage import Stage

__all__ = ["Deformation", "deformation"]


@dataclass(frozen=True, eq=False)
class Deformation:
    """Sizes of the graph on the embedded vertices of a cross-polytope: all pairs but antipodes, edges as long
    as they are embedded.

    Attributes
    ----------
    eccentricity
        (point, layer) mean over the vertices of the longest shortest path from each; layer 0 is the input,
        layer k what stage k - 1 passes on.
    diameter
        (point, layer) the longest shortest path.
    """

    eccentricity: Float64[np.ndarray, "point layer"]
    diameter: Float64[np.ndarray, "point layer"]
    stages: tuple[Stage, ...]
    radius: float
    directions: int


def deformation(
    model: Model,
    points: Points,
    *,
    radius: float = 0.005,
    directions: int | None = None,
    seed: int = 0,
    device: str | torch.device | None = None,
    batch: int | None = None,
) -> Deformation:
    """Mean eccentricity and diameter of the neighbourhood of each point after each stage, with the frame
    shared by all points.

    The parameters are those of :func:`splineviz.local_complexity`.

    References
    ----------
    "Deep network partition density exhibits double descent", figures 18 and 19.

    Examples
    --------
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Linear(3, 8), nn.ReLU())
    >>> found = deformation(net, [[0.0, 0.0, 0.0]], radius=1.0, directions=3)
    >>> [round(float(d), 6) for d in found.diameter[0, :1]]  # two sides of length sqrt(2)
    [2.828427]
    """
    (radius,) = numbers(radius, "the radius")
    origin = origin_of(model, points)
    x = checked_points(points, origin.input_shape)
    (directions,) = directions_of(directions, x[0].numel())
    if directions < 2:
        raise InputError("two antipodes have no edge between them: deformation needs at least 2 directions")
    tape = Tape(origin, torch.float64, device_of(device, points), for_gradients=True)
    axes = radius * torch.from_numpy(shared_frame(x[0].numel(), directions, seed)).to(tape.device).reshape(
        -1, *origin.input_shape
    )
    corners = torch.cat([axes, -axes])
    size = batch_for(batch, len(x), 8 * len(corners) * max(tape.values_alive, len(corners)), tape.device)
    found = []
    with torch.no_grad():
        for part in torch.split(x.to(tape.device), size):
            vertices = (part + corners[:, None]).flatten(0, 1)
            sizes = _Sizes(tape, len(part), directions)
            sizes.note(vertices)
            tape.finish(tape.enter(vertices), len(vertices), sizes)
            found.append(torch.stack(sizes.found, 1))
    both = torch.cat(found).cpu().numpy()
    return Deformation(both[..., 0], both[..., 1], tape.stages, radius, directions)


class _Sizes:
    """Measures what each stage passes on."""

    def __init__(self, tape: Tape, n_points: int, directions: int) -> None:
        self._tape, self._n_points, self._directions = tape, n_points, directions
        self.found: list[Tensor] = []

    def enter(self, switch: StageReader, values: tuple[Tensor, ...]) -> None:
        """Nothing: the graph is on what leaves."""

    def leave(self, switch: StageReader, result: Tensor) -> None:
        self.note(self._tape.batch_first(switch.call, result, 2 * self._directions * self._n_points))

    def note(self, vertices: Tensor) -> None:
        """(2 P n, *shape): append (point, 2) mean eccentricity and diameter."""
        p = self._directions
        embedded = vertices.reshape(2 * p, self._n_points, -1).transpose(0, 1)
        length = torch.cdist(embedded, embedded, compute_mode="donot_use_mm_for_euclid_dist")
        one = torch.arange(2 * p, device=length.device)
        other = (one + p) % (2 * p)
        # edges are straight, so only antipodes, which have none, need a way round: by one other vertex
        detour = length + length[:, other]
        detour[:, one, one] = detour[:, one, other] = torch.inf
        length[:, one, other] = detour.amin(2)
        eccentricity = length.amax(2)
        self.found.append(torch.stack([eccentricity.mean(1), eccentricity.amax(1)], 1))
