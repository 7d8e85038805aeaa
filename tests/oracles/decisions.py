"""Decision regions of an exact slice: pieces of one class, joined where their sides overlap on one line."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from typing import Any

from tests.oracles.polygon import Polygon, Triple, position, primitive
from tests.oracles.rational import Cell, ExactSlice, where_largest

__all__ = ["count_decision_regions", "pieces"]


def pieces(cell: Cell) -> dict[int, Polygon]:
    """By class, the part of a cell in which it is the largest."""
    candidates = dict(enumerate(cell.candidates))
    found: dict[int, Any] = {c: where_largest(cell.shape, candidates, c, lower=False) for c in candidates}
    return {c: piece for c, piece in found.items() if piece is not None}


def count_decision_regions(exact: ExactSlice) -> int:
    """Number of connected regions of one class.

    Sides are found by their lines alone, and overlap by the order of their ends, so that nothing is known of which
    cells are neighbours.
    """
    sides: dict[tuple[int, Triple], list[tuple[Fraction, Fraction, int]]] = defaultdict(list)
    n = 0
    for cell in exact.cells:
        for c, piece in pieces(cell).items():
            for i, line in enumerate(piece.lines):
                ends = sorted(_along(line, piece.points[k % len(piece.points)]) for k in (i, i + 1))
                sides[c, _undirected(line)].append((ends[0], ends[1], n))
            n += 1
    root = list(range(n))

    def find(k: int) -> int:
        while root[k] != k:
            k = root[k]
        return k

    for rows in sides.values():
        rows.sort()
        reach, last = rows[0][1], rows[0][2]
        for low, high, k in rows[1:]:
            if low < reach:
                root[find(k)] = find(last)
            if low >= reach or high > reach:
                reach, last = max(high, reach), k
    return len({find(k) for k in range(n)})


def _undirected(line: Triple) -> Triple:
    a, b, c = primitive(line)
    return (a, b, c) if (a, b) > (0, 0) else (-a, -b, -c)


def _along(line: Triple, point: Triple) -> Fraction:
    """A coordinate that ascends along a line."""
    u, v = position(point)
    a, b, _ = _undirected(line)
    return b * u - a * v
