"""Kendall's tau-b and Spearman's rho of counts with many ties, also in each of a thousand resamples of the points.

A resample is a weight for each point, and both coefficients are functions of weights, so that nothing is ever sorted again. With
s(a, b) the sign of the difference of two observations, and observations drawn w times,

    tau-b = sum w_a w_b s_x s_y / sqrt(sum w_a w_b s_x^2  sum w_a w_b s_y^2),

a quadratic form in the weights of the points: exactly tau-b of the resampled data. Copies of one observation are tied in both, and
so count nowhere. Mid-ranks are cumulative sums of the weights of the distinct values.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int64
from scipy import stats

from splineviz.validation.measured import Sampled, undefined

__all__ = ["Correlation", "Ranked", "correlate", "quotient", "tied_pairs", "why_undefined"]


@dataclass(frozen=True)
class Correlation:
    """Both coefficients of one pair."""

    tau: Sampled
    spearman: Sampled


@dataclass(frozen=True, eq=False)
class Ranked:
    """One variable of a set of observations, and what can be known of it once for all that it is compared with.

    Attributes
    ----------
    values
        (observation,) numbers.
    point
        (observation,) the point that each is of, ascending, without gaps.
    weights
        How often each point is drawn in each resample.
    """

    values: Float64[np.ndarray, "observation"]
    point: Int64[np.ndarray, "observation"]
    weights: Float64[np.ndarray, "resample point"]

    @cached_property
    def order(self) -> np.ndarray:
        """(observation,) place among the distinct values."""
        places: np.ndarray = np.unique(self.values, return_inverse=True)[1]
        return places.astype(np.int32)

    @cached_property
    def signs(self) -> np.ndarray:
        """(observation, observation) int8."""
        found: np.ndarray = np.sign(self.order[:, None] - self.order[None, :]).astype(np.int8)
        return found

    @cached_property
    def _shares(self) -> np.ndarray:
        """(resample, distinct value) observations that have it."""
        held = np.zeros((self.weights.shape[1], int(self.order.max()) + 1))
        np.add.at(held, (self.point, self.order), 1.0)
        found: np.ndarray = self.weights @ held
        return found

    @cached_property
    def untied(self) -> Float64[np.ndarray, "resample"]:
        """Ordered pairs of observations that differ."""
        found: np.ndarray = self._shares.sum(1) ** 2 - (self._shares**2).sum(1)
        return found

    @cached_property
    def drawn(self) -> Float64[np.ndarray, "resample observation"]:
        """How often each observation is drawn."""
        found: np.ndarray = self.weights[:, self.point]
        return found

    @cached_property
    def ranks(self) -> Float64[np.ndarray, "resample observation"]:
        """Mid-ranks in each resample, less their mean: half of what is below less half of what is above."""
        below = np.cumsum(self._shares, 1)
        centred = below - 0.5 * self._shares - 0.5 * below[:, -1:]
        found: np.ndarray = centred[:, self.order]
        return found

    @cached_property
    def spread(self) -> Float64[np.ndarray, "resample"]:
        """Sum of the squares of the ranks of what is drawn."""
        found: np.ndarray = np.einsum("ro,ro,ro->r", self.drawn, self.ranks, self.ranks)
        return found


def correlate(x: Ranked, y: Ranked) -> Correlation:
    """Both coefficients, and what they are in the resamples.

    Examples
    --------
    >>> weights = np.random.default_rng(0).multinomial(40, np.full(40, 1 / 40), 200).astype(float)
    >>> x = Ranked(np.arange(40.0), np.arange(40), weights)
    >>> str(correlate(x, Ranked(np.arange(40.0) ** 3, x.point, weights)).tau.measured())
    '1 [1, 1]'
    >>> correlate(x, Ranked(np.zeros(40), x.point, weights)).tau.why
    'all of the second are 0'
    """
    n = len(x.values)
    reason = why_undefined(x.values, y.values)
    if reason:
        return Correlation(undefined(reason, n), undefined(reason, n))
    tau = float(stats.kendalltau(x.values, y.values, variant="b").statistic)
    rho = float(stats.spearmanr(x.values, y.values).statistic)
    return Correlation(Sampled(tau, _taus(x, y), n), Sampled(rho, _rhos(x, y), n))


def why_undefined(x: np.ndarray, y: np.ndarray) -> str:
    """Why two variables have no correlation; empty if they have one."""
    if len(x) == 0:
        return "nothing was counted"
    for which, values in (("first", x), ("second", y)):
        if (values == values[0]).all():
            return f"all of the {which} are {values[0]:g}"
    if len(np.unique(np.stack([x, y], 1), axis=0)) < 3:
        return "fewer than 3 distinct pairs"
    return ""


def tied_pairs(values: np.ndarray) -> float | None:
    """The share of the pairs of observations that are equal; None of fewer than two.

    Examples
    --------
    >>> tied_pairs(np.array([0, 0, 0, 1]))
    0.5
    """
    n = len(values)
    if n < 2:
        return None
    counts = np.unique(values, return_counts=True)[1].astype(np.float64)
    return float((counts * (counts - 1)).sum() / (n * (n - 1)))


def _taus(x: Ranked, y: Ranked) -> np.ndarray:
    """(resample,)"""
    starts = np.flatnonzero(np.diff(x.point, prepend=-1))
    agree = (x.signs * y.signs).astype(np.float32)
    if len(starts) < len(x.point):
        agree = np.add.reduceat(np.add.reduceat(agree, starts, 0), starts, 1)
    drawn = x.weights[:, x.point[starts]].astype(np.float32)  # whole numbers that single precision holds, but for rounding in sums
    return quotient(np.einsum("rp,rp->r", drawn @ agree, drawn, dtype=np.float64), x.untied, y.untied)


def _rhos(x: Ranked, y: Ranked) -> np.ndarray:
    """(resample,)"""
    return quotient(np.einsum("ro,ro,ro->r", x.drawn, x.ranks, y.ranks), x.spread, y.spread)


def quotient(above: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """above / sqrt(x y), NaN where one of them is zero."""
    there = x * y > 0
    found: np.ndarray = np.where(there, np.clip(above / np.sqrt(np.where(there, x * y, 1.0)), -1.0, 1.0), np.nan)
    return found
