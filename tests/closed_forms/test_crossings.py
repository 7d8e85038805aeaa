"""Walks and neighbourhoods: crossings of a segment, what the proxy can see, random lines, the area of a
surface."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.arrangement.result import Arrangement
from splineviz.plane import Plane, Window
from tests.oracles.compare import patterns_of
from tests.oracles.harness import arranged
from tests.oracles.invariants import Checked, assert_valid, forward_states
from tests.oracles.polygonize import count_cells, grid, sampled_patterns
from tests.oracles.rational import crossings
from tests.oracles.twin import from_torch


def mlp(seed: int, inputs: int, width: int, outputs: int) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, outputs)
    ).double()  # fmt: skip


def edge_crossings(arr: Arrangement, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The parameters at which the segment from a to b meets an inner edge."""
    p, q = arr.vertices[arr.edges[(arr.edge_cells >= 0).all(axis=1)]].transpose(1, 0, 2)
    along, side, off = b - a, q - p, p - a
    turn = along[0] * side[:, 1] - along[1] * side[:, 0]
    t = (off[:, 0] * side[:, 1] - off[:, 1] * side[:, 0]) / turn
    s = (off[:, 0] * along[1] - off[:, 1] * along[0]) / turn
    return np.asarray(np.sort(t[(t > 0) & (t < 1) & (s >= 0) & (s <= 1)]))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_crossings_of_a_walk_are_crossings_of_edges(seed: int) -> None:
    module = mlp(seed, 2, 14, 1)
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(-1, 1, (2, 2))
    expected = np.array([float(t) for t in crossings(from_torch(module, 2), a.tolist(), b.tolist())])
    arr = arranged(module)
    np.testing.assert_allclose(edge_crossings(arr, a, b), expected, rtol=0, atol=1e-9)
    assert arr.program is not None
    segment = sv.segment(arr.program, a, b)
    assert len(expected) > 3
    inner = np.asarray(segment.knots)[1:-1]
    np.testing.assert_allclose(inner, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("width", [6, 20])
def test_polygonize_and_dense_sampling(seed: int, width: int) -> None:
    module = mlp(seed, 2, width, 1)
    layers = [
        (m.weight.detach().numpy(), m.bias.detach().numpy()) for m in module if isinstance(m, nn.Linear)
    ][:-1]
    arr = arranged(module)
    assert arr.program is not None
    assert_valid(arr, arr.program)
    assert list(arr.stats.cells_per_stage) == count_cells(layers, arr.windows[0].vertices)
    found = {row.tobytes() for row in patterns_of(arr)}
    seen = sampled_patterns(layers, grid(-1, 1, -1, 1, 200))
    assert seen <= found
    assert len(seen) > len(found) // 2


@pytest.mark.parametrize(("widths", "cells"), [((32, 32, 32), 1180), ((100, 100), 7049)])
def test_larger_networks_against_polygonize(widths: tuple[int, ...], cells: int) -> None:
    torch.manual_seed(0)
    hidden = [nn.Linear(before, after) for before, after in pairwise((2, *widths))]
    modules = [module for layer in hidden for module in (layer, nn.ReLU())]
    arr = arranged(nn.Sequential(*modules, nn.Linear(widths[-1], 1)))
    assert arr.program is not None
    assert assert_valid(arr, arr.program) == Checked(n_thin=0, n_states_skipped=0)
    layers = [(m.weight.detach().double().numpy(), m.bias.detach().double().numpy()) for m in hidden]
    assert list(arr.stats.cells_per_stage) == count_cells(layers, arr.windows[0].vertices)
    assert arr.n_cells == cells


@pytest.mark.parametrize("radius", [0.05, 0.5, 4.0])
def test_units_that_separate_the_corners_cut_the_diamond(radius: float) -> None:
    """n_sep <= n_cut <= R - 1 as an inclusion of sets, with equality of the first two in the first stage."""
    module = mlp(4, 12, 25, 3)
    plane = Plane.at(np.random.default_rng(1).standard_normal(12), seed=2)
    arr = arranged(module, Window.diamond(radius), plane)
    assert arr.program is not None
    corners = torch.from_numpy(plane.lift(arr.windows[0].vertices))
    at_corners = forward_states(arr.program, corners)[0]
    separated = np.logical_or.reduce(at_corners) & ~np.logical_and.reduce(at_corners)
    states = patterns_of(arr)
    cut = np.logical_or.reduce(states) & ~np.logical_and.reduce(states)
    assert not (separated & ~cut).any()
    np.testing.assert_array_equal(separated[:25], cut[:25])
    assert cut.sum() <= arr.n_cells - 1


@pytest.mark.parametrize("spread", [0.5, 2.0])
def test_share_of_random_lines_that_cut_a_diamond(spread: float) -> None:
    n, radius = 400, 0.25
    rng = np.random.default_rng(5)
    layer = nn.Linear(2, n, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(rng.standard_normal((n, 2))))
        layer.bias.copy_(torch.from_numpy(spread * rng.standard_normal(n)))
    states = patterns_of(arranged(nn.Sequential(layer, nn.ReLU()), Window.diamond(radius)))
    share = float((states.any(axis=0) & ~states.all(axis=0)).mean())
    expected = 1 - 2 / math.pi * math.asin(spread**2 / (spread**2 + radius**2))
    assert abs(share - expected) <= 4 * math.sqrt(expected * (1 - expected) / n)


def test_volume_factor_and_the_area_of_a_surface() -> None:
    module = mlp(6, 2, 12, 3)
    arr = arranged(module)
    along_u, along_v = arr.affine[:, :, 0], arr.affine[:, :, 1]
    volume = np.linalg.norm(np.cross(along_u, along_v), axis=1)
    gram = np.einsum("fci,fcj->fij", arr.affine[:, :, :2], arr.affine[:, :, :2])
    np.testing.assert_allclose(np.sqrt(np.linalg.det(gram)), volume, rtol=1e-6, atol=1e-9)

    with torch.no_grad():
        lifted = module(torch.from_numpy(arr.vertices)).numpy()
    surface = 0.0
    for cell in arr.cells:
        spokes = lifted[cell[1:]] - lifted[cell[0]]
        surface += 0.5 * np.linalg.norm(np.cross(spokes[:-1], spokes[1:]), axis=1).sum()
    assert arr.n_cells > 20
    assert float(volume @ arr.areas) == pytest.approx(surface, rel=1e-11)
