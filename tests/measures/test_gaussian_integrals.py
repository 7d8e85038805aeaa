"""Means under a Gaussian weight: closed forms by erf, dblquad, and remainders that hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import dblquad

import splineviz as sv
from splineviz.measures.gaussian_moments import WeightedTriangles, gaussian_moments
from tests.measures.test_integrals import arranged, bands, measured, random_network

CLOSE = 1e-10
"""The rule is better than its remainder"""


def test_an_absolute_value_in_closed_form() -> None:
    """|u| - 1/2 under a Gaussian of sigma 1/2 about 0, on [-1, 1] x [-1, 2]."""
    asked = {"centre": [0.0, 0.0], "sigma": 0.5, "tolerance": 1e-7}
    found = measured(arranged(bands(), -1, 1, -1, 2), truth=1, target=[0.0], **asked)
    mass = math.erf(math.sqrt(2)) * 0.5 * (math.erf(4 / math.sqrt(2)) + math.erf(math.sqrt(2)))
    assert found["mass"] == pytest.approx(mass, abs=CLOSE)
    inside = math.erf(1 / math.sqrt(2)) / math.erf(math.sqrt(2))
    assert found["share", "class 0"] == pytest.approx(inside, abs=CLOSE)
    assert found["accuracy"] == found["share", "class 1"] == pytest.approx(1 - inside, abs=CLOSE)
    folded = 0.5 * math.sqrt(2 / math.pi) * (1 - math.exp(-2)) / math.erf(math.sqrt(2))
    assert found["mean", "output 0"] == pytest.approx(folded - 0.5, abs=CLOSE)
    second = 0.25 - 0.5 * math.sqrt(2 / math.pi) * math.exp(-2) / math.erf(math.sqrt(2))
    assert found["variance", "output 0"] == pytest.approx(second - folded**2, abs=CLOSE)
    assert found["mean squared error"] == pytest.approx(second - folded + 0.25, abs=CLOSE)
    assert all(q.error is not None and q.error < 1e-6 for q in found.quantities)


@pytest.mark.parametrize("sigma", [0.3, 0.7, 5.0])
def test_moments_hold_against_dblquad(sigma: float) -> None:
    """A triangle of corners (0, 0), (2, 0), (0, 1), and the value u - 2 v on it."""
    corners = np.array([[[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]]])
    values = (corners @ [1.0, -2.0])[:, :, None]
    centre = np.array([0.6, 0.5])
    weighted = WeightedTriangles(
        (corners - centre) / sigma, np.array([1.0]) / sigma**2, values, np.array([0])
    )
    found = gaussian_moments(weighted, 1, 1e-7)

    def expected(power: int) -> float:
        def density(v: float, u: float) -> float:
            square = (u - centre[0]) ** 2 + (v - centre[1]) ** 2
            return (u - 2 * v) ** power * math.exp(-square / (2 * sigma**2)) / (2 * math.pi * sigma**2)

        number: float = dblquad(density, 0, 2, 0, lambda u: 1 - u / 2, epsabs=1e-10, epsrel=1e-10)[0]
        return number

    for power, total, error in (
        (0, found.masses[0], found.mass_error),
        (1, found.firsts[0], found.first_errors[0]),
        (2, found.squares[0], found.square_errors[0]),
    ):
        assert abs(total - expected(power)) <= error + 1e-9
        assert error < 1e-6


def test_a_wide_weight_is_none() -> None:
    arr = arranged(random_network(2, 2, 12, 12, 3), -1, 1, -1, 1)
    plain, wide = measured(arr), measured(arr, centre=[0.2, 0.1], sigma=1e5, tolerance=1e-12)
    for q in wide.quantities:
        if q.name in ("share", "mean", "variance"):
            assert q.value == pytest.approx(plain[q.name, q.of], rel=1e-8)


def test_a_narrow_weight_is_a_point() -> None:
    arr = arranged(random_network(2, 2, 12, 12, 3), -1, 1, -1, 1)
    point = np.array([0.21, -0.4])
    found = measured(arr, centre=point, sigma=1e-3)
    (cell,) = arr.locate(point[None])
    for k in range(3):
        at = arr.affine[cell, k] @ [*point, 1.0]
        assert found["mean", f"output {k}"] == pytest.approx(at, abs=1e-2)
    assert found["mass"] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"centre": [0.0, 0.0]}, "a Gaussian weight has a centre and a sigma"),
        ({"centre": [0.0, 0.0], "sigma": 0.0}, "sigma must be a finite number > 0, got 0.0"),
        ({"centre": [0.0, 0.0], "sigma": float("inf")}, "sigma must be a finite number > 0, got inf"),
        ({"centre": [0.0], "sigma": 1.0}, "centre must be a finite point"),
    ],
)
def test_a_weight_without_bounds_is_refused(asked: dict[str, object], said: str) -> None:
    with pytest.raises(sv.InputError, match=said):
        measured(arranged(bands(), -1, 1, -1, 1), **asked)
