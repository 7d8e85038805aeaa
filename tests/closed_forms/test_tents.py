"""Tents fold the unit square: every count and every area is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from splineviz.plane import Window
from tests.oracles.harness import arranged
from tests.oracles.invariants import assert_valid
from tests.oracles.network import Linear, Pointwise, linear, relu, sequential
from tests.oracles.twin import to_torch

SQUARE = Window.box(0, 1, 0, 1)


def tents(depth: int, shift: float = 0.25) -> list[Linear | Pointwise]:
    """2 relu(t + shift) - 2 shift - 4 relu(t - 1/2) of both coordinates, ``depth`` times."""
    up = linear([[1, 0], [1, 0], [0, 1], [0, 1]], [shift, -0.5, shift, -0.5])
    down = linear([[2, -4, 0, 0], [0, 0, 2, -4]], [-2 * shift, -2 * shift])
    return [up, relu(), down] * depth


@pytest.mark.parametrize("shift", [0.25, 0.0])
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_four_to_the_depth_squares(depth: int, shift: float) -> None:
    """Without the shift one unit of each pair only touches zero, and cuts nothing."""
    arr = arranged(to_torch(sequential(2, tents(depth, shift))), SQUARE)
    assert arr.program is not None
    assert_valid(arr, arr.program)
    n = 2**depth
    assert (arr.n_cells, arr.n_linear_regions, arr.n_vertices, arr.n_edges) == (
        n * n,
        n * n,
        (n + 1) ** 2,
        2 * n * (n + 1),
    )
    np.testing.assert_array_equal(arr.areas, np.full(n * n, 4.0**-depth))
    assert arr.stats.cells_per_stage == tuple(4**k for k in range(1, depth + 1))


@pytest.mark.parametrize("depth", [1, 3, 6])
def test_one_coordinate_without_the_shift_makes_strips(depth: int) -> None:
    up, down = linear([[1, 0], [1, 0], [0, 1]], [0, -0.5, 7]), linear([[2, -4, 0], [0, 0, 1]], [0, -7])
    arr = arranged(to_torch(sequential(2, [up, relu(), down] * depth)), SQUARE)
    assert arr.program is not None
    assert_valid(arr, arr.program)
    assert arr.n_cells == 2**depth
    np.testing.assert_array_equal(arr.areas, np.full(2**depth, 2.0**-depth))
    np.testing.assert_array_equal(np.unique(arr.vertices[:, 0]), np.arange(2**depth + 1) / 2**depth)


@pytest.mark.parametrize(("depth", "n", "cells"), [(1, 3, 28), (2, 3, 112), (2, 5, 256), (3, 3, 448)])
def test_tents_then_lines(depth: int, n: int, cells: int) -> None:
    assert cells == 4**depth * (1 + n + math.comb(n, 2))
    angle = 2 * np.pi * np.arange(n) / n + 0.1
    normals = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    offsets = -normals.sum(axis=1) / 2 - 0.45 * math.sin(math.pi / (2 * n))
    arr = arranged(to_torch(sequential(2, [*tents(depth), linear(normals, offsets), relu()])), SQUARE)
    assert arr.program is not None
    assert assert_valid(arr, arr.program).n_thin == 0
    assert arr.n_cells == cells
    assert arr.stats.cells_per_stage[-1] == cells
