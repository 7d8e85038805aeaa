"""Sums, and scaling and shifting by constants of any shape that broadcasts."""

from __future__ import annotations

import torch

from .shared import MAP, ROWS, VECTOR, Functions, Modules

MODULES: Modules = {}
FUNCTIONS: Functions = {
    "mul broadcast": (lambda m, x: x[:, :, None] * m.table.T[None] * m.row[:3, None, None].sum(), VECTOR),
    "mul by a mask": (lambda m, x: x * (m.table > 0) * (m.row > 0).to(x.dtype), ROWS),
    "outer": (lambda m, x: x[:, :, None] * m.row, VECTOR),
    "div broadcast": (lambda m, x: x[:, None] / m.table.abs().add(1), VECTOR),
    "addcmul": (
        lambda m, x: torch.addcmul(x, m.row, m.row, value=0.5) + torch.addcmul(m.row, x, m.table, value=-2),
        ROWS,
    ),
    "addcmul of two": (lambda m, x: torch.addcmul(x, m.table, x.flip(1)), ROWS),
    "addcdiv": (
        lambda m, x: torch.addcdiv(x, x, m.row, value=0.5) - torch.addcdiv(x, m.row, m.row + 5),
        ROWS,
    ),
    "lerp": (
        lambda m, x: (
            torch.lerp(x, m.row, 0.3) + torch.lerp(m.row, x, m.table) + torch.lerp(x, x.flip(1), 0.75)
        ),
        ROWS,
    ),
    "other names": (
        lambda m, x: torch.true_divide(torch.divide(torch.multiply(torch.negative(x), 2), 3), 2).subtract(1),
        ROWS,
    ),
    "normalised images": (lambda m, x: (x - m.row[:2, None, None]) / m.row[1:3, None, None], MAP),
    "float casts": (
        lambda m, x: x.double().to(m.row.dtype).type_as(m.table).to("cpu").nan_to_num() + (+x),
        ROWS,
    ),
}
