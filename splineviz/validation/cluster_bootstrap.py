"""The cluster bootstrap: points are drawn with replacement, each with all of its planes, frames, radii and
checkpoints."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Shaped

from splineviz.validation.measured import Sampled, undefined

__all__ = ["mean_over_points", "point_weights", "ratio", "resampled_means"]


def point_weights(n_points: int, resamples: int, seed: int) -> Float64[np.ndarray, "resample point"]:
    """Numbers of times that each point is drawn in each resample.

    Examples
    --------
    >>> point_weights(5, 3, seed=0).sum(1).tolist()
    [5.0, 5.0, 5.0]
    """
    drawn = np.random.default_rng(seed).multinomial(n_points, np.full(n_points, 1 / n_points), size=resamples)
    return drawn.astype(np.float64)


def resampled_means(
    values: Shaped[np.ndarray, "*group plane point"], weights: Float64[np.ndarray, "resample point"]
) -> tuple[Float64[np.ndarray, "*group"], Float64[np.ndarray, "resample *group"]]:
    """Means over planes and points, NaN left out, and the same in each resample; NaN where nothing is
    left."""
    total, count = np.nansum(values, -2), (~np.isnan(values)).sum(-2)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.asarray(total.sum(-1) / count.sum(-1))
        resampled = np.moveaxis((total @ weights.T) / (count @ weights.T), -1, 0)
    return mean, resampled


def mean_over_points(
    values: Shaped[np.ndarray, "plane point"], weights: Float64[np.ndarray, "resample point"]
) -> Sampled:
    """The mean over planes and points, NaN left out."""
    mean, resampled = resampled_means(values, weights)
    return Sampled(float(mean), resampled, int((~np.isnan(values)).sum()), "nothing was counted")


def ratio(
    above: Shaped[np.ndarray, "point"],
    below: Shaped[np.ndarray, "point"],
    weights: Float64[np.ndarray, "resample point"],
    sample: int,
    reason: str,
) -> Sampled:
    """The sum of one quantity over that of another, both given by point; undefined, for that ``reason``, if
    the latter is zero."""
    if not below.sum():
        return undefined(reason, sample)
    numerator, denominator = weights @ above, weights @ below
    there = denominator != 0
    resampled = np.where(there, numerator / np.where(there, denominator, 1.0), np.nan)
    return Sampled(float(above.sum() / below.sum()), resampled, sample)
