"""The float64 witnesses against closed forms and against the exact oracle."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from tests.oracles.polygonize import count_cells, grid, sampled_patterns
from tests.oracles.rational import slice_exactly
from tests.oracles.twin import from_torch

BOX = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


@pytest.mark.parametrize("n", [3, 5, 7, 9, 11])
def test_lines_in_general_position(n: int) -> None:
    angle = 2 * np.pi * np.arange(n) / n + 0.1
    layer = np.stack([np.cos(angle), np.sin(angle)], 1), -np.ones(n)
    assert count_cells([layer], 1.06 / math.sin(math.pi / (2 * n)) * BOX) == [1 + n + math.comb(n, 2)]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_same_number_of_cells_as_the_exact_oracle(seed: int) -> None:
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Linear(2, 7), nn.ReLU(), nn.Linear(7, 7), nn.ReLU(), nn.Linear(7, 1))
    hidden = [m for m in module if isinstance(m, nn.Linear)][:-1]
    layers = [(m.weight.detach().double().numpy(), m.bias.detach().double().numpy()) for m in hidden]
    exact = slice_exactly(from_torch(module, 2), BOX)
    assert count_cells(layers, BOX)[-1] == exact.n_cells
    seen = sampled_patterns(layers, grid(-1, 1, -1, 1, 100))
    assert seen <= {np.array([b for row in cell.pattern for b in row]).tobytes() for cell in exact.cells}
    assert len(seen) > exact.n_cells // 2
