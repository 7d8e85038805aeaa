"""Assignments to tensors that are read again."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

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


def _parts(m: nn.Module, x: Tensor) -> Tensor:
    """Pieces that share memory, each written to, and the whole read again."""
    h = x + 1
    first, second = h.chunk(2, 2)
    functional.relu_(first)
    second.add_(first)
    for row in h.unbind(1)[1:]:
        row.mul_(2).clamp_(max=3)
    top, _ = torch.tensor_split(h, (2,), 1)
    top[..., 0] -= 1
    return torch.cat([h, first, second * 2], 2)


def _reshaped(m: nn.Module, x: Tensor) -> Tensor:
    h = x * 2
    flat, wide = h.view(x.shape[0], 12), h[:, None].expand(-1, 2, -1, -1)
    flat[:, 3:7].relu_()
    copied = h.transpose(1, 2).reshape(x.shape[0], -1)  # memory of its own
    copied[:, :2] = 0
    return wide.flatten(1)[:, 6:18] + flat + copied


def _by_boolean_masks(m: nn.Module, x: Tensor) -> Tensor:
    h = x * 1
    h[:, m.table > 0] *= m.table[m.table > 0]
    h[..., m.row > 0] = torch.relu(h[..., m.row > 0])
    return h


def _by_numbers_of_inputs(m: nn.Module, x: Tensor) -> Tensor:
    h, inputs = x * 1, torch.arange(x.shape[0])
    h[inputs, 1, 2] = h[inputs, 0, 1].relu()
    h[inputs[:, None], [0, 2]] = x[inputs[:, None], [2, 1]]
    last = torch.full((x.shape[0],), -1)
    return h + x[inputs, :, last].unsqueeze(2)


def _under_contexts(m: nn.Module, x: Tensor) -> Tensor:
    with torch.enable_grad(), torch.autocast("cpu", enabled=False):
        h = x * 2
        part = h[:, 1:]
        with torch.no_grad():
            part.relu_()
    with torch.autocast("cuda", enabled=False):
        return h + part.sum((1, 2), keepdim=True)


MODULES: Modules = {}
FUNCTIONS: Functions = {
    "writes to parts": (_parts, ROWS),
    "writes to reshaped memory": (_reshaped, ROWS),
    "writes by boolean masks": (_by_boolean_masks, ROWS),
    "writes by the numbers of the inputs": (_by_numbers_of_inputs, ROWS),
    "writes under contexts": (_under_contexts, ROWS),
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
