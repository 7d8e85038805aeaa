"""Small networks with comparisons whose two sides meet, one or more for each way of writing them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from .nets import Call, Case

__all__ = ["CASES", "UNITS"]


def _zeroed(m: Call, x: Tensor) -> Tensor:
    h = x * 1
    h[h < 0] = 0
    return h


def _rescaled(m: Call, x: Tensor) -> Tensor:
    h = x * 1
    h[h < 0] *= 0.1
    h[h > 1] = 0.5 * (h[h > 1] - 1) + 1
    return h


def _collected(m: Call, x: Tensor) -> Tensor:
    out, mask = torch.zeros_like(x), x > 0
    out[mask] = x[mask]
    return out


def _maximum(m: Call, x: Tensor) -> Tensor:
    return torch.where(x[:, :2] > x[:, 2:], x[:, :2], x[:, 2:])


def _by_halves(m: Call, x: Tensor) -> Tensor:
    a, b = x.chunk(2, 1)
    first = (a > b).to(x.dtype)
    return first * a + (1 - first) * b


def _seen_elsewhere(m: Call, x: Tensor) -> Tensor:
    mask = (x > m.row).view(x.shape[0], 2, 2).transpose(1, 2)
    return torch.where(mask, x.view(-1, 2, 2).transpose(1, 2), m.row.view(2, 2).t())


def _three_pieces(m: Call, x: Tensor) -> Tensor:
    """Numbers that float64 does not hold: 6 + 0.01 (x - 6), and its like."""
    above = torch.where(x > 1, 1 + 0.1 * (x - 1), x)
    return torch.where(x < -1, -1 + 0.3 * (x + 1), above)


_V = (4,)
_FUNCTIONS: dict[str, tuple[Callable[[Call, Tensor], Tensor], int]] = {
    "where above zero": (lambda m, x: torch.where(x > 0, x, 0.1 * x), 4),
    "where below zero": (lambda m, x: x.where(~x.lt(0), m.row * x), 4),
    "times its sign": (lambda m, x: x * x.sign(), 4),
    "times a mask": (lambda m, x: x * (x > 0), 4),
    "times a cast mask": (lambda m, x: (x >= 0).float() * x + 0.5 * x, 4),
    "times a whole mask": (lambda m, x: x * (x > 0).int() - 0.1 * x * (x <= 0).long(), 4),
    "times its truth": (lambda m, x: x.abs() * x.bool(), 4),
    "times a step": (lambda m, x: x * torch.heaviside(x, x.new_full((), 0.5)), 4),
    "masked fill": (lambda m, x: (x * 2).masked_fill_(x < 0, 0.0), 4),
    "assigned": (_zeroed, 4),
    "rescaled where negative": (_rescaled, 8),
    "collected": (_collected, 4),
    "larger of two": (_maximum, 2),
    "larger of two halves": (_by_halves, 2),
    "larger by a difference": (lambda m, x: x[:, :2] + (x[:, 2:] - x[:, :2]) * (x[:, 2:] > x[:, :2]), 2),
    "soft threshold": (lambda m, x: torch.where(x.abs() > 0.5, x - 0.5 * x.sign(), 0.0), 8),
    "soft threshold by relu": (lambda m, x: x.sign() * functional.relu(x.abs() - 0.5), 8),
    "soft threshold of two masks": (lambda m, x: (x - 0.3) * (x > 0.3) + (x + 0.3) * (x < -0.3), 8),
    "clamp of two conditions": (lambda m, x: torch.where((x > -1) & (x < 1), x, torch.sign(x)), 8),
    "clamp of jumps": (lambda m, x: x * (x > 0) * (x < 6) + 6 * (x >= 6), 8),
    "clamp by constants": (lambda m, x: torch.where(x < m.row, m.row, torch.where(x > 9, 9.0, x)), 8),
    "three pieces": (_three_pieces, 8),
    "of a sum": (lambda m, x: torch.where(1 - 3 * x > 0, 1 - 3 * x, 0.0), 4),
    "behind relu": (lambda m, x: x.relu() * (x > 0) + torch.where(x.relu() > 1, 1.0, x.relu()), 8),
    "mask in other shapes": (_seen_elsewhere, 4),
    "of a point": (lambda m, x: torch.where(x == 0, 0.0, x) + x * (x != 0), 0),
    "of one entry for all": (lambda m, x: x + torch.where(x[:, :1] > 0, x[:, :1], 0.0), 1),
    "where of a constant mask": (lambda m, x: torch.where(m.row > 0, x, x * (x > 0)), 4),
    "several in a sum": (
        lambda m, x: x[:, :2] * (x[:, :2] > 0) + torch.where(x[:, 2:] < 1, x[:, 2:], 1.0),
        4,
    ),
}
UNITS = {name: units for name, (_, units) in _FUNCTIONS.items()}


def _call(function: Callable[[Call, Tensor], Tensor]) -> Callable[[], Call]:
    return lambda: Call(function, row=torch.tensor([0.5, -2.0, 4.0, 0.25])).eval()


CASES = [Case(name, _call(function), _V) for name, (function, _) in _FUNCTIONS.items()]
