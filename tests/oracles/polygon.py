"""Convex polygons and intervals in exact integer arithmetic, in homogeneous coordinates: no fraction is ever
reduced term by term.

A point (X, Y, W) with W > 0 is (X / W, Y / W), a form (a, b, c) is a u + b v + c; only its sign and zeros
matter here. Points and lines are primitive (divided by their greatest common divisor), so that equal ones are
equal tuples, and every point is the meeting of two lines, so that numbers do not grow with the number of
cuts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import gcd, lcm
from typing import Any

__all__ = ["Interval", "Polygon", "Triple", "across", "as_point", "meet", "position"]

Triple = tuple[int, int, int]


def primitive(triple: Triple) -> Triple:
    common = gcd(*triple)
    return (triple[0] // common, triple[1] // common, triple[2] // common) if common > 1 else triple


def as_point(u: Any, v: Any) -> Triple:
    """The point at two numbers, which are taken as they are, floats too."""
    u, v = Fraction(u), Fraction(v)
    w = lcm(u.denominator, v.denominator)
    return primitive((u.numerator * (w // u.denominator), v.numerator * (w // v.denominator), w))


def position(point: Triple) -> tuple[Fraction, Fraction]:
    return Fraction(point[0], point[2]), Fraction(point[1], point[2])


def _cross(p: Triple, q: Triple) -> Triple:
    (a, b, c), (d, e, f) = p, q
    return b * f - c * e, c * d - a * f, a * e - b * d


def meet(line: Triple, other: Triple) -> Triple:
    """The point of two lines that are not parallel."""
    x, y, w = primitive(_cross(line, other))
    return (x, y, w) if w > 0 else (-x, -y, -w)


def across(line: Triple) -> Triple:
    """The line seen from its other side."""
    return -line[0], -line[1], -line[2]


@dataclass(frozen=True)
class Polygon:
    points: tuple[Triple, ...]
    """Counter-clockwise, strictly convex."""
    lines: tuple[Triple, ...]
    """From each point to the next, positive inside."""

    @classmethod
    def of(cls, corners: Iterable[Sequence[Any]]) -> Polygon:
        points = tuple(as_point(*corner) for corner in corners)
        return cls(
            points,
            tuple(primitive(_cross(p, q)) for p, q in zip(points, points[1:] + points[:1], strict=True)),
        )

    def values(self, form: Triple) -> list[int]:
        """The form at the points, each times a positive number."""
        a, b, c = form
        return [a * x + b * y + c * w for x, y, w in self.points]

    def cut(self, form: Triple) -> tuple[Polygon | None, Polygon | None]:
        """The parts where the form is at most and at least zero, None without interior; where it vanishes,
        all is the first."""
        values = self.values(form)
        if max(values) <= 0:
            return self, None
        if min(values) >= 0:
            return None, self
        line = primitive(form)
        off: list[tuple[Triple, Triple]] = []
        on: list[tuple[Triple, Triple]] = []
        for i, (point, side, value) in enumerate(zip(self.points, self.lines, values, strict=True)):
            following = values[i + 1 - len(values)]
            if value <= 0:
                off.append((point, side if value or following < 0 else across(line)))
            if value >= 0:
                on.append((point, side if value or following > 0 else line))
            if value < 0 < following:
                off.append((corner := meet(side, line), across(line)))
                on.append((corner, side))
            elif value > 0 > following:
                on.append((corner := meet(side, line), line))
                off.append((corner, side))
        return Polygon(*zip(*off, strict=True)), Polygon(*zip(*on, strict=True))

    @cached_property
    def area(self) -> Fraction:
        (x0, y0, w0), *others = self.points
        # Relative to the first point, with x / w - x0 / w0 = (x w0 - x0 w) / (w w0).
        offsets = [(x * w0 - x0 * w, y * w0 - y0 * w, w) for x, y, w in others]
        fan = (Fraction(x * v - u * y, w * t) for (x, y, w), (u, v, t) in pairwise(offsets))
        return sum(fan, Fraction(0)) / (2 * w0 * w0)


@dataclass(frozen=True)
class Interval:
    """Part of a line with one coordinate; forms are (a, 0, c)."""

    points: tuple[Triple, Triple]

    def values(self, form: Triple) -> list[int]:
        return [form[0] * x + form[2] * w for x, _, w in self.points]

    def cut(self, form: Triple) -> tuple[Interval | None, Interval | None]:
        first, last = self.values(form)
        if max(first, last) <= 0:
            return self, None
        if min(first, last) >= 0:
            return None, self
        zero = primitive((-form[2], 0, form[0]) if form[0] > 0 else (form[2], 0, -form[0]))
        before, after = Interval((self.points[0], zero)), Interval((zero, self.points[1]))
        return (before, after) if first < 0 else (after, before)
