"""Curves of means over training: with intervals, where they turn, and whether two curves turn alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from jaxtyping import Float64
from scipy import stats

from splineviz.validation.agreement import Agreement, agreement_of
from splineviz.validation.cluster_bootstrap import resampled_means
from splineviz.validation.measured import LEVEL, Measured, Sampled, undefined
from splineviz.validation.quantities import estimates, exact_counts, pairs
from splineviz.validation.ranks import Correlation, quotient, why_undefined
from splineviz.validation.study import Study

__all__ = ["SMALLEST_MOVE", "Course", "Move", "across_checkpoints", "along_points", "courses", "moves"]

SMALLEST_MOVE = 0.1
"""Share of the range of a mean curve: what is less is no move, however certain."""


@dataclass(frozen=True, eq=False)
class Course:
    """The mean of a quantity at each checkpoint, over the planes and points that were counted."""

    radius: int
    quantity: str
    mean: Float64[np.ndarray, "checkpoint"]
    resampled: Float64[np.ndarray, "resample checkpoint"]
    sample: int

    @cached_property
    def moves(self) -> list[Move]:
        """See :func:`moves`."""
        return moves(self)

    @property
    def double_descent(self) -> bool:
        """Whether it falls, rises and falls."""
        return sum(move.change.value < 0 for move in self.moves if move.change.value is not None) >= 2

    def band(self) -> list[Measured]:
        """Each mean with its own interval."""
        return [
            Sampled(float(m), r, self.sample, "nothing was counted").measured()
            for m, r in zip(self.mean, self.resampled.T, strict=True)
        ]


@dataclass(frozen=True)
class Move:
    """A rise or a fall of a mean curve from one checkpoint to another."""

    start: int
    end: int
    change: Measured
    """Change with the simultaneous interval, of all pairs of checkpoints."""


def courses(study: Study, weights: Float64[np.ndarray, "resample point"]) -> list[Course]:
    """Curves of the estimates and of the exact counts, for each radius; from the same neighbourhoods and the
    same resamples."""
    made = []
    for name, values in (estimates(study) | exact_counts(study)).items():
        there = np.where(study.counted, values, np.nan)
        mean, resampled = resampled_means(there, weights)
        made += [
            Course(r, name, mean[:, r], resampled[:, :, r], int(study.counted[:, r].sum()))
            for r in range(study.n_radii)
        ]
    return made


def moves(course: Course) -> list[Move]:
    """The longest alternation of rises and falls of a mean curve that are significant and not small.

    A move from checkpoint a to a later b counts if the simultaneous interval of all differences of two
    checkpoints excludes zero (it reaches as many standard errors as the quantile of the largest of all
    deviations in the resamples), and if it is at least a tenth of the curve's range. Of the longest
    alternations the one of the largest moves is taken. A double descent is a fall, a rise, a fall.

    Notes
    -----
    Resamples are of points, so that the test says whether the mean over all such points moves in this run of
    training, and nothing of another run.
    """
    mean, n = course.mean, len(course.mean)
    if np.isnan(mean).any() or n < 2 or np.isnan(course.resampled).any():
        return []
    change = mean[None, :] - mean[:, None]
    deviation = course.resampled[:, None, :] - course.resampled[:, :, None] - change
    error = deviation.std(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        largest = np.nanmax(np.where(error > 0, np.abs(deviation) / error, 0.0), axis=(1, 2))
    reach = np.quantile(largest, LEVEL) * error
    real = (np.abs(change) > reach) & (np.abs(change) >= SMALLEST_MOVE * np.ptp(mean))
    return [
        Move(a, b, Measured(float(d), float(d - h), float(d + h), course.sample))
        for a, b in _longest(change, np.triu(real, 1))
        for d, h in [(change[a, b], reach[a, b])]
    ]


def _longest(change: np.ndarray, real: np.ndarray) -> list[tuple[int, int]]:
    """Alternating moves, each from where the last one ended: as many as there can be, then as large as there
    can be."""
    best: dict[tuple[int, bool], tuple[int, float, list[tuple[int, int]]]] = {}
    for b, rising in product(range(len(change)), (False, True)):
        for a in np.flatnonzero(real[:, b] & ((change[:, b] > 0) == rising)):
            count, size, path = best.get((int(a), not rising), (0, 0.0, []))
            candidate = (count + 1, size + abs(float(change[a, b])), [*path, (int(a), b)])
            if candidate[:2] > best.get((b, rising), (0, 0.0, []))[:2]:
                best[b, rising] = candidate
    return max(best.values(), key=lambda entry: entry[:2])[2] if best else []


def across_checkpoints(study: Study, made: list[Course]) -> list[Agreement]:
    """Rank correlations of mean curves over the checkpoints; resamples are of points, the checkpoints are
    what they are."""
    by_name = {(course.radius, course.quantity): course for course in made}
    cases = product(range(study.n_radii), pairs(study))
    return [agreement_of(_of_curves(by_name[r, x], by_name[r, y]), r, None, x, y) for r, (x, y) in cases]


def along_points(study: Study, weights: Float64[np.ndarray, "resample point"]) -> list[Agreement]:
    """Agreement over checkpoints for each point by itself, the mean of its planes at each checkpoint: means
    of the coefficients over the points."""
    if study.n_checkpoints < 3:
        return []
    there = np.asarray(study.counted.all((0, 2)))  # (radius, point)
    x, y = estimates(study), exact_counts(study)
    rows = []
    for radius, (estimate, exact) in product(range(study.n_radii), pairs(study)):
        a, b = (
            np.where(there[radius], values[:, radius].mean(1), 0.0).T for values in (x[estimate], y[exact])
        )
        found = Correlation(*(_mean_over_points(of(a, b), weights) for of in (_taus, _rhos)))
        rows.append(agreement_of(found, radius, None, estimate, exact))
    return rows


def _mean_over_points(coefficients: np.ndarray, weights: np.ndarray) -> Sampled:
    """Mean of (point,) coefficients, NaN where they are undefined."""
    defined = ~np.isnan(coefficients)
    n, whole = int(defined.sum()), np.where(defined, coefficients, 0.0)
    if not n:
        return undefined(
            "undefined for every point: nothing changes, or was counted throughout", len(coefficients)
        )
    drawn = weights @ defined
    resampled = np.where(drawn > 0, weights @ whole / np.maximum(drawn, 1), np.nan)
    lost = len(coefficients) - n
    note = f"undefined for {lost} of {len(coefficients)} points" if lost else ""
    return Sampled(whole.sum() / n, resampled, n, note=note)


def _of_curves(x: Course, y: Course) -> Correlation:
    n = len(x.mean)
    if n < 3:
        reason = f"{n} checkpoint{'s' * (n > 1)}: at least 3 are needed"
    elif np.isnan(x.mean).any() or np.isnan(y.mean).any():
        reason = "a checkpoint where nothing was counted"
    else:
        reason = why_undefined(x.mean, y.mean)
    if reason:
        return Correlation(undefined(reason, n), undefined(reason, n))
    a, b = (np.vstack([course.mean[None], course.resampled]) for course in (x, y))
    tau, rho = _taus(a, b), _rhos(a, b)
    return Correlation(Sampled(float(tau[0]), tau[1:], n), Sampled(float(rho[0]), rho[1:], n))


def _taus(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Kendall's tau-b of each row."""
    x, y = (np.sign(m[:, :, None] - m[:, None, :]).reshape(len(m), -1) for m in (a, b))
    return quotient((x * y).sum(1), (x**2).sum(1), (y**2).sum(1))


def _rhos(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Spearman's rho of each row."""
    x, y = (stats.rankdata(m, axis=1) - (m.shape[1] + 1) / 2 for m in (a, b))
    return quotient((x * y).sum(1), (x**2).sum(1), (y**2).sum(1))
