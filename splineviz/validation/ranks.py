"""Kendall's tau-b and Spearman's rho of counts with many ties, also in each of a thousand resamples of the
points.

A resample is a weight for each point, and both coefficients are functions of weights, so that nothing is ever
sorted again. With s(a, b) the sign of the difference of two observations, and observations drawn w times,

    tau-b = sum w_a w_b s_x s_y / sqrt(sum w_a w_b s_x^2  sum w_a w_b s_y^2),

a quadratic form in the weights of the points: exactly tau-b of the resampled data. Copies of one observation
are tied in both, and so count nowhere. Mid-ranks are cumulative sums of the weights of the distinct values.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64, Shaped
from scipy import stats

from splineviz.validation.measured import Sampled, undefined

__all__ = [
    "Correlation",
    "Drawn",
    "Ranked",
    "correlate",
    "kendall",
    "quotient",
    "spearman",
    "tied_pairs",
    "why_undefined",
]


@dataclass(frozen=True)
class Correlation:
    """Both coefficients of one pair."""

    tau: Sampled
    spearman: Sampled


@dataclass(frozen=True, eq=False)
class Drawn:
    """Observations, and how often they are drawn: what variables that are compared share.

    Attributes
    ----------
    counted
        Which observations there are.
    weights
        How often each point is drawn in each resample.
    """

    counted: Bool[np.ndarray, "plane point"]
    weights: Float64[np.ndarray, "resample point"]

    @cached_property
    def point(self) -> np.ndarray:
        """(observation,) the point of each."""
        return np.asarray(np.nonzero(self.counted)[1])

    @cached_property
    def copies(self) -> Float64[np.ndarray, "resample observation"]:
        """Number of times that each observation is drawn in each resample."""
        return np.asarray(self.weights[:, self.point])

    @cached_property
    def single(self) -> np.ndarray:
        """The weights in single precision, which holds such whole numbers."""
        return self.weights.astype(np.float32)


@dataclass(frozen=True, eq=False)
class Ranked:
    """One variable, and what can be known of it once for all that it is compared with."""

    grid: Shaped[np.ndarray, "plane point"]
    drawn: Drawn

    @cached_property
    def values(self) -> np.ndarray:
        """(observation,) those that are counted."""
        return np.asarray(self.grid[self.drawn.counted], dtype=np.float64)

    @cached_property
    def order(self) -> np.ndarray:
        """(observation,) place among the distinct values."""
        return np.asarray(np.unique(self.values, return_inverse=True)[1]).astype(np.int32)

    @cached_property
    def signs(self) -> np.ndarray:
        """(plane, plane, point, point) int8: of the difference of two observations; 0 where one is not
        counted."""
        counted = self.drawn.counted
        place = np.zeros(counted.shape, dtype=np.int32)
        place[counted] = self.order
        found: np.ndarray = np.sign(place[:, None, :, None] - place[None, :, None, :]).astype(np.int8)
        if not counted.all():
            found *= counted[:, None, :, None] & counted[None, :, None, :]
        return found

    @cached_property
    def _shares(self) -> np.ndarray:
        """(resample, distinct value) observations that have it."""
        held = np.zeros((self.drawn.weights.shape[1], int(self.order.max()) + 1))
        np.add.at(held, (self.drawn.point, self.order), 1.0)
        return np.asarray(self.drawn.weights @ held)

    @cached_property
    def untied(self) -> Float64[np.ndarray, "resample"]:
        """Ordered pairs of observations that differ."""
        return np.asarray(self._shares.sum(1) ** 2 - (self._shares**2).sum(1))

    @cached_property
    def ranks(self) -> Float64[np.ndarray, "resample observation"]:
        """Mid-ranks in each resample, less their mean: half of what is below less half of what is above."""
        below = np.cumsum(self._shares, 1)
        centred = below - 0.5 * self._shares - 0.5 * below[:, -1:]
        return np.asarray(centred[:, self.order])

    @cached_property
    def weighted(self) -> Float64[np.ndarray, "resample observation"]:
        """Ranks times copies."""
        return np.asarray(self.drawn.copies * self.ranks)

    @cached_property
    def spread(self) -> Float64[np.ndarray, "resample"]:
        """Sum of the squares of the ranks of what is drawn."""
        return np.asarray(np.einsum("ro,ro->r", self.weighted, self.ranks))


def correlate(x: Ranked, y: Ranked) -> Correlation:
    """Both coefficients of two variables of the same observations, and what they are in the resamples.

    Examples
    --------
    >>> weights = np.random.default_rng(0).multinomial(40, np.full(40, 1 / 40), 200).astype(float)
    >>> drawn = Drawn(np.ones((1, 40), dtype=bool), weights)
    >>> rising = np.arange(40.0)[None]
    >>> x, y, z = (Ranked(values, drawn) for values in (rising, rising**3, np.zeros((1, 40))))
    >>> str(correlate(x, y).tau.measured()), correlate(x, z).tau.why
    ('1 [1, 1]', 'all of the second are 0')
    """
    return Correlation(kendall(x, y), spearman(x, y))


def kendall(x: Ranked, y: Ranked) -> Sampled:
    """Rank correlation tau-b."""
    reason = why_undefined(x.values, y.values)
    if reason:
        return undefined(reason, len(x.values))
    agree = (x.signs * y.signs).sum((0, 1), dtype=np.int16).astype(np.float32)
    drawn = x.drawn.single
    resampled = quotient((drawn @ agree * drawn).sum(1, dtype=np.float64), x.untied, y.untied)
    return Sampled(
        float(stats.kendalltau(x.values, y.values, variant="b").statistic), resampled, len(x.values)
    )


def spearman(x: Ranked, y: Ranked) -> Sampled:
    """Rank correlation rho, of mid-ranks."""
    reason = why_undefined(x.values, y.values)
    if reason:
        return undefined(reason, len(x.values))
    resampled = quotient(np.einsum("ro,ro->r", x.weighted, y.ranks), x.spread, y.spread)
    return Sampled(float(stats.spearmanr(x.values, y.values).statistic), resampled, len(x.values))


def why_undefined(x: np.ndarray, y: np.ndarray) -> str:
    """Reason why two variables have no correlation; empty if they have one."""
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


def quotient(above: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """above / sqrt(x y), NaN where one of them is zero."""
    there = x * y > 0
    found: np.ndarray = np.where(
        there, np.clip(above / np.sqrt(np.where(there, x * y, 1.0)), -1.0, 1.0), np.nan
    )
    return found
