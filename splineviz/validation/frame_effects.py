"""Effects of the choice of directions: of more of them, by a known factor; of others, by chance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float64, Shaped
from scipy import integrate, special

from splineviz.validation.cluster_bootstrap import ratio
from splineviz.validation.measured import Measured, Sampled, undefined
from splineviz.validation.study import Study

__all__ = ["FrameVariance", "Swept", "frame_variance", "largest_of", "sweep"]


@dataclass(frozen=True)
class Swept:
    """The proxy with P directions over that with 2, at one radius: over all frames, points and
    checkpoints."""

    radius: int
    directions: int
    mean: Measured
    ratio: Measured
    expected: float
    """m_P / m_2, what it is for small r."""


@dataclass(frozen=True)
class FrameVariance:
    """Variance of a count by where it comes from, at one radius, as mean over the checkpoints where there is
    any."""

    radius: int
    quantity: str
    frames: int
    share: Measured
    """Share of the variance that is from frame to frame at one point; the rest is from point to point."""
    of_mean: Measured
    """Standard deviation from frame to frame of the mean over all points, over that mean: what one shared
    frame does to a curve."""


def largest_of(directions: int) -> float:
    """m_P: the expected largest of P standard normal variables in absolute value.

    Examples
    --------
    >>> round(largest_of(1), 5), round(largest_of(25), 5)
    (0.79788, 2.25353)
    """
    return float(
        integrate.quad(lambda t: 1 - special.erf(t / math.sqrt(2)) ** directions, 0, 40, limit=200)[0]
    )


def sweep(study: Study, weights: Float64[np.ndarray, "resample point"]) -> list[Swept]:
    """Effect of more directions, for each radius and each P."""
    rows = []
    for radius, p in product(range(study.n_radii), study.directions):
        counts, two = (study.proxy(q)[:, radius].sum((0, 1)) for q in (p, 2))
        sample = study.n_checkpoints * study.n_frames * study.n_points
        mean = ratio(counts, np.full(len(counts), sample / study.n_points), weights, sample, "").measured()
        times = ratio(counts, two, weights, sample, "the proxy is 0 everywhere").measured()
        rows.append(Swept(radius, p, mean, times, largest_of(p) / largest_of(2)))
    return rows


def frame_variance(study: Study, weights: Float64[np.ndarray, "resample point"]) -> list[FrameVariance]:
    """Variance of the proxy for each P over the frames, and of R over the planes."""
    rows = []
    exact = study.exact("cells")
    for radius in range(study.n_radii):
        quantities = {f"P = {p}": study.proxy(p)[:, radius].astype(np.float64) for p in study.directions} | {
            "R": exact[:, radius]
        }
        for name, counts in quantities.items():
            there = ~np.isnan(counts).any((0, 1))
            share, of_mean = _variances(counts[..., there], weights[:, there])
            rows.append(FrameVariance(radius, name, counts.shape[1], share, of_mean))
    return rows


def _variances(
    counts: Shaped[np.ndarray, "checkpoint frame point"], weights: Float64[np.ndarray, "resample point"]
) -> tuple[Measured, Measured]:
    """One-way analysis of variance, its components summed over the checkpoints."""
    n_frames, n_points = counts.shape[1:]
    sample = counts.size
    if n_frames < 2 or n_points < 2:
        why = undefined(
            "one frame" if n_frames < 2 else "fewer than 2 points counted in all planes", sample
        ).measured()
        return why, why
    shares = _shares(counts, np.vstack([np.ones(n_points), weights]))
    share = Sampled(float(shares[0]), shares[1:], sample, "every count is the same").measured()
    curves = counts.mean(2)
    there = curves.mean(1) > 0
    if not there.any():
        return share, undefined("every count is 0", sample).measured()
    spread = float((curves.std(1, ddof=1)[there] / curves.mean(1)[there]).mean())
    return share, Measured(
        spread, None, None, sample, "no interval: resamples of points say nothing of other frames"
    )


def _shares(counts: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(resample,) unbiased components of the variance, each not below 0: within points over within and
    between points."""
    k, n = counts.shape[1:]
    mean, within = counts.mean(1), counts.var(1, ddof=1)
    inside = weights @ within.T / n
    means = weights @ mean.T / n
    between = (weights @ (mean**2).T / n - means**2) * n / (n - 1) - inside / k
    total = inside.sum(1) + np.maximum(between, 0.0).sum(1)
    found: np.ndarray = np.where(total > 0, inside.sum(1) / np.where(total > 0, total, 1.0), np.nan)
    return found
