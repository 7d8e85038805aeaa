"""Rank correlations of weighted observations, held to scipy's on data that are really drawn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from splineviz.validation.cluster_bootstrap import point_weights, ratio, resampled_means
from splineviz.validation.ranks import Drawn, Ranked, correlate, tied_pairs


@pytest.mark.parametrize("planes", [1, 3])
@pytest.mark.parametrize("mean", [0.2, 3.0])
@pytest.mark.parametrize("lost", [0.0, 0.3])
def test_resamples_are_those_of_scipy(planes: int, mean: float, lost: float) -> None:
    """Also where some exact counts were given up."""
    rng = np.random.default_rng(3)
    grid = rng.poisson(mean, (planes, 25)).astype(float)
    other = grid + rng.poisson(1.0, grid.shape)
    drawn = Drawn(rng.random(grid.shape) >= lost, point_weights(25, 40, seed=1))
    found = correlate(Ranked(grid, drawn), Ranked(other, drawn))
    x, y = grid[drawn.counted], other[drawn.counted]
    assert found.tau.value == pytest.approx(stats.kendalltau(x, y).statistic)
    assert found.spearman.value == pytest.approx(stats.spearmanr(x, y).statistic)
    for copies, tau, rho in zip(
        drawn.copies.astype(int), found.tau.resampled, found.spearman.resampled, strict=True
    ):
        a, b = np.repeat(x, copies), np.repeat(y, copies)
        if len(set(a)) > 1 and len(set(b)) > 1:
            assert tau == pytest.approx(stats.kendalltau(a, b).statistic, abs=1e-5)
            assert rho == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-9)
        else:
            assert np.isnan(tau)
            assert np.isnan(rho)


@pytest.mark.parametrize(
    ("x", "y", "why"),
    [
        ([0, 0, 0], [1, 2, 3], "all of the first are 0"),
        ([1, 2, 3], [4, 4, 4], "all of the second are 4"),
        ([1, 2, 2], [1, 3, 3], "fewer than 3 distinct pairs"),
        ([], [], "nothing was counted"),
    ],
)
def test_undefined_correlations_say_why(x: list[int], y: list[int], why: str) -> None:
    drawn = Drawn(np.ones((1, len(x)), dtype=bool), np.ones((10, len(x))))
    found = correlate(*(Ranked(np.array([side], dtype=float), drawn) for side in (x, y)))
    for number in (found.tau.measured(), found.spearman.measured()):
        assert number.value is None
        assert str(number) == "undefined"
        assert number.note == why
        assert number.to_json()["value"] is None


def test_intervals_cover() -> None:
    """Of 200 samples from one population, 95 % intervals of tau hold its value about 190 times."""
    rng = np.random.default_rng(0)

    def draw(n: int) -> np.ndarray:
        common = rng.gamma(1.0, 2.0, n)
        return rng.poisson(np.stack([common, common]), (2, n)).astype(float)

    truth = np.mean([stats.kendalltau(*draw(400)).statistic for _ in range(100)])
    drawn = Drawn(np.ones((1, 100), dtype=bool), point_weights(100, 200, seed=5))
    inside = 0
    for _ in range(200):
        found = correlate(*(Ranked(side[None], drawn) for side in draw(100))).tau.measured()
        assert found.low is not None and found.high is not None
        inside += found.low <= truth <= found.high
    assert 178 <= inside <= 200  # 190, and 4 standard errors of a binomial


def test_tied_pairs() -> None:
    rng = np.random.default_rng(1)
    values = rng.poisson(1.0, 40)
    i, j = np.triu_indices(40, 1)
    assert tied_pairs(values) == pytest.approx((values[i] == values[j]).mean())
    assert tied_pairs(values[:1]) is None


def test_ratios_and_means_of_resamples() -> None:
    rng = np.random.default_rng(2)
    above, below = rng.poisson(3.0, (2, 20)).astype(float)
    weights = point_weights(20, 30, seed=0)
    found = ratio(above, below, weights, 20, "")
    drawn = [np.repeat(np.arange(20), w) for w in weights.astype(int)]
    assert found.value == above.sum() / below.sum()
    np.testing.assert_allclose(found.resampled, [above[d].sum() / below[d].sum() for d in drawn])
    values = rng.standard_normal((2, 3, 20))
    values[0, 1, 4] = np.nan
    mean, resampled = resampled_means(values, weights)
    np.testing.assert_allclose(mean, np.nanmean(values, (1, 2)))
    np.testing.assert_allclose(resampled, [np.nanmean(values[..., d], (1, 2)) for d in drawn])
    assert ratio(above, 0 * below, weights, 20, "nothing is cut").measured().note == "nothing is cut"
