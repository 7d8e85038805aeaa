"""One layer of lines, absolute values, layers that cut nothing, and zero-bias networks."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from splineviz.plane import Window
from tests.oracles.harness import arranged
from tests.oracles.invariants import assert_valid
from tests.oracles.twin import Abs


def lines_layer(normals: np.ndarray, offsets: np.ndarray) -> nn.Sequential:
    layer = nn.Linear(2, len(normals), dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(normals))
        layer.bias.copy_(torch.from_numpy(offsets))
    return nn.Sequential(layer, nn.ReLU())


@pytest.mark.parametrize(("n", "cells"), [(3, 7), (5, 16), (7, 29), (9, 46), (11, 67)])
def test_odd_lines_round_a_circle(n: int, cells: int) -> None:
    angle = 2 * np.pi * np.arange(n) / n + 0.1
    half = 1.05 / math.sin(math.pi / (2 * n))
    module = lines_layer(np.stack([np.cos(angle), np.sin(angle)], axis=1), -np.ones(n))
    arr = arranged(module, Window.box(-half, half, -half, half))
    assert arr.program is not None
    assert assert_valid(arr, arr.program).n_thin == 0
    assert cells == 1 + n + math.comb(n, 2)
    assert (arr.n_cells, arr.n_vertices, arr.n_edges) == (
        cells,
        math.comb(n, 2) + 2 * n + 4,
        n * n + 2 * n + 4,
    )
    assert (arr.edge_units.lengths <= 1).all()


@pytest.mark.parametrize("n", [1, 2, 3, 8, 33])
def test_concurrent_lines_make_two_cells_each(n: int) -> None:
    angle = np.pi * (np.arange(n) + 0.37) / n
    arr = arranged(lines_layer(np.stack([np.cos(angle), np.sin(angle)], axis=1), np.zeros(n)))
    assert arr.program is not None
    assert_valid(arr, arr.program)
    assert arr.n_cells == 2 * n
    assert len(np.flatnonzero((np.abs(arr.vertices) < 1e-12).all(axis=1))) == (n > 1)


def test_absolute_values_are_four_cells_from_four_units() -> None:
    layer = nn.Linear(2, 4, bias=False, dtype=torch.float64)
    total = nn.Linear(4, 1, bias=False, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]))
        total.weight.fill_(1.0)
    arr = arranged(nn.Sequential(layer, nn.ReLU(), total))
    assert arr.program is not None
    assert_valid(arr, arr.program)
    assert (arr.n_cells, arr.n_linear_regions, arr.n_vertices, arr.n_edges) == (4, 4, 9, 12)
    inner = (arr.edge_cells >= 0).all(axis=1)
    np.testing.assert_array_equal(arr.edge_units.lengths[inner], [2, 2, 2, 2])
    np.testing.assert_array_equal(np.abs(arr.affine[:, 0, :2]), np.ones((4, 2)))
    np.testing.assert_allclose(np.linalg.norm(arr.affine[:, 0, :2], axis=1), math.sqrt(2), rtol=1e-15)


def test_linear_layers_without_activation_cut_nothing() -> None:
    torch.manual_seed(0)
    arr = arranged(nn.Sequential(nn.Linear(2, 5), nn.Linear(5, 7), nn.Linear(7, 3)).double())
    assert arr.program is not None
    assert_valid(arr, arr.program)
    assert (arr.n_cells, arr.n_linear_regions, arr.n_vertices, arr.n_edges) == (1, 1, 4, 4)


def test_nested_and_flat_sequential_are_one_network() -> None:
    torch.manual_seed(1)
    a, b, c = nn.Linear(2, 9).double(), nn.Linear(9, 9).double(), nn.Linear(9, 2).double()
    flat = arranged(nn.Sequential(a, nn.ReLU(), b, Abs(), c))
    nested = arranged(nn.Sequential(nn.Sequential(a, nn.Sequential(nn.ReLU(), b)), nn.Sequential(Abs()), c))
    assert flat.n_cells > 15
    np.testing.assert_array_equal(flat.vertices, nested.vertices)
    np.testing.assert_array_equal(flat.cells.values, nested.cells.values)
    np.testing.assert_array_equal(flat.pattern_hash, nested.pattern_hash)


def zero_bias(seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(2, 8, bias=False),
        nn.ReLU(),
        nn.Linear(8, 8, bias=False),
        nn.ReLU(),
        nn.Linear(8, 2, bias=False),
    ).double()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_zero_bias_networks_have_rays_only(seed: int) -> None:
    arr = arranged(zero_bias(seed))
    assert arr.program is not None
    assert_valid(arr, arr.program)
    inner = (arr.edge_cells >= 0).all(axis=1)
    a, b = arr.vertices[arr.edges[inner, 0]], arr.vertices[arr.edges[inner, 1]]
    np.testing.assert_allclose(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0], 0, atol=1e-13)
    assert arr.n_cells == inner.sum() >= 16, "as many sectors as rays"
    centre = np.flatnonzero((np.abs(arr.vertices) < 1e-13).all(axis=1))
    assert len(centre) == 1
    assert (arr.edges[inner] == centre).any(axis=1).all(), "a ray is cut in two"


def test_zero_bias_counts_do_not_depend_on_the_radius() -> None:
    module = zero_bias(3)
    one = arranged(module)
    for power in (-40, -3, 1, 60):
        radius = 2.0**power
        other = arranged(module, Window.box(-radius, radius, -radius, radius))
        assert (other.n_cells, other.n_vertices, other.n_edges) == (one.n_cells, one.n_vertices, one.n_edges)
        assert other.stats.cells_per_stage == one.stats.cells_per_stage
        assert set(map(tuple, other.pattern_hash.tolist())) == set(map(tuple, one.pattern_hash.tolist()))
        np.testing.assert_array_equal(other.vertices, radius * one.vertices)
