"""Networks with two inputs whose lines are given."""

from __future__ import annotations

import itertools

import torch
from torch import nn

from splineviz.plane import Plane, Window
from splineviz.program import Program, load_program

__all__ = ["PLANE", "SQUARE", "lines", "random_net", "with_lines"]

PLANE, SQUARE = Plane.identity(), Window.box(-1, 1, -1, 1)


def with_lines(
    coefficients: list[tuple[float, float, float]], out: list[list[float]], bias: list[float]
) -> Program:
    """out relu(a x + b y + c) + bias, with a unit for each (a, b, c)."""
    net = nn.Sequential(
        nn.Linear(2, len(coefficients)), nn.ReLU(), nn.Linear(len(coefficients), len(out))
    ).double()
    table = torch.tensor(coefficients, dtype=torch.float64)
    with torch.no_grad():
        net[0].weight.copy_(table[:, :2])
        net[0].bias.copy_(table[:, 2])
        net[2].weight.copy_(torch.tensor(out, dtype=torch.float64))
        net[2].bias.copy_(torch.tensor(bias, dtype=torch.float64))
    return load_program(net)


def lines(*coefficients: tuple[float, float, float]) -> Program:
    """Two outputs, the sum of the units and the first of them."""
    n = len(coefficients)
    return with_lines(list(coefficients), [[1.0] * n, [1.0] + [0.0] * (n - 1)], [0.0, 0.125])


def random_net(seed: int, widths: tuple[int, ...] = (2, 8, 8, 3)) -> Program:
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for a, b in itertools.pairwise(widths):
        layers += [nn.Linear(a, b), nn.ReLU()]
    net = nn.Sequential(*layers[:-1])
    with torch.no_grad():
        for weight in net.parameters():
            weight *= 2.5  # more lines in the window
    return load_program(net)
