"""Length of the decision boundary of an exact slice, by pairs of classes, with rational ends of all segments."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

from tests.oracles.decisions import pieces
from tests.oracles.polygon import Triple, position
from tests.oracles.rational import RIM, Cell, ExactSlice

__all__ = ["tied_lengths"]

Point = tuple[Fraction, Fraction]
Classes = tuple[int, int]


def tied_lengths(exact: ExactSlice) -> dict[Classes, float]:
    """By the two lowest logits that tie: lengths of all segments on which the two largest do, and tie not on
    all of both sides. Each segment is rounded once."""
    found: dict[Classes, list[float]] = defaultdict(list)
    for cell in exact.cells:
        for pair, length in _within(cell):
            found[pair].append(length)
    for number, ring in enumerate(exact.rings):
        for k, (beyond, start, _) in enumerate(ring):
            if beyond != RIM and beyond < number:
                continue
            ends = position(start), position(ring[(k + 1) % len(ring)][1])
            sides = [exact.cells[number]] + ([] if beyond == RIM else [exact.cells[beyond]])
            for pair, length in _along(sides, *ends):
                found[pair].append(length)
    return {pair: math.fsum(lengths) for pair, lengths in found.items()}


def _within(cell: Cell) -> Iterator[tuple[Classes, float]]:
    """Sides of the piece of the lower class that lie between it and another's, and on none of the cell's."""
    of_class = pieces(cell)
    for low, piece in of_class.items():
        for high in (c for c in of_class if c > low):
            for k, start in enumerate(piece.points):
                p, q = position(start), position(piece.points[(k + 1) % len(piece.points)])
                ties = all(_lead(cell.candidates, low, high, point) == 0 for point in (p, q))
                outside = any(_at(line, p) == 0 == _at(line, q) for line in cell.shape.lines)
                if ties and not outside:
                    yield (low, high), _distance(p, q)


def _along(sides: Sequence[Cell], p: Point, q: Point) -> Iterator[tuple[Classes, float]]:
    """Between two points where any two logits tie the largest ones are the same: that in the middle counts."""
    logits = sides[0].candidates
    leads = [(_lead(logits, i, j, p), _lead(logits, i, j, q)) for i in range(len(logits)) for j in range(i)]
    cuts = sorted({Fraction(0), Fraction(1), *(a / (a - b) for a, b in leads if a * b < 0)})
    for low, high in pairwise(cuts):
        middle = _between(p, q, (low + high) / 2)
        values = [_at(form, middle) for form in logits]
        top = [c for c, value in enumerate(values) if value == max(values)]
        other = [c for c in top[1:] if any(side.candidates[c] != side.candidates[top[0]] for side in sides)]
        if other:
            yield (top[0], other[0]), _distance(_between(p, q, low), _between(p, q, high))


def _lead(logits: Sequence[Triple], one: int, other: int, point: Point) -> Fraction:
    return _at(logits[one], point) - _at(logits[other], point)


def _at(form: Triple, point: Point) -> Fraction:
    return form[0] * point[0] + form[1] * point[1] + form[2]


def _between(p: Point, q: Point, share: Fraction) -> Point:
    return p[0] + share * (q[0] - p[0]), p[1] + share * (q[1] - p[1])


def _distance(p: Point, q: Point) -> float:
    return math.sqrt((p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2)
