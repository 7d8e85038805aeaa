"""Permutation tests: closed forms, scipy, and rates of false alarms over simulated data without a relation.

Rates of N simulations are held against their expectation within four standard deviations of a binomial
proportion: one run in 16,000 would fail by chance, and seeds are fixed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import cKDTree

from splineviz.measures.rank_tests import of_shifts, permutation_test, shift_test

UNIT = (0.0, 1.0, 0.0, 1.0)


def within(rate: float, expected: float, n: int) -> bool:
    return abs(rate - expected) <= 4.0 * np.sqrt(expected * (1.0 - expected) / n)


def test_the_effect_is_mann_and_whitneys() -> None:
    random = np.random.default_rng(0)
    points, others = (
        random.integers(0, 9, (3, 40)).astype(float),
        random.integers(0, 9, (3, 50)).astype(float),
    )
    found = permutation_test(points, others, permutations=99)
    by_pairs = (points[:, :, None] > others[:, None]).mean((1, 2))
    by_pairs += 0.5 * (points[:, :, None] == others[:, None]).mean((1, 2))
    np.testing.assert_allclose(found.farther, by_pairs, atol=1e-15)
    u = stats.mannwhitneyu(points, others, axis=1).statistic
    np.testing.assert_allclose(found.farther, u / 2000, atol=1e-15)


def test_p_is_near_that_of_all_permutations() -> None:
    """Of 4 points and 5 others there are 126 ways to choose."""
    points, others = np.array([0.9, 0.8, 0.75, 0.3]), np.array([0.1, 0.2, 0.4, 0.5, 0.85])
    ranks = stats.rankdata(np.concatenate([points, others]))
    sums = np.array([ranks[list(rows)].sum() for rows in combinations(range(9), 4)])
    exact = (np.abs(sums - 20) >= abs(ranks[:4].sum() - 20)).mean()
    found = permutation_test(points, others, permutations=9999, seed=1)
    assert within(float(found.p), exact, 9999)


def test_nothing_and_infinity_do_no_harm() -> None:
    points, others = np.array([0.0, 0.0, np.inf]), np.array([np.inf, np.inf, 0.0, 1.0])
    found = permutation_test(points, others, permutations=99)
    assert found.farther == pytest.approx((0.5 + 0.5 + 0.5 * 2 + 2) / 12)
    same = permutation_test(np.full(5, np.inf), np.full(9, np.inf), permutations=99)
    assert (float(same.farther), float(same.p)) == (0.5, 1.0)


def test_all_farther_has_the_least_p_and_no_interval() -> None:
    found = permutation_test(np.arange(20.0) + 50, np.arange(20.0), permutations=99)
    assert (float(found.farther), float(found.p)) == (1.0, 0.01)
    assert np.isnan(found.low) and np.isnan(found.high)


def test_the_same_seed_tells_the_same() -> None:
    random = np.random.default_rng(2)
    points, others = random.normal(size=(4, 30)), random.normal(size=(4, 30))
    one, other, third = (permutation_test(points, others, permutations=99, seed=s).p for s in (5, 5, 6))
    assert (one == other).all() and (one != third).any()
    assert (permutation_test(points, others, permutations=99).adjusted >= 0.01).all()


def test_false_alarms_of_permutations() -> None:
    """Both drawn from one distribution, with ties: p <= 0.05 in at most one of twenty, and nearly so."""
    n, alone, together = 1000, 0, 0
    for seed in range(n):
        random = np.random.default_rng([7, seed])
        drawn = np.round(random.exponential(size=(3, 60)), 2)
        found = permutation_test(drawn[:, :25], drawn[:, 25:], permutations=199, seed=seed)
        alone += bool(found.p[0] <= 0.05)
        together += bool((found.adjusted <= 0.05).any())
        assert (found.adjusted >= found.p).all()
    assert within(alone / n, 0.05, n)
    assert within(together / n, 0.05, n)


@pytest.mark.parametrize("shift", [0.0, 0.8])
def test_coverage_of_the_interval(shift: float) -> None:
    """Of two normal distributions that are apart by s the effect is Phi(s / sqrt 2)."""
    n, truth, held = 600, stats.norm.cdf(shift / np.sqrt(2.0)), 0
    for seed in range(n):
        random = np.random.default_rng([8, seed])
        found = permutation_test(
            random.normal(shift, size=60), random.normal(size=60), permutations=1, seed=seed
        )
        held += bool(found.low <= truth <= found.high)
    assert within(held / n, 0.95, n)


def test_an_effect_is_found() -> None:
    random = np.random.default_rng(3)
    found = permutation_test(random.normal(1.0, size=80), random.normal(size=80), permutations=999)
    assert found.p == 0.001 and found.low > 0.6


def to_pattern() -> Callable[[np.ndarray], np.ndarray]:
    """Distances round the window to points that lie in clusters."""
    random = np.random.default_rng(4)
    middles = random.uniform(size=(6, 1, 2))
    tree = cKDTree(np.mod(middles + 0.05 * random.normal(size=(6, 15, 2)), 1.0).reshape(-1, 2), boxsize=1.0)
    return lambda uv: tree.query(np.mod(uv, 1.0))[0][None]


def curve(seed: int) -> np.ndarray:
    """A circle, moved anywhere."""
    turn = np.linspace(0, 2 * np.pi, 40)
    middle = np.random.default_rng([9, seed]).uniform(size=2)
    return np.mod(middle + 0.2 * np.stack([np.cos(turn), np.sin(turn)], 1), 1.0)


def test_false_alarms_of_shifts() -> None:
    """A curve that lies anywhere has no relation to the pattern, and its points are no independent draws."""
    distances = to_pattern()
    drawn = distances(np.random.default_rng(5).uniform(size=(500, 2)))
    n, alarms, by_permutations = 1000, 0, 0
    for seed in range(n):
        found = of_shifts(*shift_test(distances, curve(seed), UNIT, drawn, shifts=99, seed=seed))
        alarms += bool(found.p[0] <= 0.05)
        if seed < 100:
            own = distances(curve(seed))
            by_permutations += bool(permutation_test(own, drawn, permutations=99, seed=seed).p[0] <= 0.05)
    assert within(alarms / n, 0.05, n)
    assert by_permutations > 30  # which is why the boundary is not tested by permutations


def test_a_curve_through_the_pattern_is_found() -> None:
    random = np.random.default_rng(6)
    tree = cKDTree(np.stack([random.uniform(size=300), np.full(300, 0.5)], 1), boxsize=1.0)
    on_it = np.stack([np.linspace(0, 0.99, 50), np.full(50, 0.5)], 1)
    drawn = tree.query(random.uniform(size=(500, 2)))[0][None]
    found = of_shifts(*shift_test(lambda uv: tree.query(np.mod(uv, 1.0))[0][None], on_it, UNIT, drawn))
    assert found.farther[0] < 0.05 and found.p[0] < 0.05 and found.low[0] < 0.5 < found.high[0]
