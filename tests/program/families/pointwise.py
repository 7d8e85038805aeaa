"""Piecewise-affine functions of one entry."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from .shared import MAP, VECTOR, Functions, Modules

MODULES: Modules = {
    "leaky relu of slope 0": (lambda: nn.LeakyReLU(0.0), VECTOR),
    "leaky relu falling": (lambda: nn.LeakyReLU(-0.5), VECTOR),
    "leaky relu steep": (lambda: nn.LeakyReLU(2.5), VECTOR),
    "prelu steep": (lambda: nn.PReLU(init=1.75), VECTOR),
    "rrelu": (lambda: nn.RReLU(0.1, 0.4), VECTOR),
    "rrelu in place": (lambda: nn.Sequential(nn.Linear(4, 4), nn.RReLU(inplace=True)), VECTOR),
    "hardsigmoid": (lambda: nn.Sequential(nn.Linear(4, 4), nn.Hardsigmoid()), VECTOR),
    "hardsigmoid in place": (lambda: nn.Sequential(nn.Conv2d(2, 2, 2), nn.Hardsigmoid(inplace=True)), MAP),
    "softshrink": (lambda: nn.Softshrink(0.5), VECTOR),
    "softshrink of width 0": (lambda: nn.Softshrink(0.0), VECTOR),
    "threshold": (lambda: nn.Threshold(0.5, 0.5), VECTOR),
    "threshold at zero": (lambda: nn.Sequential(nn.Threshold(0.0, 0.0, inplace=True)), MAP),
    "hardtanh of one side": (lambda: nn.Hardtanh(0.0, 1.0, inplace=True), VECTOR),
}
FUNCTIONS: Functions = {
    "hardsigmoid twice": (lambda m, x: functional.hardsigmoid(functional.hardsigmoid(4 * x) * 3 - 1), VECTOR),
    "extremes with constants": (
        lambda m, x: torch.fmax(x, m.row) - torch.fmin(m.row, x) + torch.max(x, m.row) * torch.tensor(2.0),
        VECTOR,
    ),
    "prelu of all signs": (lambda m, x: functional.prelu(x, m.row), VECTOR),
    "softshrink by hand": (lambda m, x: x - x.clamp(-0.5, 0.5) + functional.softshrink(x), VECTOR),
}
