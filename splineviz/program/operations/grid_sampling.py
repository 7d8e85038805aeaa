"""Maps sampled at the places of a constant grid."""

from __future__ import annotations

import string
from dataclasses import replace

import torch
from torch import Tensor

from splineviz.program.operations.base import Active, Constant, RefusedError, Step, operation
from splineviz.program.operations.contraction import contract
from splineviz.program.operations.layout import moved

__all__: list[str] = []


@operation("grid_sampler", "grid_sampler_2d", "grid_sampler_3d", makes="dense layout")
def _grid_sampler(step: Step) -> Active:
    """Each output is a sum of a few entries of the map, with the products of their weights along the axes."""
    x = step.active("input")
    if isinstance(step.arguments["grid"], Active):
        raise RefusedError("samples at places that depend on an activation, which multiplies the two")
    grid: Tensor = step["grid"]
    if len(grid) != 1:
        raise RefusedError("is supported only with one grid for all inputs")
    how = int(step["interpolation_mode"]), int(step["padding_mode"]), bool(step["align_corners"])
    sizes, points = x.shape[1:], grid.reshape(-1, grid.shape[-1])
    places, weights = torch.zeros(len(points), 1, dtype=torch.int64), torch.ones(len(points), 1).double()
    for axis, size in enumerate(sizes):
        at, share = _along(points[:, -1 - axis], size, len(sizes), how)
        places = (places[:, :, None] * size + at[:, None]).flatten(1)
        weights = (weights[:, :, None] * share[:, None]).flatten(1)
    out, taps = step.shape[1:], places.shape[1]
    chosen = places.flatten()
    near = moved(
        replace(step, shape=(x.shape[0], *out, taps)),
        [x],
        lambda x: x.flatten(2)[:, :, chosen].reshape(len(x), x.shape[1], *out, taps),
    )
    letters = string.ascii_lowercase[: len(out)]
    constant = Constant(weights.reshape(*out, taps))
    return contract(step, [f"XY{letters}Z", f"{letters}Z"], f"XY{letters}", [near, constant])


def _along(coordinates: Tensor, size: int, axes: int, how: tuple[int, int, bool]) -> tuple[Tensor, Tensor]:
    """(points, taps) entries along one axis that count at these coordinates, and their weights; read off from
    impulses on maps that have length one along the other axes."""
    impulses = torch.eye(size, dtype=torch.float64).reshape(size, *(1,) * axes, size)
    grid = torch.zeros(len(coordinates), axes, dtype=torch.float64)
    grid[:, 0] = coordinates
    grid = grid.reshape(1, *(1,) * (axes - 1), *grid.shape).expand(size, *(-1,) * (axes + 1))
    found = torch.grid_sampler(impulses, grid, *how).reshape(size, len(coordinates)).T
    taps = max(1, int((found != 0).sum(1).max()))
    at = found.abs().topk(taps, 1).indices
    return at, found.gather(1, at)
