"""Means under a Gaussian weight, over what is measured: class shares, means, variances, squared errors,
cross-entropy."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from splineviz.geometry.rounding import SAFE, UNIT_ROUNDOFF
from splineviz.measures.asked import Weight
from splineviz.measures.deviation import Deviation, cut_error
from splineviz.measures.gaussian_log_sum_exp import gaussian_log_sum_exp
from splineviz.measures.gaussian_moments import GaussianMoments, WeightedTriangles, gaussian_moments
from splineviz.measures.parts import Parts
from splineviz.measures.result import Quantity, proven
from splineviz.measures.shares import ClassAreas

__all__ = ["gaussian_quantities"]


@dataclass(frozen=True)
class _Mass:
    """Mass of what is measured, by which means are normalised."""

    mass: float
    error: float

    def mean(self, total: float, error: float) -> tuple[float, float]:
        """A mean from an integral, and the error of both."""
        least = self.mass - self.error
        value = total / self.mass if self.mass > 0 else 0.0
        return value, SAFE * (error + abs(value) * self.error) / least if least > 0 else math.inf


def gaussian_quantities(
    weight: Weight,
    shares: ClassAreas,
    maps: Float64[np.ndarray, "cell output 3"],
    logits: Float64[np.ndarray, "cell logit 3"],
    middles: Float64[np.ndarray, "output"],
    truth: Sequence[tuple[np.ndarray, int]],
    target: Float64[np.ndarray, "output 3"] | None,
    tolerance: float,
) -> Iterator[Quantity]:
    """Rows of the table; moments are taken about ``middles``, so that variances keep their digits.

    The weight is at most 1 / (2 pi sigma^2), by which errors of integrals without it are multiplied.
    """
    density = 1.0 / (2.0 * math.pi * weight.sigma**2)
    about = maps.copy()
    about[:, :, 2] -= middles
    off = about[:, :0] if target is None else maps - target
    found = _moments(weight, shares.parts.cells, np.concatenate([about, off], axis=1), tolerance)
    deviation = shares.deviation
    whole = _Mass(float(found.masses.sum()), found.mass_error + density * deviation.integral(0.0, 1.0))
    yield Quantity("mass", whole.mass, "", proven(whole.error))
    yield from _shares(weight, shares, whole, truth, tolerance)
    means = [_first(found, k, whole, deviation, density) for k in range(len(found.firsts))]
    squares = [_square(found, k, whole, deviation, density) for k in range(len(found.firsts))]
    n_out = len(middles)
    for k, (middle, (mean, error)) in enumerate(zip(middles.tolist(), means, strict=False)):
        rounding = 4.0 * UNIT_ROUNDOFF * (abs(middle) + abs(mean))
        yield Quantity("mean", middle + mean, f"output {k}", proven(error + rounding))
    for k, ((mean, off_mean), (square, error)) in enumerate(zip(means[:n_out], squares, strict=False)):
        wrong = error + (2.0 * abs(mean) + off_mean) * off_mean
        yield Quantity("variance", square - mean**2, f"output {k}", proven(wrong))
    if target is not None:
        values, errors = zip(*squares[n_out:], strict=True)
        yield Quantity("mean squared error", float(np.mean(values)), "", proven(max(errors)))
        for k, (value, error) in enumerate(squares[n_out:]):
            yield Quantity("mean squared error", value, f"output {k}", proven(error))
    # The logits are the outputs; of a single output the first one is constant.
    n_constant = logits.shape[1] - n_out
    constant = logits[0, :n_constant, 2]
    sums = np.concatenate([constant * whole.mass, middles * whole.mass + found.firsts[:n_out]])
    errors = np.abs(np.concatenate([constant, middles])) * found.mass_error
    errors[n_constant:] += found.first_errors[:n_out]
    terms = _CrossEntropy.of(weight, shares, logits, tolerance, sums, errors)
    yield from terms.quantities(whole, truth)


@dataclass(frozen=True, eq=False)
class _CrossEntropy:
    """Integrals of log-sum-exp and of the logits under the weight."""

    weight: Weight
    shares: ClassAreas
    logits: Float64[np.ndarray, "cell logit 3"]
    tolerance: float
    log_sum_exp: float
    error: float
    """Of the integral of log-sum-exp, and of what corners and maps are off by in it and in a logit"""
    sums: Float64[np.ndarray, "logit"]
    errors: Float64[np.ndarray, "logit"]
    """Remainders of ``sums``"""

    @classmethod
    def of(
        cls,
        weight: Weight,
        shares: ClassAreas,
        logits: Float64[np.ndarray, "cell logit 3"],
        tolerance: float,
        sums: Float64[np.ndarray, "logit"],
        errors: Float64[np.ndarray, "logit"],
    ) -> _CrossEntropy:
        triangles = _weighted(weight, shares.parts.cells, logits)
        total, error = gaussian_log_sum_exp(triangles, tolerance)
        largest = 2.0 * float(np.abs(triangles.values).max(initial=0.0)) + math.log(logits.shape[1])
        deviation = shares.deviation.integral(2.0, largest) / (2.0 * math.pi * weight.sigma**2)
        return cls(weight, shares, logits, tolerance, total, error + deviation, sums, errors)

    def quantities(self, whole: _Mass, truth: Sequence[tuple[np.ndarray, int]]) -> Iterator[Quantity]:
        """Rows of the table."""
        if truth:
            mean, error = whole.mean(*self._against(truth))
            yield Quantity("cross-entropy", mean, "", proven(error), "nats")
        for k in range(len(self.sums)):
            mean, error = whole.mean(*self._against([(np.zeros((0, 4)), k)]))
            yield Quantity("cross-entropy", mean, f"class {k}", proven(error), "nats")

    def _against(self, truth: Sequence[tuple[np.ndarray, int]]) -> tuple[float, float]:
        """Integral of log-sum-exp minus the logit of the class that is right, and its error."""
        right, error = 0.0, self.error
        for half_planes, c in truth:
            if not len(half_planes):
                right += float(self.sums[c])
                error += float(self.errors[c])
                continue
            within = self.shares.parts.cells.within(half_planes)
            found = _moments(self.weight, within, self.logits[:, c : c + 1], self.tolerance)
            right += float(found.firsts[0])
            cut = float(found.largest[0]) * cut_error(within) / (2.0 * math.pi * self.weight.sigma**2)
            error += float(found.first_errors[0]) + cut
        rounding = 16.0 * UNIT_ROUNDOFF * (abs(self.log_sum_exp) + abs(right))
        return self.log_sum_exp - right, SAFE * error + rounding


def _moments(weight: Weight, parts: Parts, maps: np.ndarray, tolerance: float) -> GaussianMoments:
    """Moments over parts of cells, of values by the maps of all cells."""
    return gaussian_moments(_weighted(weight, parts, maps), len(parts.cells), tolerance)


def _weighted(weight: Weight, parts: Parts, maps: np.ndarray) -> WeightedTriangles:
    """The triangles of parts of cells, with values at their corners by the maps of all cells."""
    triangles, sigma = parts.triangles, weight.sigma
    return WeightedTriangles(
        (triangles.uv - weight.centre) / sigma,
        triangles.areas / sigma**2,
        triangles.values(maps[parts.cells[triangles.parts]]),
        triangles.parts,
    )


def _first(
    found: GaussianMoments, k: int, whole: _Mass, deviation: Deviation, density: float
) -> tuple[float, float]:
    """Mean of a value, and its error."""
    wrong = density * deviation.integral(1.0, float(found.largest[k]))
    return whole.mean(float(found.firsts[k]), float(found.first_errors[k]) + wrong)


def _square(
    found: GaussianMoments, k: int, whole: _Mass, deviation: Deviation, density: float
) -> tuple[float, float]:
    """Mean of the square of a value, and its error."""
    size = float(found.largest[k])
    wrong = density * deviation.integral(2.0 * size, size * size)
    return whole.mean(float(found.squares[k]), float(found.square_errors[k]) + wrong)


def _shares(
    weight: Weight,
    shares: ClassAreas,
    whole: _Mass,
    truth: Sequence[tuple[np.ndarray, int]],
    tolerance: float,
) -> Iterator[Quantity]:
    """Shares of the classes, and of where the class is right."""
    density, none = 1.0 / (2.0 * math.pi * weight.sigma**2), np.zeros((1, 0, 3))

    def masses(parts: Parts) -> tuple[np.ndarray, float]:
        maps = np.broadcast_to(none, (int(parts.cells.max(initial=0)) + 1, 0, 3))
        of = _moments(weight, parts, maps, tolerance)
        return np.bincount(parts.classes, weights=of.masses, minlength=len(shares.areas)), of.mass_error

    (one, wrong), (other, off) = (masses(parts) for parts in shares.parts.of_one_class)
    for c in np.flatnonzero(one + other).tolist():
        error = wrong + off + density * float(shares.misplaced[c])
        share, error = whole.mean(float(one[c] + other[c]), error)
        yield Quantity("share", share, f"class {c}", proven(error))
    if not truth:
        return
    right, error = 0.0, density * float(shares.misplaced[[c for _, c in truth]].max())
    for half_planes, c in truth:
        within = shares.parts.within(half_planes) if len(half_planes) else shares.parts
        for parts in within.of_one_class:
            of, off = masses(parts)
            right += float(of[c])
            error += off + (density * cut_error(parts) if len(half_planes) else 0.0)
    share, error = whole.mean(right, error)
    yield Quantity("accuracy", share, "", proven(error))
