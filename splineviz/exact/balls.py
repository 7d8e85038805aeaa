"""Whole numbers that are known up to a bound, and what can be said of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.exact.fields import MODULUS
from splineviz.geometry.answers import UnsureError

__all__ = ["NOWHERE", "Ball", "Crossing", "Line", "balls", "crossing", "through", "value_at"]


_ANYTHING = 1 << 4096
"""Above all numbers that float64 has, times what they are scaled by"""


@dataclass(frozen=True, slots=True)
class Ball:
    """A number within ``radius`` of ``middle``. Comparisons are with 0."""

    middle: int
    radius: int = 0
    residue: int | None = None
    """By `fields.MODULUS`, where known, of the number or of all numbers of its line or point times one other:
    with it zero is told from what is close"""

    def __add__(self, other: Ball) -> Ball:
        a, b = self.residue, other.residue
        residue = None if a is None or b is None else (a + b) % MODULUS
        return Ball(self.middle + other.middle, self.radius + other.radius, residue)

    def __sub__(self, other: Ball) -> Ball:
        a, b = self.residue, other.residue
        residue = None if a is None or b is None else (a - b) % MODULUS
        return Ball(self.middle - other.middle, self.radius + other.radius, residue)

    def __neg__(self) -> Ball:
        return Ball(-self.middle, self.radius, None if self.residue is None else -self.residue % MODULUS)

    def __mul__(self, other: Ball) -> Ball:
        a, b = self.middle, other.middle
        radius = abs(a) * other.radius + abs(b) * self.radius + self.radius * other.radius
        r, s = self.residue, other.residue
        return Ball(a * b, radius, None if r is None or s is None else r * s % MODULUS)

    def __abs__(self) -> Ball:
        return -self if self < 0 else self

    def __gt__(self, zero: int) -> bool:
        return self._sign() > zero

    def __lt__(self, zero: int) -> bool:
        return self._sign() < zero

    def _sign(self) -> int:
        if abs(self.middle) > self.radius or self.radius == 0:
            return (self.middle > 0) - (self.middle < 0)
        if self.residue == 0:
            return 0
        raise UnsureError


def balls(
    high: Float64[np.ndarray, "n"],
    low: Float64[np.ndarray, "n"],
    minus: Float64[np.ndarray, "n"],
    error: Float64[np.ndarray, "n"],
    shift: Int64[np.ndarray, "n"],
) -> list[Ball]:
    """Numbers high + low - minus, up to errors, each times 2^shift."""
    known = np.isfinite(high + low + minus + error)
    columns = (_scaled(np.where(known, x, 0.0), shift) for x in (high, low, minus, error))
    # Each of the four is less than 1 too small.
    return [
        Ball(a + b - c, radius + 4) if sure else Ball(0, _ANYTHING)
        for sure, a, b, c, radius in zip(known.tolist(), *columns, strict=True)
    ]


def _scaled(x: Float64[np.ndarray, "n"], shift: Int64[np.ndarray, "n"]) -> list[int]:
    """x times 2^shift, rounded down to whole numbers; exact where that is one."""
    mantissa, power = np.frexp(x)
    whole, left = (mantissa * 2.0**53).astype(np.int64), power - 53 + shift
    pairs = zip(whole.tolist(), left.tolist(), strict=True)
    return [number << places if places >= 0 else number >> -places for number, places in pairs]


Line = tuple[Ball, Ball, Ball]
"""(c, p, q): the affine function c + p u + q v of the plane, times a positive number"""


def through(a: tuple[float, float], b: tuple[float, float]) -> Line:
    """The line through two points."""
    (ax, bx), (ay, by) = _common(a[0], b[0]), _common(a[1], b[1])
    (px, sx), (qx, _), (py, sy), (qy, _) = ax, bx, ay, by
    # c + p u + q v with p = ay - by, q = bx - ax, c = ax by - bx ay, of whole numbers over 2^sx and 2^sy
    c, p, q = px * qy - qx * py, py - qy, qx - px
    return Ball(c), Ball(p << sx), Ball(q << sy)


def _common(*numbers: float) -> list[tuple[int, int]]:
    """Whole numbers over one power of two, and its exponent."""
    ratios = [x.as_integer_ratio() for x in numbers]
    shift = max(q.bit_length() - 1 for _, q in ratios)
    return [(p << (shift - (q.bit_length() - 1)), shift) for p, q in ratios]


Crossing = tuple[Ball, Ball, Ball]
"""(X, Y, W), W > 0, of the point (X / W, Y / W)"""

NOWHERE: Crossing = (Ball(0, _ANYTHING), Ball(0, _ANYTHING), Ball(0, _ANYTHING))
"""A point of which nothing is known"""


def crossing(first: Line, second: Line) -> Crossing:
    """The point in which two lines cross.

    Raises
    ------
    UnsureError
        If they may be parallel.
    """
    (c, p, q), (d, r, s) = first, second
    w = p * s - q * r
    x, y = q * d - c * s, c * r - p * d
    if not (w > 0 or w < 0):
        raise UnsureError
    return (-x, -y, -w) if w < 0 else (x, y, w)


def value_at(function: Line, point: Crossing) -> Ball:
    """Value of an affine function at a point, times W and what the function is times."""
    (c, p, q), (x, y, w) = function, point
    return c * w + p * x + q * y
