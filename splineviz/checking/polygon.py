"""A convex polygon in exact arithmetic: its lines in order, so that numbers do not grow with every cut."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from splineviz.checking.polygon_checks import integers

__all__ = ["Polygon"]


@dataclass(frozen=True, eq=False)
class Polygon:
    """The points where all lines are at least zero; the lines follow each other counter-clockwise, each with
    a side of its own."""

    lines: tuple[tuple[int, int, int], ...]
    corners: tuple[tuple[int, int, int], ...]
    """Homogeneous, with a positive last number: where each line meets the next."""

    @classmethod
    def of(cls, vertices: np.ndarray) -> Polygon:
        """Make a polygon from (k, 2) float64 corners, strictly convex and counter-clockwise."""
        numbers, k = integers(vertices)
        points = [(int(x), int(y), 2**k) for x, y in numbers]
        return cls._from(
            [_reduced(_cross(p, q)) for p, q in zip(points, [*points[1:], points[0]], strict=True)]
        )

    @classmethod
    def _from(cls, lines: list[tuple[int, int, int]]) -> Polygon:
        corners = [_cross(a, b) for a, b in zip(lines, [*lines[1:], lines[0]], strict=True)]
        return cls(tuple(lines), tuple((x, y, w) if w > 0 else (-x, -y, -w) for x, y, w in corners))

    def within(self, forms: np.ndarray, may_vanish: np.ndarray) -> Polygon | None:
        """The part where forms (n, 3) are positive; None if it has no inner point, unless the form may be
        zero on all of it."""
        polygon, open_ = self, np.arange(len(forms))
        while len(open_):
            values = forms[open_] @ np.array(polygon.corners, dtype=object).T
            positive, negative = (values > 0).any(1), (values < 0).any(1)
            if (~positive & (negative | ~may_vanish[open_])).any():
                return None
            cutting = np.flatnonzero(negative)
            if not len(cutting):
                break
            polygon = polygon._cut(
                _reduced(tuple(int(c) for c in forms[open_[cutting[0]]])), values[cutting[0]]
            )
            open_ = open_[cutting[1:]]  # the others hold on a larger polygon already
        return polygon

    def _cut(self, line: tuple[int, int, int], values: np.ndarray) -> Polygon:
        """Cut by a line with these values at the corners, of which some are positive and some negative."""
        n = len(self.lines)
        # Line k runs from corner k - 1 to corner k. Those that keep a part with inner points follow each
        # other.
        first = next(k for k in range(n) if values[k - 1] <= 0 < values[k])
        ring = [(first + k) % n for k in range(n)]
        return self._from([*(self.lines[k] for k in ring if values[k - 1] > 0 or values[k] > 0), line])

    def misfit(self, stored: np.ndarray) -> float:
        """Distance by which (k, 2) float64 corners miss its lines: of any of them from the nearest line, or
        beyond one; and, where two lines meet, of the nearest corner from both. Along a line that is no
        distance at all."""
        numbers, k = integers(stored)
        inside = np.array([_heights(line, numbers, k) for line in self.lines])
        both = np.maximum(np.abs(inside), np.abs(np.roll(inside, -1, 0)))
        return float(max(np.abs(inside).min(0).max(), -inside.min(), both.min(1).max()))

    @property
    def area(self) -> Fraction:
        """Exact area."""
        points = [(Fraction(x, w), Fraction(y, w)) for x, y, w in self.corners]
        pairs = zip(points, [*points[1:], points[0]], strict=True)
        return sum((p[0] * q[1] - q[0] * p[1] for p, q in pairs), Fraction(0)) / 2

    @property
    def rounded(self) -> np.ndarray:
        """(k, 2) the corners, each coordinate rounded once."""
        return np.array([[x / w, y / w] for x, y, w in self.corners])


def _cross(a: tuple[int, int, int], b: tuple[int, int, int]) -> tuple[int, int, int]:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _heights(line: tuple[int, int, int], points: np.ndarray, k: int) -> list[float]:
    """Distances of points, whole numbers over 2^k, from a line, negative beyond it."""
    a, b, c = line
    length = math.isqrt((a * a + b * b) << 128) << k  # times 2^(64 + k)
    return [(a * int(x) + b * int(y) + (c << k) << 64) / length for x, y in points]


def _reduced(line: tuple[int, ...]) -> tuple[int, int, int]:
    a, b, c = line
    divisor = math.gcd(a, b, c) or 1
    return a // divisor, b // divisor, c // divisor
