"""Numbers of partitions whose cells are as small as float64 can tell, against fractions by hand."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest

import splineviz as sv
from splineviz.comparison.partitions import PartitionDistance, partition_distance
from tests.comparison.nets import PLANE, SQUARE, lines

Parts = tuple[Sequence[int], Sequence[int], Sequence[Fraction]]
"""Cells of two partitions that each part of the window lies in, and its area"""
HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)

WINDOWS: dict[str, Callable[[Fraction], Parts]] = {
    "the same corner": lambda s: ([0, 1], [0, 1], [1 - s, s]),
    "two corners": lambda s: ([0, 1, 0], [0, 0, 1], [1 - 2 * s, s, s]),
    "a corner in a corner": lambda s: ([0, 1, 1], [0, 0, 1], [1 - s, s / 2, s / 2]),
    "halves and a sliver": lambda s: ([0, 0, 1], [0, 1, 1], [HALF - s, s, HALF]),
    "a corner across halves": lambda s: ([0, 0, 1, 1], [0, 1, 0, 1], [HALF - s, s, HALF - s, s]),
    "slivers of quarters": lambda s: (
        [0, 0, 1, 1, 2, 2, 3],
        [0, 1, 1, 2, 2, 3, 3],
        [QUARTER - s, s, QUARTER - 2 * s, 2 * s, QUARTER - 3 * s, 3 * s, QUARTER],
    ),
}


def assert_right(found: PartitionDistance, parts: Parts) -> None:
    """By the definitions, in fractions and logarithms of 90 digits."""
    joint, p, q = (defaultdict[object, Fraction](Fraction) for _ in range(3))
    for i, j, area in zip(*parts, strict=True):
        for shares, cell in ((joint, (i, j)), (p, i), (q, j)):
            shares[cell] += area / sum(parts[2])
    with localcontext(prec=90):
        of_joint, of_p, of_q = (_entropy(shares.values()) for shares in (joint, p, q))
        information = 2 * of_joint - of_p - of_q
    together, of_first, of_second = (sum(share**2 for share in shares.values()) for shares in (joint, p, q))
    chance = of_first * of_second
    index = (together - chance) / ((of_first + of_second) / 2 - chance)
    assert found.entropies == pytest.approx((float(of_p), float(of_q)), rel=1e-12, abs=0)
    assert found.variation_of_information == pytest.approx(float(information), rel=1e-12, abs=1e-80)
    assert found.adjusted_rand_index == pytest.approx(float(index), rel=0, abs=1e-15)


def _entropy(shares: Iterable[Fraction]) -> Decimal:
    parts = [Decimal(share.numerator) / Decimal(share.denominator) for share in shares]
    return -sum((part * part.ln() for part in parts), Decimal(0))


@pytest.mark.parametrize("binary_digits", [10, 26, 40, 52, 53, 54, 60, 200])
@pytest.mark.parametrize("kind", WINDOWS)
def test_cells_of_any_size(kind: str, binary_digits: int) -> None:
    first, second, areas = WINDOWS[kind](Fraction(1, 2**binary_digits))
    rounded = np.array([float(area) for area in areas])
    found = partition_distance(np.array(first), np.array(second), rounded)
    assert_right(found, (first, second, areas))


def _found(first: tuple[float, float, float], second: tuple[float, float, float]) -> PartitionDistance:
    pair = sv.compare([lines(first), lines(second)], PLANE, SQUARE).pair(0, 1)
    assert pair.overlay.arrangement.stats.certified and pair.overlay.n_cells == 3
    return pair.partitions


@pytest.mark.parametrize("binary_digits", [10, 27, 51])
def test_networks_that_cut_off_corners(binary_digits: int) -> None:
    """x + y > 2 - h cuts off a triangle of area h^2 / 2."""
    h = Fraction(1, 2**binary_digits)
    corner, inner = h**2 / 2, h**2 / 8
    beyond, further = (1.0, 1.0, float(h - 2)), (2.0, 2.0, float(h - 4))
    assert_right(
        _found(beyond, (1.0, -1.0, float(h - 2))), ([0, 1, 0], [0, 0, 1], [4 - 2 * corner, corner, corner])
    )
    assert_right(_found(beyond, further), ([0, 1, 1], [0, 0, 1], [4 - corner, corner - inner, inner]))


@pytest.mark.parametrize("x", [0.25, 1 / 3, -0.7])
def test_networks_one_ulp_apart(x: float) -> None:
    y = math.nextafter(x, 1)
    left, between, right = Fraction(x) + 1, Fraction(y) - Fraction(x), 1 - Fraction(y)
    assert_right(_found((1, 0, -x), (1, 0, -y)), ([0, 1, 1], [0, 0, 1], [left, between, right]))
