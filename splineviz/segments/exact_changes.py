"""Where units of one stage change their states along a segment, in exact arithmetic."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from splineviz.exact.digits import ExactTensor
from splineviz.geometry.rounding import UNIT_ROUNDOFF
from splineviz.program.nodes import Maximum
from splineviz.segments.proof import rounded

__all__ = ["Changes", "changes_of_maxima", "changes_of_units"]

_TINY = 2.0**-1000
Ends = tuple[int, int]
"""Values of one affine function of t at 0 and at 1, times one positive number"""


@dataclass(frozen=True)
class Changes:
    """States of units where cells begin, and all changes inside."""

    first: np.ndarray
    """(cells, units)"""
    later: list[tuple[int, int, Fraction, int]]
    """(cell, unit, t, state from there on), in order of t"""

    def cuts(self) -> set[Fraction]:
        """The places of the changes."""
        return {t for _, _, t, _ in self.later}

    def states(self, knots: Sequence[Fraction], after: Sequence[Fraction], parent: np.ndarray) -> np.ndarray:
        """(cells, units) states between the knots ``after``, each cell a part of its ``parent``."""
        result: np.ndarray = self.first[parent]
        for cell, unit, t, state in self.later:
            result[bisect_left(after, t) : bisect_left(after, knots[cell + 1]), unit] = state
        return result


def changes_of_units(z: ExactTensor, knots: Sequence[Fraction]) -> Changes:
    """Units (2 cells, units) that are on where they are above 0, given on each cell at both ends of the
    segment."""
    low, high, slack = _at_knots(z, knots)
    first = low > 0
    open_ = ~((np.minimum(low, high) > slack) | (np.maximum(low, high) < -slack))
    cells, units = np.nonzero(open_)
    later = []
    for cell, unit, (p, q) in zip(cells.tolist(), units.tolist(), _ends(z, cells, units), strict=True):
        start, end = knots[cell], knots[cell + 1]
        root = Fraction(p, p - q) if p != q else start
        inside = start < root < end
        middle = (start + root) / 2 if inside else (start + end) / 2
        first[cell, unit] = p + (q - p) * middle > 0
        if inside:
            later.append((cell, unit, root, int(q > p)))
    return Changes(first, sorted(later, key=lambda change: change[2]))


def changes_of_maxima(node: Maximum, z: ExactTensor, knots: Sequence[Fraction]) -> Changes:
    """Winners of windows of entries (2 cells, n), of equal ones the lowest place."""
    low, high, slack = _at_knots(z, knots)
    present, entries = node.windows >= 0, np.maximum(node.windows, 0)
    least, most = (
        np.where(present, (x + sign * slack)[:, entries], -np.inf) for x, sign in ((low, -1.0), (low, 1.0))
    )
    least_after, most_after = (
        np.where(present, (x + sign * slack)[:, entries], -np.inf) for x, sign in ((high, -1.0), (high, 1.0))
    )
    first = least.argmax(2)
    own = first[..., None]
    others = np.arange(entries.shape[1]) != own
    wins = np.take_along_axis(least, own, 2) > np.where(others, most, -np.inf)
    wins &= np.take_along_axis(least_after, own, 2) > np.where(others, most_after, -np.inf)
    later = []
    for cell, window in zip(*(x.tolist() for x in np.nonzero(~wins.all(2))), strict=True):
        places = np.flatnonzero(present[window])
        ends = _ends(z, np.full(len(places), cell), entries[window, places])
        walk = _upper(dict(zip(places.tolist(), ends, strict=True)), knots[cell], knots[cell + 1])
        first[cell, window] = walk[0][1]
        later += [(cell, window, t, place) for t, place in walk[1:]]
    return Changes(first, sorted(later, key=lambda change: change[2]))


def _upper(candidates: dict[int, Ends], start: Fraction, end: Fraction) -> list[tuple[Fraction, int]]:
    """(t, place) from where on each candidate is the largest, from ``start`` to before ``end``."""

    def best(places: Sequence[int], t: Fraction) -> int:
        """The one that is the largest right after t."""
        ends = ((place, *candidates[place]) for place in places)
        at = {place: (p + (q - p) * t, q - p, -place) for place, p, q in ends}
        return max(at, key=at.__getitem__)

    t, own = start, best(list(candidates), start)
    found = [(t, own)]
    while True:
        p, q = candidates[own]
        meets = {
            place: Fraction(p - a, (p - a) - (q - b)) for place, (a, b) in candidates.items() if b - a > q - p
        }
        t = min(meets.values(), default=end)
        if t >= end:
            return found
        own = best([place for place, at in meets.items() if at == t], t)
        found.append((t, own))


def _at_knots(z: ExactTensor, knots: Sequence[Fraction]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(low, high, slack): (cells, n) values at both ends of each cell, times one positive number, and their
    rounding."""
    t = np.array([float(knot) for knot in knots])[:, None]
    a, b = (x.numpy() for x in rounded(z).chunk(2))
    slack: np.ndarray = (len(z.digits) + 16.0) * UNIT_ROUNDOFF * (np.abs(a) + np.abs(b)) + _TINY
    return a + t[:-1] * (b - a), a + t[1:] * (b - a), slack


def _ends(z: ExactTensor, cells: np.ndarray, entries: np.ndarray) -> list[Ends]:
    n = z.digits.shape[1] // 2
    return list(zip(z.integers(cells, entries), z.integers(cells + n, entries), strict=True))
