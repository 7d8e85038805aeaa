"""Statistics of a column: mean with a bootstrap interval over points, median, zeros."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from splineviz.estimators.metrics.metric import Column

__all__ = ["Summary", "summary"]

_RESAMPLES = 2000


@dataclass(frozen=True)
class Summary:
    """Statistics of one column over its points.

    Attributes
    ----------
    metric, stage, radius, directions
        As in :class:`splineviz.estimators.metrics.metric.Column`.
    points
        How many.
    mean, interval
        Mean, and its 95 % percentile-bootstrap interval; None where all values are one, up to rounding.
    share_of_zeros
        Of the values.
    exact_zeros
        Sum of the exact zeros of the proxy; None where they were not counted.
    """

    metric: str
    stage: str
    radius: float | None
    directions: int | None
    points: int
    mean: float
    interval: tuple[float, float] | None
    median: float
    share_of_zeros: float
    exact_zeros: int | None


def summary(column: Column, seed: int) -> Summary:
    """Statistics of a column, with the resamples of a seed.

    Examples
    --------
    >>> found = summary(Column("lc", "all", np.array([0, 1, 1, 2])), seed=0)
    >>> found.mean, found.interval, found.share_of_zeros
    (1.0, (0.25, 1.75), 0.25)
    """
    values = column.values.astype(np.float64)
    return Summary(
        metric=column.metric,
        stage=column.stage,
        radius=column.radius,
        directions=column.directions,
        points=len(values),
        mean=float(values.mean()),
        interval=_interval(values, seed),
        median=float(np.median(values)),
        share_of_zeros=float((values == 0).mean()),
        exact_zeros=None if column.zeros is None else int(column.zeros.sum()),
    )


def _interval(values: np.ndarray, seed: int) -> tuple[float, float] | None:
    """The 95 % percentile-bootstrap interval of the mean of values (point,)."""
    from scipy import stats

    if not np.ptp(values) > 1e-12 * np.abs(values).max():  # one number, up to rounding, or NaN
        return None
    generator = np.random.default_rng(seed)
    how = {"n_resamples": _RESAMPLES, "batch": 100, "method": "percentile"}
    low, high = stats.bootstrap((values,), np.mean, rng=generator, **how).confidence_interval
    return float(low), float(high)
