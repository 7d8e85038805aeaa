"""Means under a Gaussian weight, over what is measured: class shares, means, variances, squared errors."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from splineviz.geometry.rounding import SAFE, UNIT_ROUNDOFF
from splineviz.measures.asked import Weight
from splineviz.measures.deviation import Deviation, cut_error
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


def _moments(weight: Weight, parts: Parts, maps: np.ndarray, tolerance: float) -> GaussianMoments:
    """Moments over parts of cells, of values by the maps of all cells."""
    triangles, sigma = parts.triangles, weight.sigma
    weighted = WeightedTriangles(
        (triangles.uv - weight.centre) / sigma,
        triangles.areas / sigma**2,
        triangles.values(maps[parts.cells[triangles.parts]]),
        triangles.parts,
    )
    return gaussian_moments(weighted, len(parts.cells), tolerance)


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
