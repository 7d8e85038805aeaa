"""Entries that meet others at constant places, and maps sampled at constant places."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .shared import MAP, ROWS, VOLUME, Functions, Modules

_SENDERS, _RECEIVERS = torch.tensor([0, 1, 1, 2, 0]), torch.tensor([1, 0, 2, 1, 1])


def _index(x: Tensor) -> Tensor:
    return _RECEIVERS[None, :, None].expand(x.shape[0], -1, x.shape[2])


def _sampled(m: nn.Module, x: Tensor, mode: str, padding: str, aligned: bool) -> Tensor:
    turn, sizes = (m.table[:2, 1:], (1, 1, 3, 4)) if x.dim() == 4 else (m.table, (1, 1, 2, 3, 2))
    grid = functional.affine_grid(turn[None] / 7, sizes, align_corners=False)
    return functional.grid_sample(x, grid.expand(x.shape[0], *grid.shape[1:]), mode, padding, aligned)


def _reduced(x: Tensor, how: str, include: bool) -> Tensor:
    return (2 * x).scatter_reduce(1, _index(x), x[:, _SENDERS], how, include_self=include)


class Messages(nn.Module):
    """One step of a graph network: messages along edges, added up where they arrive."""

    def __init__(self) -> None:
        super().__init__()
        self.message, self.own = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        sent = self.message(x).relu()[:, _SENDERS]
        return self.own(x).index_add(1, _RECEIVERS, sent).relu()


MODULES: Modules = {"messages": (Messages, ROWS)}
FUNCTIONS: Functions = {
    "index add": (
        lambda m, x: (
            torch.zeros_like(x).index_add(1, _RECEIVERS, x[:, _SENDERS])
            + x.index_add(2, torch.tensor([0, 0]), x[..., :2], alpha=-2)
        ),
        ROWS,
    ),
    "index add of constants": (
        lambda m, x: x.index_add(1, torch.tensor([2, 2, 0]), m.table.expand(x.shape[0], 3, 4)),
        ROWS,
    ),
    "scatter add": (
        lambda m, x: (
            torch.ones_like(x).scatter_add(1, _index(x), x[:, _SENDERS])
            + x.scatter_add(2, torch.tensor([[[1, 3], [0, 0]]]).expand(x.shape[0], -1, -1), x)
        ),
        ROWS,
    ),
    "put and added": (
        lambda m, x: torch.ops.aten.index_put(x, [None, torch.tensor([0, 2, 0])], 2 * x, True),
        ROWS,
    ),
    "sums and means at places": (
        lambda m, x: (
            _reduced(x, "sum", True)
            + _reduced(x, "sum", False)
            + _reduced(x, "mean", True)
            + _reduced(x, "mean", False)
        ),
        ROWS,
    ),
    "means by index": (
        lambda m, x: torch.zeros_like(x).index_reduce(1, _RECEIVERS[1:], x[:, _SENDERS[1:]], "mean"),
        ROWS,
    ),
    "extremes at places": (
        lambda m, x: _reduced(x, "amax", True) + _reduced(x, "amax", False) - _reduced(x, "amin", False),
        ROWS,
    ),
    "extremes by index": (
        lambda m, x: (
            torch.zeros_like(x).index_reduce(
                1, _RECEIVERS[1:], x[:, _SENDERS[1:]], "amax", include_self=False
            )
            + x.index_reduce(2, torch.tensor([0, 0, 3]), x[..., 1:], "amin")
        ),
        ROWS,
    ),
    "extremes over infinity": (
        lambda m, x: torch.full_like(x[:, :2], -torch.inf).scatter_reduce(
            1, torch.tensor([[[0], [1], [0]]]).expand(x.shape[0], 3, 4), x, "amax"
        ),
        ROWS,
    ),
    "sampled": (lambda m, x: _sampled(m, x, "bilinear", "zeros", False), MAP),
    "sampled at corners": (
        lambda m, x: (
            _sampled(m, x, "bilinear", "border", True) + _sampled(m, x, "nearest", "reflection", True)
        ),
        MAP,
    ),
    "sampled by cubics": (lambda m, x: _sampled(m, x, "bicubic", "reflection", False), MAP),
    "sampled nearest": (lambda m, x: _sampled(m, x, "nearest", "zeros", False), MAP),
    "sampled by other names": (
        lambda m, x: torch.ops.aten.grid_sampler_2d(
            x, m.table.reshape(1, 3, 2, 2).expand(x.shape[0], 3, 2, 2) / 5, 0, 0, False
        ),
        MAP,
    ),
    "sampled volumes by another name": (
        lambda m, x: torch.ops.aten.grid_sampler_3d(
            x, m.table.reshape(1, 1, 2, 2, 3).expand(x.shape[0], 1, 2, 2, 3) / 5, 0, 1, True
        ),
        VOLUME,
    ),
    "sampled volumes": (
        lambda m, x: _sampled(m, x, "bilinear", "zeros", True) - _sampled(m, x, "bilinear", "border", False),
        VOLUME,
    ),
}
