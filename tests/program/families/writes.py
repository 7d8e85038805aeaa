"""Assignments to tensors that are read again."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .shared import MAP, ROWS, VECTOR, Functions, Modules


def _whole(m: nn.Module, x: Tensor) -> Tensor:
    copy, empty, ones = torch.zeros_like(x), torch.empty_like(x), x + 1
    copy.copy_(x[:, :1] * 2)
    empty.copy_(x.relu())
    ones.fill_(3.0)
    return copy + empty * ones


def _cleared(m: nn.Module, x: Tensor) -> Tensor:
    h = x * 1
    h[:, 0] = 0
    h[:, 1, ::2] = m.row[0]
    return h * 2


def _exchanged(m: nn.Module, x: Tensor) -> Tensor:
    h = x.clone()
    h[:, 1:2] = x[:, 0:1] * 2
    h[..., -1] += h[..., 0]
    return h


def _masked(m: nn.Module, x: Tensor) -> Tensor:
    h = x.clone()
    h[:, m.table > 0] = 0.5
    h[:, [0, 2], 1] = x[:, [2, 1], 0]
    return h


def _interleaved(m: nn.Module, x: Tensor) -> Tensor:
    out = x.new_zeros(x.shape[0], 6, 4)
    out[:, ::2] = x
    out[:, 1::2] += x.relu()
    return out


def _through_views(m: nn.Module, x: Tensor) -> Tensor:
    h = x + 1
    top, column = h[:, :2], h.transpose(1, 2)[:, 0]
    top.mul_(2)
    column.relu_()
    h.sub_(1)
    return h + column[:, :, None] + top.sum((1, 2), keepdim=True)


def _shifted(m: nn.Module, x: Tensor) -> Tensor:
    """As in networks that move a part of the channels along time."""
    out = torch.zeros_like(x)
    out[:, :, :-1] = x[:, :, 1:]
    out[:, 1, 1:] = x[:, 1, :-1]
    return out.relu()


def _input(m: nn.Module, x: Tensor) -> Tensor:
    x[:, 0] = 1.0
    return x.relu()


def _filled_by_rows(m: nn.Module, x: Tensor) -> Tensor:
    rows = x.new_empty(x.shape[0], 3, 4)
    for i in range(3):
        rows[:, i] = x[:, i].abs() * i
    return rows


MODULES: Modules = {}
FUNCTIONS: Functions = {
    "writes to whole tensors": (_whole, VECTOR),
    "writes of constants": (_cleared, ROWS),
    "writes of activations": (_exchanged, ROWS),
    "writes by a mask": (_masked, ROWS),
    "writes to zeros": (_interleaved, ROWS),
    "writes through several views": (_through_views, ROWS),
    "shifted channels": (_shifted, MAP),
    "writes to the input": (_input, ROWS),
    "writes in a loop": (_filled_by_rows, ROWS),
}
