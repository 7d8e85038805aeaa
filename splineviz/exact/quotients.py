"""Coordinates of points that are known as crossings of lines."""

from __future__ import annotations

import math
from typing import NamedTuple

from splineviz.exact.balls import Ball, Crossing
from splineviz.geometry.rounding import SAFE

__all__ = ["Place", "Quotient", "place_of", "quotients"]


class Place(NamedTuple):
    """The place of a vertex."""

    uv: tuple[float, float]
    """Rounded from what is known of it"""
    distance: float
    """Of what is known from the exact place, at most"""


class Quotient(NamedTuple):
    """A coordinate in two float64."""

    high: float
    low: float
    error: float
    """Bound of the difference from the exact coordinate"""


def quotients(point: Crossing) -> tuple[Quotient, Quotient]:
    """The coordinates u and v of a crossing."""
    x, y, w = point
    return _quotient(x, w), _quotient(y, w)


def place_of(u: Quotient, v: Quotient) -> Place:
    """The place with these coordinates."""
    return Place((u.high, v.high), SAFE * (u.error + v.error))


def _quotient(x: Ball, w: Ball) -> Quotient:
    shift = 256
    quotient = (x.middle << shift) // w.middle
    high = _to_float(quotient, shift)
    low = _to_float(quotient - int(math.ldexp(high, shift)) if high else quotient, shift)
    # |x / w - x' / w'| <= (dx + |x' / w'| dw) / (|w'| - dw)
    spread = (x.radius << shift) + (abs(quotient) + 1) * w.radius
    certain = w.middle - w.radius
    error = SAFE * (_to_float(spread // certain + 2, shift) + 2.0**-104 * abs(high)) + 2.0**-250
    return Quotient(high, low, error)


def _to_float(x: int, shift: int) -> float:
    """x / 2^shift, rounded."""
    n = max(0, abs(x).bit_length() - 60)
    if n - shift > 1000:
        return math.copysign(math.inf, x)
    return math.ldexp(float(x >> n), n - shift)
