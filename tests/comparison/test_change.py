"""Integrals of the change of a map: known answers, and an end to the work wherever the change lies."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.comparison.change import map_change
from splineviz.geometry.csr import Csr

SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


@pytest.mark.parametrize("height", [1e-3, 2.0**-52])
@pytest.mark.parametrize("size", [1.0, 1e-17])
def test_a_sliver_that_holds_all_of_the_change(height: float, size: float) -> None:
    """|u| from -1 to 1, over a triangle that thin, and nothing over a square beside it."""
    sliver = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, -1.0 + height]])
    area = float(sliver[2, 1] + 1.0)
    cells = Csr(np.array([0, 4, 7]), np.arange(7))
    change = np.zeros((2, 1, 3))
    change[1, 0, 0] = size
    found = map_change(np.concatenate([SQUARE, sliver]), cells, np.array([1.0, area]), change)
    # The triangle is (u + 1) / 2 of its height high at u: the integral of |u| (u + 1) / 2 over -1..1 is 1/2.
    exact = size * area / 2 / (1.0 + area)
    assert abs(found.output.value - exact) <= found.output.error + 1e-15 * exact
    assert found.output.error <= 1e-4 * exact


def test_bounds_of_a_cone_meet_at_any_tolerance() -> None:
    """f = (u, v) on the square -1..1: the mean of its norm is (sqrt 2 + asinh 1) / 3."""
    square, change = 2 * SQUARE - 1, np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    cells, exact = Csr(np.array([0, 4]), np.arange(4)), (math.sqrt(2) + math.asinh(1)) / 3
    for tolerance in (1e-2, 1e-3, 1e-4):
        found = map_change(square, cells, np.array([4.0]), change, tolerance=tolerance)
        assert abs(found.output.value - exact) <= found.output.error <= tolerance * exact


def test_a_change_too_large_for_floats_ends() -> None:
    change = np.full((1, 2, 3), 1e300)
    with np.errstate(over="ignore", invalid="ignore"):
        found = map_change(SQUARE, Csr(np.array([0, 4]), np.arange(4)), np.ones(1), change)
    assert not math.isfinite(found.output.value)


def test_networks_one_unit_in_the_last_place_apart() -> None:
    """Slivers between lines that nearly coincide hold most of their change."""
    torch.manual_seed(0)
    one = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3)).double()
    other = copy.deepcopy(one)
    with torch.no_grad():
        weight = other[0].weight
        weight[0, 0] = math.nextafter(float(weight[0, 0]), 9)
    found = sv.compare([one, other], sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1))
    change = found.pair(0, 1).change
    assert change is not None
    output = change.output
    assert 0 < output.value < 1e-15 and output.error <= 1e-4 * output.value
