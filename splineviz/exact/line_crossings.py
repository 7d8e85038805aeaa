"""Points in which lines of the plane cross, in numbers of two float64 with bounds of their errors."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

from splineviz.exact.two_floats import product_of, quotient_of, sum_of
from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.predicates import TINY
from splineviz.geometry.rounding import SAFE, UNIT_ROUNDOFF

__all__ = ["Lines", "Places", "cross_lines", "lines_through", "unknown_lines"]

_LOST = 2.0**-97
"""Above what an operation on two numbers of two float64 loses, relative to the numbers"""

_LEAST = 2.0**-250
"""Far above what underflows in functions whose largest coefficient is about 1, and far below any distance"""


class Lines(NamedTuple):
    """Affine functions c + p u + q v of uv, one in each column: the lines are where they vanish."""

    high: Float64[np.ndarray, "3 line"]
    """c, p and q, of which ``low`` is the rest"""
    low: Float64[np.ndarray, "3 line"]
    error: Float64[np.ndarray, "3 line"]
    """Bounds; infinite where nothing is known"""


class Places(NamedTuple):
    """Points of the plane, each up to a distance."""

    uv: Float64[np.ndarray, "point 2"]
    """Coordinates, of which ``low`` is the rest"""
    low: Float64[np.ndarray, "point 2"]
    distance: Float64[np.ndarray, "point"]
    """From the exact point, at most; infinite where nothing is known"""

    def only(self, rows: Int64[np.ndarray, "some"] | Bool[np.ndarray, "point"]) -> Places:
        """Some of the points."""
        return Places(*(column[rows] for column in self))

    def rounded(self) -> Float64[np.ndarray, "point"]:
        """Bounds of what is lost where ``low`` is left out."""
        rounded: np.ndarray = UNIT_ROUNDOFF * np.abs(self.uv).sum(1)
        return rounded


def unknown_lines(n: int) -> Lines:
    """Lines of which nothing is known yet."""
    return Lines(np.zeros((3, n)), np.zeros((3, n)), np.full((3, n), np.inf))


@kernel
def lines_through(a: Float64[np.ndarray, "line 2"], b: Float64[np.ndarray, "line 2"]) -> Lines:
    """The lines through two points each: c = a_u b_v - b_u a_v, p = a_v - b_v, q = b_u - a_u."""
    n = len(a)
    high, low, error = np.empty((3, n)), np.empty((3, n)), np.zeros((3, n))
    for i in range(n):
        # Coordinates of up to 1, and the function over what they were divided by.
        size = max(abs(a[i, 0]), abs(a[i, 1]), abs(b[i, 0]), abs(b[i, 1]))
        power = -math.frexp(size)[1]
        au, av = math.ldexp(a[i, 0], power), math.ldexp(a[i, 1], power)
        bu, bv = math.ldexp(b[i, 0], power), math.ldexp(b[i, 1], power)
        first, second = product_of(au, 0.0, b[i, 1], 0.0), product_of(bu, 0.0, a[i, 1], 0.0)
        high[0, i], low[0, i] = sum_of(first[0], first[1], -second[0], -second[1])
        error[0, i] = _LOST * (abs(first[0]) + abs(second[0])) + _LEAST * size + TINY
        high[1, i], low[1, i] = sum_of(av, 0.0, -bv, 0.0)
        high[2, i], low[2, i] = sum_of(bu, 0.0, -au, 0.0)
        error[1, i] = error[2, i] = _LEAST
    return Lines(high, low, error)


@kernel
def cross_lines(first: Lines, second: Lines) -> Places:
    """The point of each two lines: u = X / W and v = Y / W, with (X, Y, W) the vector product of the two.

    With errors dX and dW, X / W errs by (dX + |X / W| dW) / (|W| - dW), and by what the quotient loses.
    """
    n = first.high.shape[1]
    uv, rest, distance = np.zeros((n, 2)), np.zeros((n, 2)), np.full(n, np.inf)
    one, other = np.empty((3, 3)), np.empty((3, 3))
    for i in range(n):
        if not (_scaled(first, i, one) and _scaled(second, i, other)):
            continue
        w, w_low, w_error = _minor(one, other, 1, 2)
        certain = abs(w) - w_error
        if not certain > 0.0:
            continue
        total = 0.0
        for axis in range(2):
            # X = q_1 c_2 - c_1 q_2 and Y = c_1 p_2 - p_1 c_2
            x, x_low, x_error = _minor(one, other, 2, 0) if axis == 0 else _minor(one, other, 0, 1)
            high, low = quotient_of(x, x_low, w, w_low)
            uv[i, axis], rest[i, axis] = high, low
            total += (x_error + abs(high) * (1.0 + 1e-9) * w_error) / certain + _LOST * abs(high) + _LEAST
        distance[i] = SAFE * total if total < np.inf else np.inf
    return Places(uv, rest, distance)


@part()
def _scaled(lines: Lines, i: int, out: Float64[np.ndarray, "3 3"]) -> bool:
    """Write high and low parts and errors of a line's function times a power of two, so that its largest
    coefficient is about 1; whether it is known at all."""
    size = max(abs(lines.high[0, i]), abs(lines.high[1, i]), abs(lines.high[2, i]))
    if not (0.0 < size < np.inf):
        return False
    power = -math.frexp(size)[1]
    for k in range(3):
        high, low = sum_of(lines.high[k, i], 0.0, lines.low[k, i], 0.0)
        out[0, k], out[1, k] = math.ldexp(high, power), math.ldexp(low, power)
        out[2, k] = math.ldexp(lines.error[k, i], power) + _LEAST
        if not out[2, k] < np.inf:
            return False
    return True


@part()
def _minor(
    one: Float64[np.ndarray, "3 3"], other: Float64[np.ndarray, "3 3"], i: int, j: int
) -> tuple[float, float, float]:
    """(high, low, error) of one_i other_j - one_j other_i."""
    a, a_low = product_of(one[0, i], one[1, i], other[0, j], other[1, j])
    b, b_low = product_of(one[0, j], one[1, j], other[0, i], other[1, i])
    high, low = sum_of(a, a_low, -b, -b_low)
    error = _product_error(one, other, i, j) + _product_error(one, other, j, i)
    return high, low, SAFE * (error + _LOST * (abs(a) + abs(b)))


@part()
def _product_error(
    one: Float64[np.ndarray, "3 3"], other: Float64[np.ndarray, "3 3"], i: int, j: int
) -> float:
    """Bound of the error of one_i other_j that comes from those of the two."""
    error: float = abs(one[0, i]) * other[2, j] + abs(other[0, j]) * one[2, i] + one[2, i] * other[2, j]
    return error
