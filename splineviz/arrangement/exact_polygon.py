"""Convex polygons in whole numbers: exact corners, areas, and parts cut off by a line.

A point (X, Y, W) with W > 0 is at (X / W, Y / W); a line (a, b, c) is where a u + b v + c vanishes. Every
point is where two lines meet, so that numbers stay as long as those of the lines however often a polygon is
cut.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

__all__ = ["ExactPolygon", "Triple", "combined", "cross", "meet", "primitive", "ratio", "value"]

Triple = tuple[int, int, int]


def cross(p: Triple, q: Triple) -> Triple:
    """The vector product: of two points their line, of two lines their point, up to a factor."""
    return p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]


def primitive(p: Triple) -> Triple:
    """The triple over the greatest common divisor of its numbers; (0, 0, 0) stays."""
    common = math.gcd(*p)
    return (p[0] // common, p[1] // common, p[2] // common) if common > 1 else p


def meet(one: Triple, other: Triple) -> Triple | None:
    """The point of two lines; None if they are parallel."""
    x, y, w = primitive(cross(one, other))
    if w == 0:
        return None
    return (x, y, w) if w > 0 else (-x, -y, -w)


def value(form: Triple, point: Triple) -> int:
    """a u + b v + c at a point, times its W."""
    return form[0] * point[0] + form[1] * point[1] + form[2] * point[2]


def combined(one: Triple, other: Triple) -> Triple:
    """The form ``one - other``."""
    return one[0] - other[0], one[1] - other[1], one[2] - other[2]


def ratio(p: int, q: int) -> float:
    """p / q rounded once; infinite where it is larger than the largest float64."""
    try:
        return p / q
    except OverflowError:
        return math.inf if (p > 0) == (q > 0) else -math.inf


@dataclass(frozen=True)
class ExactPolygon:
    """A strictly convex polygon, counter-clockwise."""

    corners: tuple[Triple, ...]
    lines: tuple[Triple, ...]
    """The line of the side from each corner to the next"""
    names: tuple[int, ...]
    """A name for each of these sides, which parts keep"""

    @classmethod
    def between(cls, lines: Sequence[Triple], names: Sequence[int]) -> ExactPolygon | None:
        """The polygon whose sides lie on these lines one after the other; None if there is no such
        polygon with a left turn at every corner."""
        corners = [meet(before, line) for before, line in zip((lines[-1], *lines), lines, strict=False)]
        found = [corner for corner in corners if corner is not None]
        if len(found) < len(lines) or len(lines) < 3:
            return None
        polygon = cls(tuple(found), tuple(lines), tuple(names))
        return polygon if polygon.turns_left else None

    @property
    def turns_left(self) -> bool:
        """Whether it turns left at every corner, and goes round once."""
        around = (*self.corners, *self.corners[:2])
        return all(
            value(cross(a, b), c) > 0 for a, b, c in zip(around, around[1:], around[2:], strict=False)
        ) and all(value(cross(self.corners[0], a), b) > 0 for a, b in pairwise(self.corners[1:]))

    @property
    def area(self) -> Fraction:
        """Its area, exactly."""
        (x0, y0, w0), *others = self.corners
        ends = [(x * w0 - x0 * w, y * w0 - y0 * w, w) for x, y, w in others]
        fan = (Fraction(a[0] * b[1] - a[1] * b[0], a[2] * b[2]) for a, b in pairwise(ends))
        return sum(fan, Fraction(0)) / (2 * w0 * w0)

    def where_positive(self, form: Triple, name: int) -> ExactPolygon | None:
        """The part where a form is at least 0, None if it has no interior; the new side gets the name."""
        values = [value(form, corner) for corner in self.corners]
        if min(values) >= 0:
            return self if max(values) > 0 else None
        if max(values) <= 0:
            return None
        line = primitive(form)
        kept: list[tuple[Triple, Triple, int]] = []
        for i, (corner, side, own) in enumerate(zip(self.corners, self.lines, self.names, strict=True)):
            here, after = values[i], values[(i + 1) % len(values)]
            if here > 0 or (here == 0 and after > 0):
                kept.append((corner, side, own))
            elif here == 0:
                kept.append((corner, line, name))
            if here * after < 0:
                crossing = meet(side, line)
                assert crossing is not None  # the form has two signs on the side
                kept.append((crossing, line, name) if here > 0 else (crossing, side, own))
        return ExactPolygon(*zip(*kept, strict=True))
