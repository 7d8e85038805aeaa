"""Permutation tests by ranks: whether points are farther from something than points drawn at random.

The effect is the probability that one of the points is farther than one of the others, ties counted half
(Mann and Whitney 1947): 1/2 where both are alike, above where the points are farther. It needs no unit, and
distances of 0 and infinite ones do no harm. With b of m permutations at least as far from 1/2 as what was
observed, on either side, p = (b + 1) / (m + 1) (Phipson and Smyth 2010), which is never too small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy import special, stats

__all__ = ["RankTest", "of_shifts", "permutation_test", "shift_test"]

_BAND = 0.95


@dataclass(frozen=True, eq=False)
class RankTest:
    """Several tests on the same points, one for each row of distances.

    Attributes
    ----------
    farther
        (...) the effect: probability that a point is farther than one drawn at random.
    low, high
        (...) 95 % interval. Of a permutation test, confidence interval of the effect (DeLong, DeLong and
        Clarke-Pearson 1988, on the logit scale; NaN where the effect is 0 or 1, and its variance unknown). Of
        a test by shifts, where the effect lies in 95 % of the shifts, if there is no relation.
    p
        (...) two-sided p-value of each test on its own.
    adjusted
        (...) p-value that holds for all tests together: of the largest effect of each permutation (Westfall
        and Young 1993, single step).
    """

    farther: Float64[np.ndarray, "*test"]
    low: Float64[np.ndarray, "*test"]
    high: Float64[np.ndarray, "*test"]
    p: Float64[np.ndarray, "*test"]
    adjusted: Float64[np.ndarray, "*test"]


def permutation_test(
    points: Float64[np.ndarray, "*test point"],
    others: Float64[np.ndarray, "*test other"],
    *,
    permutations: int = 999,
    seed: int | list[int] = 0,
) -> RankTest:
    """Test whether points and others have the same distances.

    Which are points and which others is permuted, in the same way for all tests. The p-value is exact if
    points and others are drawn independently from one distribution.

    Parameters
    ----------
    points, others
        (..., n) and (..., m) distances, at least two each; they may be 0 or infinite.
    permutations
        Number of them.
    seed
        Of the permutations.

    Examples
    --------
    >>> near, far = np.arange(20.0), np.arange(20.0) + 15
    >>> found = permutation_test(far, near)
    >>> float(found.farther), float(found.p)
    (0.96875, 0.001)
    """
    n, m = points.shape[-1], others.shape[-1]
    pooled = np.concatenate([points, others], axis=-1)
    ranks = stats.rankdata(pooled, axis=-1)
    drawn = np.zeros((permutations, n + m))
    drawn[:, :n] = 1.0
    drawn = np.random.default_rng(seed).permuted(drawn, axis=1)
    # sums of ranks are halves of whole numbers, and so is what they are expected to be: exact in float64
    middle = n * (n + m + 1) / 2
    excess = ranks[..., :n].sum(-1) - middle
    permuted = np.abs(ranks @ drawn.T - middle)
    farther = np.asarray(0.5 + excess / (n * m))
    low, high = _confidence(ranks, stats.rankdata(points, axis=-1), stats.rankdata(others, axis=-1), farther)
    return RankTest(farther, low, high, *_p_values(np.abs(excess), permuted))


def shift_test(
    distances: Callable[[Float64[np.ndarray, "point 2"]], Float64[np.ndarray, "test point"]],
    uv: Float64[np.ndarray, "point 2"],
    bounds: tuple[float, float, float, float],
    others: Float64[np.ndarray, "test other"],
    *,
    shifts: int = 199,
    seed: int | list[int] = 0,
) -> tuple[Float64[np.ndarray, "test"], Float64[np.ndarray, "test shift"]]:
    """Effects for points of a curve, and for the same points under random shifts round the window: what
    leaves it on one side comes in on the other.

    Points of one curve are no independent draws, and permuting them would find a relation that is none.
    Shifts keep the curve as it is, and break its relation to what distances are taken to (Lotwick and
    Silverman 1982).

    Parameters
    ----------
    distances
        Distances (tests, k) of points (k, 2) to the things that are tested.
    uv
        (n, 2) points of the curve.
    bounds
        (x0, x1, y0, y1) of the window.
    others
        (tests, m) distances of points drawn uniformly from the window.
    shifts, seed
        Number of shifts, and their seed.
    """
    low, size = np.array(bounds[::2]), np.array([bounds[1] - bounds[0], bounds[3] - bounds[2]])
    steps = np.random.default_rng(seed).uniform(size=(shifts, 1, 2)) * size
    moved = low + np.mod(uv - low + steps, size)
    at = distances(np.concatenate([uv, moved.reshape(-1, 2)]))
    ordered = np.sort(others, axis=-1)
    below = np.stack(
        [
            np.searchsorted(row, own, side="left") + np.searchsorted(row, own, side="right")
            for row, own in zip(ordered, at, strict=True)
        ]
    )
    farther = below.reshape(len(at), shifts + 1, len(uv)).mean(-1) / (2 * others.shape[-1])
    return farther[:, 0], farther[:, 1:]


def of_shifts(farther: Float64[np.ndarray, "*test"], shifted: Float64[np.ndarray, "*test shift"]) -> RankTest:
    """The tests of effects (...) against those under shifts (..., shifts)."""
    low, high = np.quantile(shifted, [(1 - _BAND) / 2, (1 + _BAND) / 2], axis=-1)
    return RankTest(farther, low, high, *_p_values(np.abs(farther - 0.5), np.abs(shifted - 0.5)))


def _p_values(observed: np.ndarray, drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """p-values of effects (...) against those that were drawn (..., m), of each alone and of all together."""
    n = drawn.shape[-1] + 1
    largest = drawn.reshape(-1, n - 1).max(0)
    p = ((drawn >= observed[..., None]).sum(-1) + 1) / n
    adjusted = ((largest >= observed[..., None]).sum(-1) + 1) / n
    return np.asarray(p), np.asarray(adjusted)


def _confidence(
    ranks: np.ndarray, own: np.ndarray, other: np.ndarray, farther: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the interval, from ranks among all (..., n + m), and among points and others alone."""
    n, m = own.shape[-1], other.shape[-1]
    of_points = (ranks[..., :n] - own) / m
    of_others = 1.0 - (ranks[..., n:] - other) / n
    variance = of_points.var(-1, ddof=1) / n + of_others.var(-1, ddof=1) / m
    spread = farther * (1.0 - farther)
    with np.errstate(divide="ignore", invalid="ignore"):
        half = special.ndtri((1 + _BAND) / 2) * np.sqrt(variance) / np.where(spread > 0, spread, np.nan)
        middle = special.logit(farther)
    return np.asarray(special.expit(middle - half)), np.asarray(special.expit(middle + half))
