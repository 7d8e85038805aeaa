"""Where known lines must lie: behind skips and batch-norms, and at the two breakpoints of a clamp."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from splineviz.arrangement.result import Arrangement
from splineviz.plane import Window
from tests.oracles.harness import arranged
from tests.oracles.invariants import assert_valid


def inner_lines(arr: Arrangement, axis: int = 0) -> np.ndarray:
    """The coordinates of the inner edges that are perpendicular to an axis."""
    inner = (arr.edge_cells >= 0).all(axis=1)
    a, b = arr.vertices[arr.edges[inner, 0], axis], arr.vertices[arr.edges[inner, 1], axis]
    return np.unique(a[np.abs(a - b) < 1e-14].round(12))


class Skip(nn.Module):
    def __init__(self, skip: bool) -> None:
        super().__init__()
        self.skip = skip

    def forward(self, x: Tensor) -> Tensor:
        t = x[:, :1]
        h = torch.relu(t)
        return torch.relu((t + h if self.skip else h) - 2)


@pytest.mark.parametrize(("skip", "breaks"), [(True, [0.0, 1.0]), (False, [0.0, 2.0])])
def test_a_skip_moves_the_second_break(skip: bool, breaks: list[float]) -> None:
    arr = arranged(Skip(skip), Window.box(-3, 3, 0, 1))
    assert arr.program is not None
    assert_valid(arr, arr.program)
    np.testing.assert_allclose(inner_lines(arr), breaks, atol=1e-12)
    assert (arr.n_cells, arr.n_linear_regions) == (3, 2)


def batch_norm(mean: list[float], var: list[float], gamma: list[float], beta: list[float]) -> nn.BatchNorm1d:
    norm = nn.BatchNorm1d(len(mean)).double().eval()
    norm.running_mean, norm.running_var = (
        torch.tensor(mean, dtype=torch.float64),
        torch.tensor(var, dtype=torch.float64),
    )
    with torch.no_grad():
        norm.weight.copy_(torch.tensor(gamma, dtype=torch.float64))
        norm.bias.copy_(torch.tensor(beta, dtype=torch.float64))
    return norm


def test_batch_norm_breaks_where_its_formula_says() -> None:
    norm = batch_norm([0.25, -0.5], [2.0, 0.7], [1.5, -0.8], [0.3, 0.2])
    arr = arranged(nn.Sequential(norm, nn.ReLU()))
    assert arr.program is not None
    assert_valid(arr, arr.program)
    for axis, (mean, var, gamma, beta) in enumerate([(0.25, 2.0, 1.5, 0.3), (-0.5, 0.7, -0.8, 0.2)]):
        expected = mean - beta * np.sqrt(var + norm.eps) / gamma
        np.testing.assert_allclose(inner_lines(arr, axis), [expected], rtol=0, atol=1e-12)
    assert arr.n_cells == 4


def test_a_batch_norm_without_gamma_cuts_nothing() -> None:
    arr = arranged(nn.Sequential(batch_norm([0.0, 0.0], [1.0, 1.0], [0.0, 0.0], [0.5, 0.0]), nn.ReLU()))
    assert arr.program is not None
    assert_valid(arr, arr.program)
    assert arr.n_cells == 1
    np.testing.assert_array_equal(arr.pattern_bits(0), [[True, False]])


def test_batch_norm_behind_a_relu_does_not_move_its_lines() -> None:
    torch.manual_seed(2)
    layer, last = nn.Linear(2, 6).double(), nn.Linear(6, 3).double()
    norm = batch_norm(
        [0.1, 0.5, 0.2, 0.3, 0.9, 0.0],
        [0.5] * 6,
        [1.0, 2.0, -1.0, 0.5, 3.0, 1.0],
        [0.0, 1.0, 2.0, -1.0, 0.0, 0.5],
    )
    plain = arranged(nn.Sequential(layer, nn.ReLU(), last))
    normed = arranged(nn.Sequential(layer, nn.ReLU(), norm, last))
    assert normed.program is not None
    assert_valid(normed, normed.program)
    assert plain.n_cells > 8
    np.testing.assert_array_equal(plain.vertices, normed.vertices)
    np.testing.assert_array_equal(plain.edges, normed.edges)
    before = arranged(nn.Sequential(layer, norm, nn.ReLU(), last))
    assert not np.isin(plain.vertices[4:].round(9), before.vertices.round(9)).all(), "in front of it, it does"


def test_a_clamp_breaks_twice() -> None:
    layer = nn.Linear(2, 1, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[2.0, 0.0]]))
        layer.bias.fill_(0.25)
    arr = arranged(nn.Sequential(layer, nn.Hardtanh(-1.0, 0.5)))
    assert arr.program is not None
    assert_valid(arr, arr.program)
    np.testing.assert_array_equal(inner_lines(arr), [-0.625, 0.125])
    assert arr.n_linear_regions == arr.n_cells == 3
    np.testing.assert_allclose(sorted(arr.affine[:, 0, 0]), [0, 0, 2])
