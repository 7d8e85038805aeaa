"""Means under a Gaussian weight: closed forms by erf, dblquad, and remainders that hold."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
import torch
from scipy.integrate import dblquad, quad

import splineviz as sv
from splineviz.deadline import SpentError, until
from splineviz.measures.gaussian_log_sum_exp import gaussian_log_sum_exp
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


def softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def test_the_cross_entropy_of_an_absolute_value() -> None:
    """log(1 + e^f) - f y for f = |u| - 1/2 under a Gaussian in u, on [-1, 1]."""
    asked = {"centre": [0.0, 0.0], "sigma": 0.5}
    found = measured(arranged(bands(), -1, 1, -1, 2), truth=1, **asked)

    def mean(y: int) -> float:
        def integrand(u: float) -> float:
            f = abs(u) - 0.5
            return (softplus(f) - f * y) * math.exp(-2 * u * u)

        whole = quad(lambda u: math.exp(-2 * u * u), -1, 1, points=[0], epsabs=1e-14)[0]
        number: float = quad(integrand, -1, 1, points=[0], epsabs=1e-14)[0] / whole
        return number

    for y in (0, 1):
        quantity = next(q for q in found.quantities if (q.name, q.of) == ("cross-entropy", f"class {y}"))
        assert quantity.error is not None
        assert abs(quantity.value - mean(y)) <= quantity.error < 1e-5
    assert found["cross-entropy"] == found["cross-entropy", "class 1"]


@pytest.mark.parametrize(("sigma", "steep"), [(0.3, 1.0), (0.7, 6.0), (5.0, 40.0)])
def test_log_sum_exp_holds_against_gauss_and_legendre(sigma: float, steep: float) -> None:
    """Three logits on a triangle of corners (0, 0), (2, 0), (0, 1)."""
    corners = np.array([[[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]]])
    maps = steep * np.array([[1.0, -2.0, 0.1], [-0.5, 1.0, 0.0], [0.3, 0.2, -0.2]])
    values = corners @ maps[:, :2].T + maps[:, 2]
    centre = np.array([0.6, 0.5])
    weighted = WeightedTriangles(
        (corners - centre) / sigma, np.array([1.0]) / sigma**2, values, np.array([0])
    )

    x, weights = np.polynomial.legendre.leggauss(300)
    x, weights = 0.5 * (x + 1.0), 0.5 * weights
    u, v = 2.0 * x[:, None], (1.0 - x)[:, None] * x
    z = maps @ np.stack(np.broadcast_arrays(u, v, 1.0)).reshape(3, -1)
    square = (u - centre[0]) ** 2 + (v - centre[1]) ** 2
    density = np.exp(-square / (2 * sigma**2)) / (2 * np.pi * sigma**2)
    area = 2.0 * (weights * (1.0 - x))[:, None] * weights
    expected = float((np.logaddexp.reduce(z).reshape(square.shape) * density * area).sum())
    for tolerance in (1e-3, 1e-6):
        total, error = gaussian_log_sum_exp(weighted, tolerance)
        assert abs(total - expected) <= error + 1e-9
        assert error <= 2 * tolerance * (steep * 4 + 2)


def test_the_cross_entropy_against_samples() -> None:
    """Of a random network, against the class of the nearest of three points."""
    model, centre, sigma = random_network(3, 2, 12, 12, 3), np.array([0.2, -0.3]), 0.6
    points = np.array([[-0.8, -0.8], [0.8, -0.7], [0.0, 0.9]])
    plane = sv.Plane.through(*points)
    arr = sv.arrange(sv.load_program(model, input_shape=(2,)), plane, sv.Window.around(plane))
    found = measured(arr, truth=[0, 1, 2], centre=centre, sigma=sigma)
    plain = measured(arr, truth=[0, 1, 2])
    u0, u1, v0, v1 = arr.windows[0].bounds
    u, v = ((np.arange(1500) + 0.5) / 1500 * (high - low) + low for low, high in ((u0, u1), (v0, v1)))
    uv = np.stack(np.meshgrid(u, v), -1).reshape(-1, 2)
    z = torch.tensor(plane.lift(uv)).double()
    with torch.no_grad():
        loss = -model(z).log_softmax(1).numpy()
    right = ((uv[:, None] - plane.anchors) ** 2).sum(2).argmin(1)
    own = loss[np.arange(len(uv)), right]
    weight = np.exp(-((uv - centre) ** 2).sum(1) / (2 * sigma**2))
    assert found["cross-entropy"] == pytest.approx((own * weight).sum() / weight.sum(), rel=1e-3)
    assert plain["cross-entropy"] == pytest.approx(own.mean(), rel=1e-3)
    for k in range(3):
        mean = (loss[:, k] * weight).sum() / weight.sum()
        assert found["cross-entropy", f"class {k}"] == pytest.approx(mean, rel=1e-3)


def test_a_finer_tolerance_stays_within_the_error() -> None:
    arr = arranged(random_network(5, 2, 16, 16, 4), -1, 1, -1, 1)
    asked = {"centre": [0.4, 0.1], "sigma": 0.3}
    coarse, fine = measured(arr, tolerance=1e-2, **asked), measured(arr, tolerance=1e-5, **asked)
    for one, other in zip(coarse.quantities, fine.quantities, strict=True):
        assert one.error is not None and other.error is not None
        assert abs(one.value - other.value) <= one.error + other.error
        if one.name == "cross-entropy":
            assert other.error < 1e-3


def test_a_wide_weight_is_none() -> None:
    arr = arranged(random_network(2, 2, 12, 12, 3), -1, 1, -1, 1)
    plain = measured(arr, tolerance=1e-9)
    wide = measured(arr, centre=[0.2, 0.1], sigma=1e5, tolerance=1e-12)
    for q in wide.quantities:
        if q.name in ("share", "mean", "variance"):
            assert q.value == pytest.approx(plain[q.name, q.of], rel=1e-8)
        if q.name == "cross-entropy":  # of which the remainder is larger, and so is what the rule leaves
            assert q.value == pytest.approx(plain[q.name, q.of], abs=2e-6)


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
        ({"centre": [0.0, 0.0], "sigma": 0.0}, "sigma must be a number > 0, got 0.0"),
        ({"centre": [0.0, 0.0], "sigma": float("inf")}, "sigma must be a finite number > 0, got inf"),
        ({"centre": [0.0], "sigma": 1.0}, "centre must be a finite point"),
    ],
)
def test_a_weight_without_bounds_is_refused(asked: dict[str, object], said: str) -> None:
    with pytest.raises(sv.InputError, match=said):
        measured(arranged(bands(), -1, 1, -1, 1), **asked)


def test_a_weight_that_is_small_beside_the_slice_ends() -> None:
    """A millionth of the slice: nearly all of the mass is within, the mean is that of the centre."""
    centre = [0.25, 0.5]
    found = measured(arranged(bands(), -1, 1, -1, 1), centre=centre, sigma=1e-6)
    assert found["mass"] == pytest.approx(1.0, abs=1e-9)
    assert found["mean", "output 0"] == pytest.approx(abs(centre[0]) - 0.5, abs=1e-9)
    for sigma in (1e-12, 1e12):
        with pytest.raises(sv.InputError, match="expected a Gaussian from 2e-09 to 2e"):
            measured(arranged(bands(), -1, 1, -1, 1), centre=centre, sigma=sigma)


def test_integrals_end_when_time_is_up() -> None:
    arr = arranged(random_network(0), -1, 1, -1, 1)
    for asked in ({"truth": 0}, {"centre": [0.0, 0.0], "sigma": 1.0}):
        with until(time.monotonic() - 1.0), pytest.raises(SpentError):
            measured(arr, **asked)
