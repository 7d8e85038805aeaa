"""Operations that are read as others, which they are composed of."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .shared import MAP, ROWS, VECTOR, Functions, Modules


class Recurrent(nn.Module):
    """States of a recurrent layer with relu, after every step."""

    def __init__(self, bidirectional: bool) -> None:
        super().__init__()
        self.layer = nn.RNN(
            4, 2, 2, nonlinearity="relu", batch_first=True, bidirectional=bidirectional, bias=bidirectional
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)[0]


class StepsFirst(nn.Module):
    """All states of a recurrent layer that takes steps before inputs, and the last one."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.RNN(4, 2, nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        states, last = self.layer(x.transpose(0, 1))
        return states.transpose(0, 1) + states[-1][:, None] + last.squeeze(0)[:, None]


class LastState(nn.Module):
    """The last state of a recurrent layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.RNN(4, 2, 2, nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.permute(1, 0, 2))[1][-1]


class Cell(nn.Module):
    """Two steps of one recurrent cell."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.RNNCell(4, 3, nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        return self.cell(x[:, 1], self.cell(x[:, 0]))


MODULES: Modules = {
    "recurrent layer": (lambda: Recurrent(False), ROWS),
    "recurrent layer of both directions": (lambda: Recurrent(True), ROWS),
    "recurrent layer of steps": (StepsFirst, ROWS),
    "last state": (LastState, ROWS),
    "recurrent cell": (Cell, ROWS),
}
FUNCTIONS: Functions = {
    "norms of order 1": (
        lambda m, x: x.norm(p=1, dim=1) + torch.linalg.vector_norm(x, 1, (1, 2), keepdim=True).squeeze(1),
        ROWS,
    ),
    "norms of infinite order": (
        lambda m, x: (
            x.norm(p=float("inf"), dim=1) + torch.linalg.norm(x, -float("inf"), dim=2).sum(1, keepdim=True)
        ),
        ROWS,
    ),
    "norms of matrices": (
        lambda m, x: torch.linalg.matrix_norm(x, 1) - torch.linalg.norm(x, float("inf"), dim=(2, 3)),
        MAP,
    ),
    "distances": (
        lambda m, x: torch.cdist(x, m.table[None], p=1) + torch.cdist(x, 2 * x, p=float("inf")),
        ROWS,
    ),
    "distances of pairs": (lambda m, x: functional.pairwise_distance(x, m.table, p=1), ROWS),
    "loss by entry": (lambda m, x: functional.l1_loss(x, m.table.expand_as(x), reduction="none"), ROWS),
    "ranking by entry": (
        lambda m, x: functional.margin_ranking_loss(
            x[:, 0], x[:, 1], torch.ones_like(x[:, 0]), 0.5, reduction="none"
        ),
        VECTOR,
    ),
    "differences": (
        lambda m, x: torch.diff(x, dim=1).sum(1) + torch.diff(x, 2, append=x[..., :2])[:, 0],
        ROWS,
    ),
    "integrals": (
        lambda m, x: (
            torch.trapezoid(x, dim=2)[:, None]
            + torch.cumulative_trapezoid(x, m.row[[1, 0, 3]].cumsum(0), dim=1).sum(2, keepdim=True)
        ),
        ROWS,
    ),
    "gradients": (
        lambda m, x: torch.gradient(x, dim=1)[0] - torch.gradient(x, spacing=0.5, dim=(1, 2))[1],
        ROWS,
    ),
    "kronecker products": (lambda m, x: torch.kron(x, m.table) + torch.kron(m.table, x), ROWS),
    "outer product": (lambda m, x: torch.outer(x.sum(1), m.row), VECTOR),
    "chains of matrices": (lambda m, x: torch.linalg.multi_dot([m.table, m.table.T]) @ x, ROWS),
    "cross product": (
        lambda m, x: (
            torch.linalg.cross(x, m.table.expand_as(x), dim=1) + torch.cross(m.table[None], x, dim=1)
        ),
        ROWS,
    ),
    "powers that are none": (lambda m, x: x**1 + torch.ldexp(x, torch.tensor([1, 0, -2, 3])), ROWS),
    "degrees": (lambda m, x: torch.deg2rad(x) + torch.rad2deg(x), VECTOR),
    "more axes": (lambda m, x: torch.atleast_3d(x) + torch.atleast_1d(x.sum(1))[:, None, None], VECTOR),
    "broadcast together": (
        lambda m, x: sum(torch.broadcast_tensors(x, m.table, x[:, :1], m.row)),
        ROWS,
    ),
    "constants expanded": (lambda m, x: m.row.expand_as(x) - x, ROWS),
}
