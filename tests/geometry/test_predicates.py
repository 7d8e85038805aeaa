"""The three decisions, at and beside the bound that settles them."""

from __future__ import annotations

from fractions import Fraction

import numba
import numpy as np
import pytest

from splineviz.geometry import predicates
from splineviz.geometry.predicates import EPS, MARGIN

# Parts of kernels cannot be called from Python by themselves.
classify = numba.njit(predicates.classify.py_func)
crossing = numba.njit(predicates.crossing.py_func)
in_order = numba.njit(predicates.in_order.py_func)


def test_units_that_have_cut_are_not_counted_as_zeros() -> None:
    z = np.zeros((1, 100))
    assert (classify(z, np.ones(100), np.ones(1), 1).zeros, classify(z, np.ones(100), np.ones(1), 0).zeros) == (36, 100)


@pytest.mark.parametrize("n_units", [1, 63, 64, 65, 200])
def test_signs_are_three_valued(n_units: int) -> None:
    rng = np.random.default_rng(n_units)
    z = rng.integers(-2, 3, (5, n_units)).astype(np.float64)
    given = z.copy()
    signs = classify(z, np.ones(n_units), np.zeros(5), 0)
    above = np.unpackbits(signs.positive.view(np.uint8), axis=1, bitorder="little")
    below = np.unpackbits(signs.negative.view(np.uint8), axis=1, bitorder="little")
    np.testing.assert_array_equal(above[:, :n_units], given > 0)
    np.testing.assert_array_equal(below[:, :n_units], given < 0)
    assert not above[:, n_units:].any() and not below[:, n_units:].any()
    assert (signs.zeros, signs.open) == ((given == 0).sum(), 0)
    np.testing.assert_array_equal(z, given)


def test_values_within_the_bound_become_zero_and_are_counted() -> None:
    scale, slack = np.array([1.0, 4.0, 0.0]), np.array([1e-10, 0.0])
    least = MARGIN * 1e-10
    z = np.array([[least, -4 * least * (1 + 1e-9), 1e-300], [1e-300, 0.0, 0.0]])
    signs = classify(z, scale, slack, 0)
    assert z.tolist() == [[0.0, -4 * least * (1 + 1e-9), 1e-300], [1e-300, 0.0, 0.0]]
    assert signs.positive[:, 0].tolist() == [0b100, 0b001] and signs.negative[:, 0].tolist() == [0b010, 0]
    assert (signs.zeros, signs.open) == (3, 1)


def test_a_crossing_lies_within_its_bound() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        za, zb = 10.0 ** rng.uniform(-8, 8), -(10.0 ** rng.uniform(-8, 8))
        bound_a, bound_b = 1e-9 * za, 1e-9 * -zb
        t, bound = crossing(za, zb, bound_a, bound_b)
        assert 0 <= t <= 1
        for da, db in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            a, b = Fraction(za) + da * Fraction(bound_a), Fraction(zb) + db * Fraction(bound_b)
            assert abs(a / (a - b) - Fraction(t)) <= Fraction(bound) * (1 + Fraction(1, 10**8))


def test_a_crossing_is_the_same_for_the_opposite_unit() -> None:
    assert crossing(0.3, -0.7, 1e-12, 2e-12) == crossing(-0.3, 0.7, 1e-12, 2e-12)


def test_crossings_of_no_spread_are_anywhere() -> None:
    assert crossing(0.0, 0.0, 0.0, 0.0) == (0.5, 0.5)


def test_order_is_certain_only_beyond_both_bounds() -> None:
    gap = MARGIN * (1e-10 + 2e-10)
    assert in_order(0.25, 1e-10, 0.25 + 1.01 * gap, 2e-10)
    assert not in_order(0.25, 1e-10, 0.25 + 0.99 * gap, 2e-10)
    assert not in_order(0.25 + 1.01 * gap, 1e-10, 0.25, 2e-10)
    assert not in_order(0.25, 4 * EPS, 0.25, 4 * EPS)
