"""Moments of affine values under a Gaussian weight, over triangles, with proven remainders.

Closed forms by erf and Owen's T lose the digits of small cells far from the centre, where they are sums of
numbers near 1 that cancel. So triangles are cut in two until a rule of degree 5 is good enough. Along a way
from the centroid, of length r in standard deviations, the weight is that of one dimension times a constant of
at most 1, and its n-th derivative is at most r^n |He_n(s)| e^(-s^2 / 2). Cramér's inequality, |He_n(s)|
e^(-s^2 / 4) <= K sqrt(n!) with K < 1.09 (G. Szegő, Orthogonal Polynomials, 1939, section 8.91), bounds its
Taylor coefficients by K r^n / sqrt(n!) e^(-d^2 / 4), at a distance d from the centre or farther. Times those
of an affine function, or of its square, they bound the sixth coefficient of the product, and the remainder.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.deadline import check_time
from splineviz.geometry.rounding import SAFE, UNIT_ROUNDOFF
from splineviz.measures.softmax_means import TRIANGLE

__all__ = [
    "GaussianMoments",
    "WeightedTriangles",
    "bisected",
    "extent",
    "gaussian_moments",
    "rounding",
    "weight_coefficients",
]

_CRAMER = 1.09
_BATCH = 1 << 14
_MOST = 1 << 22
"""Triangles that are looked at, all in all; what is left then keeps its remainder"""

_TAIL = UNIT_ROUNDOFF / 8.0
"""A mass that counts as nothing"""
_RADIUS = math.sqrt(-2.0 * math.log(_TAIL))
"""In standard deviations, beyond which there is no more than that"""


@dataclass(frozen=True, eq=False)
class WeightedTriangles:
    """Triangles in standard deviations from the centre, with values that are affine on each."""

    corners: Float64[np.ndarray, "triangle 3 2"]
    areas: Float64[np.ndarray, "triangle"]
    values: Float64[np.ndarray, "triangle 3 value"]
    parts: Int64[np.ndarray, "triangle"]
    """Which part of what is measured each belongs to"""

    def take(self, rows: np.ndarray) -> WeightedTriangles:
        """Some of them."""
        return WeightedTriangles(self.corners[rows], self.areas[rows], self.values[rows], self.parts[rows])

    @property
    def halves(self) -> WeightedTriangles:
        """Each cut in two across its longest side."""
        rows = np.arange(len(self.areas))
        sides = np.hypot(*(np.roll(self.corners, -1, axis=1) - self.corners).transpose(2, 0, 1))
        one = sides.argmax(1)
        other = (one + 1) % 3

        def cut(x: np.ndarray) -> np.ndarray:
            near, far, middle = x.copy(), x.copy(), 0.5 * (x[rows, one] + x[rows, other])
            near[rows, other], far[rows, one] = middle, middle
            return np.concatenate([near, far])

        areas, parts = np.tile(0.5 * self.areas, 2), np.tile(self.parts, 2)
        return WeightedTriangles(cut(self.corners), areas, cut(self.values), parts)


@dataclass(frozen=True, eq=False)
class GaussianMoments:
    """Integrals of a Gaussian density of mass 1 over the plane, and of values and their squares under it."""

    masses: Float64[np.ndarray, "part"]
    """Of each part"""
    firsts: Float64[np.ndarray, "value"]
    squares: Float64[np.ndarray, "value"]
    largest: Float64[np.ndarray, "value"]
    """Of the absolute values"""
    mass_error: float
    """Of all masses together"""
    first_errors: Float64[np.ndarray, "value"]
    square_errors: Float64[np.ndarray, "value"]


def gaussian_moments(triangles: WeightedTriangles, n_parts: int, tolerance: float) -> GaussianMoments:
    """Cut triangles until their remainders add up to about ``tolerance``, or to less.

    Values and squares may be off by that times the largest value, and its square. What is farther from the
    centre than R has a mass of at most e^(-R^2 / 2), and counts as nothing where that is below a roundoff:
    else a Gaussian that is small beside the slice would be followed to where float64 ends.
    """
    n_values, size = triangles.values.shape[2], np.abs(triangles.values).max((0, 1), initial=0.0)
    masses, sums, errors = np.zeros(n_parts), np.zeros(2 * n_values), np.zeros(1 + 2 * n_values)
    scale = np.concatenate([[1.0], size, size**2])
    for done, remainders in bisected(triangles, _remainders, scale, tolerance):
        mass, found = _rule(done)
        masses += np.bincount(done.parts, weights=mass, minlength=n_parts)
        sums += found
        errors += np.abs(done.areas) @ remainders
    errors = SAFE * (errors + rounding(triangles) * scale)
    return GaussianMoments(
        masses,
        sums[:n_values],
        sums[n_values:],
        size,
        float(errors[0]),
        errors[1 : 1 + n_values],
        errors[1 + n_values :],
    )


def bisected(
    triangles: WeightedTriangles,
    remainders_of: Callable[[WeightedTriangles], np.ndarray],
    scale: Float64[np.ndarray, "integrand"],
    tolerance: float,
) -> Iterator[tuple[WeightedTriangles, Float64[np.ndarray, "triangle integrand"]]]:
    """Triangles cut in two until remainders of means over them add up to about ``tolerance`` times ``scale``,
    some at a time, with their remainders (T, integrands); those beyond all that counts are left out, for
    which there is `rounding`."""
    whole = min(float(np.abs(triangles.areas).sum()), math.pi * _RADIUS**2)
    starts = range(0, len(triangles.areas), _BATCH)
    waiting = deque(triangles.take(np.arange(k, min(k + _BATCH, len(triangles.areas)))) for k in starts)
    looked_at = 0
    while waiting:
        check_time()
        batch = waiting.popleft()
        looked_at += len(batch.areas)
        _, near = extent(batch)
        if (near > _RADIUS).any():
            batch, near = batch.take(np.flatnonzero(near <= _RADIUS)), near[near <= _RADIUS]
        remainders = remainders_of(batch)
        # Half of what is allowed goes by area, half by the weight, whose square root has the mass 4 pi.
        allowed = tolerance * (0.5 / whole + np.exp(-0.25 * near**2) / (8.0 * math.pi))
        coarse = (remainders > allowed[:, None] * np.where(scale > 0, scale, 1.0)).any(1) & (
            looked_at < _MOST
        )
        if coarse.any():
            halves = batch.take(np.flatnonzero(coarse)).halves
            middle = len(halves.areas) // 2
            waiting += [halves.take(np.arange(middle)), halves.take(np.arange(middle, len(halves.areas)))]
        yield batch.take(np.flatnonzero(~coarse)), remainders[~coarse]


def rounding(triangles: WeightedTriangles) -> float:
    """What rounding makes of an integral, in units of the largest value: exponents, nodes and sums are off by
    no more than hundreds of roundoffs of what they are of. With it goes the mass of what is left out."""
    far = 1.0 + float(np.hypot(*triangles.corners.T).max(initial=0.0))
    mass = min(1.0, float(np.abs(triangles.areas).sum()))
    return 512.0 * UNIT_ROUNDOFF * far * mass + (_TAIL if far > _RADIUS else 0.0)


def weight_coefficients(triangles: WeightedTriangles, orders: int) -> Float64[np.ndarray, "triangle order"]:
    """(T, orders) bounds of the Taylor coefficients of the weight along ways from the centroids, from order
    0."""
    reach, near = extent(triangles)
    factor = SAFE * _CRAMER / (2.0 * math.pi) * np.exp(-0.25 * near**2)
    columns = [factor * reach**n / math.sqrt(math.factorial(n)) for n in range(orders)]
    return np.column_stack(columns)


def _rule(triangles: WeightedTriangles) -> tuple[np.ndarray, np.ndarray]:
    """Masses (T,) of triangles, and sums (2 C,) of the integrals of values and of squares."""
    x = TRIANGLE.nodes @ triangles.corners
    density = np.exp(-0.5 * np.square(x).sum(2)) / (2.0 * math.pi)
    weights = triangles.areas[:, None] * TRIANGLE.weights * density
    z = TRIANGLE.nodes @ triangles.values
    sums = [np.einsum("tq,tqc->tc", weights, power).sum(0) for power in (z, z * z)]
    return weights.sum(1), np.concatenate(sums)


def extent(triangles: WeightedTriangles) -> tuple[np.ndarray, np.ndarray]:
    """(T,) how far triangles reach from their centroids, and how near they are to the centre, at least."""
    centre = triangles.corners.mean(1)
    reach = np.sqrt(np.square(triangles.corners - centre[:, None]).sum(2).max(1))
    return reach, np.maximum(0.0, np.hypot(*centre.T) - reach)


def _remainders(triangles: WeightedTriangles) -> Float64[np.ndarray, "triangle integrand"]:
    """(T, 1 + 2 C) bounds of what means by the rule are off by: of density, values and squares."""
    four, five, six = TRIANGLE.remainder * weight_coefficients(triangles, 7).T[4:]
    middle = triangles.values.mean(1)
    largest = np.abs(triangles.values).max(1)
    step = np.abs(triangles.values - middle[:, None]).max(1)
    first = six[:, None] * largest + five[:, None] * step
    square = six[:, None] * largest**2 + 2.0 * five[:, None] * largest * step + four[:, None] * step**2
    return np.column_stack([six, first, square])
