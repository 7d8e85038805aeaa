"""The cells of a small network on a convex window, by cutting polygons in exact arithmetic, one unit at a
time.

It is plain on purpose: no shared vertices, no half-edges, no rounding. Units are numbered as in a program:
breakpoint first, then entry. Neighbours are found afterwards, from sides that lie on one line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from operator import itemgetter
from typing import Any

from tests.oracles.integers import Bend, Choice, Integral, Mix
from tests.oracles.network import Form, Maximum, Network
from tests.oracles.polygon import Interval, Polygon, Triple, position

__all__ = ["RIM", "Cell", "Edge", "ExactSlice", "crossings", "frame_of", "slice_exactly", "where_largest"]

Point = tuple[Fraction, Fraction]
Pattern = tuple[tuple[int, ...], ...]
RIM = -1


@dataclass(frozen=True)
class Cell:
    shape: Polygon
    pattern: Pattern
    """One row per stage: whether each unit is on, or the place of each winner."""
    forms: tuple[Triple, ...]
    """Of the outputs, over the denominator that all cells have in common."""
    denominator: int

    @property
    def polygon(self) -> tuple[Point, ...]:
        """Counter-clockwise and strictly convex."""
        return tuple(position(point) for point in self.shape.points)

    @property
    def output(self) -> tuple[Form, ...]:
        """Coefficients of u, of v, and the constant, for each output."""
        return tuple(tuple(Fraction(c, self.denominator) for c in form) for form in self.forms)

    @property
    def area(self) -> Fraction:
        return self.shape.area

    @property
    def candidates(self) -> tuple[Triple, ...]:
        """What an arg max decides between: the outputs, or zero and the only one."""
        return ((0, 0, 0), *self.forms) if len(self.forms) == 1 else self.forms


@dataclass(frozen=True)
class Edge:
    cells: tuple[int, int]
    """On the left and on the right of the way from the first end to the second."""
    points: tuple[Triple, Triple]
    line: Triple
    units: frozenset[tuple[int, int]]
    """(stage, unit) whose state changes across."""

    @property
    def ends(self) -> tuple[Point, Point]:
        return position(self.points[0]), position(self.points[1])


@dataclass(frozen=True)
class ExactSlice:
    cells: tuple[Cell, ...]
    window: Polygon
    integral: Integral
    """The network and the frame it was sliced along."""

    @property
    def n_cells(self) -> int:
        return len(self.cells)

    @property
    def areas(self) -> list[Fraction]:
        return [cell.area for cell in self.cells]

    @cached_property
    def rings(self) -> tuple[tuple[tuple[int, Triple, Triple], ...], ...]:
        """Each cell's sides, counter-clockwise: the cell beyond or `RIM`, the point where the side starts,
        its line.

        A side faces one side of one neighbour: a unit that changes sign along an edge is cut on both sides of
        it, since it is continuous, so no line ends in the middle of a side.
        """
        ways = [
            list(zip(p := cell.shape.points, p[1:] + p[:1], cell.shape.lines, strict=True))
            for cell in self.cells
        ]
        owner = {(start, end): number for number, sides in enumerate(ways) for start, end, _ in sides}
        rim = set(self.window.lines)
        return tuple(
            tuple((RIM if line in rim else owner[end, start], start, line) for start, end, line in sides)
            for sides in ways
        )

    @cached_property
    def points(self) -> frozenset[Triple]:
        return frozenset(point for ring in self.rings for _, point, _ in ring)

    @property
    def n_vertices(self) -> int:
        return len(self.points)

    @property
    def n_edges(self) -> int:
        return len(self.edges) + self.n_rim_edges

    @property
    def n_rim_edges(self) -> int:
        return sum(neighbour == RIM for ring in self.rings for neighbour, _, _ in ring)

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """Segments of positive length that two cells share."""
        patterns = [cell.pattern for cell in self.cells]
        return tuple(
            Edge(
                (left, right),
                (start, ring[(i + 1) % len(ring)][1]),
                line,
                _changes(patterns[left], patterns[right]),
            )
            for left, ring in enumerate(self.rings)
            for i, (right, start, line) in enumerate(ring)
            if left < right
        )

    @cached_property
    def region_of(self) -> tuple[int, ...]:
        """For each cell the lowest cell of its linear region: cells joined across edges, never across single
        vertices."""
        region = list(range(self.n_cells))

        def root(cell: int) -> int:
            while region[cell] != cell:
                cell = region[cell]
            return cell

        for edge in self.edges:
            a, b = edge.cells
            if self.cells[a].forms == self.cells[b].forms:
                low, high = sorted((root(a), root(b)))
                region[high] = low
        return tuple(root(cell) for cell in range(self.n_cells))

    @property
    def n_linear_regions(self) -> int:
        return len(set(self.region_of))

    @cached_property
    def decisions(self) -> dict[tuple[int, int], Fraction]:
        """(cell, class): area where the class's output is the largest; of equal ones the lowest. A single
        output decides by > 0."""
        found = {}
        for number, cell in enumerate(self.cells):
            candidates = dict(enumerate(cell.candidates))
            for place in candidates:
                piece = where_largest(cell.shape, candidates, place, lower=False)
                if piece is not None:
                    found[number, place] = piece.area
        return found


def slice_exactly(
    network: Network, window: Iterable[Sequence[Any]], frame: Sequence[Form] | None = None
) -> ExactSlice:
    """All cells on a convex window (counter-clockwise corners in uv); ``frame`` gives each input as a form in
    (u, v, 1)."""
    if frame is None:
        assert network.dim == 2
        frame = [(Fraction(1), Fraction(0), Fraction(0)), (Fraction(0), Fraction(1), Fraction(0))]
    assert len(frame) == network.dim
    integral, shape = Integral(network, tuple(frame)), Polygon.of(window)
    cells = (
        Cell(part, pattern, tuple(forms), integral.denominators[-1])
        for part, pattern, forms in _walk(integral, shape)
    )
    return ExactSlice(tuple(cells), shape, integral)


def frame_of(origin: Iterable[float], basis: Iterable[Iterable[float]]) -> list[Form]:
    """The exact forms of x = origin + u basis[0] + v basis[1], with the floats taken as they are."""
    along_u, along_v = basis
    return [(Fraction(u), Fraction(v), Fraction(x)) for u, v, x in zip(along_u, along_v, origin, strict=True)]


def crossings(network: Network, a: Sequence[Any], b: Sequence[Any]) -> list[Fraction]:
    """The parameters in (0, 1), in order, at which the activation pattern changes on the way from a to b."""
    frame = [(Fraction(q) - Fraction(p), Fraction(0), Fraction(p)) for p, q in zip(a, b, strict=True)]
    pieces = _walk(Integral(network, tuple(frame)), Interval(((0, 0, 1), (1, 0, 1))))
    return sorted(Fraction(part.points[0][0], part.points[0][2]) for part, _, _ in pieces)[1:]


Parts = list[tuple[Any, tuple[int, ...], Sequence[Triple]]]
"""A part of a polygon or an interval, the states of one stage's units on it, and the forms that come out."""


def _walk(integral: Integral, domain: Any) -> list[tuple[Any, Pattern, Sequence[Triple]]]:
    cells: list[tuple[Any, Pattern, tuple[Sequence[Triple], ...]]] = [(domain, (), (integral.start,))]
    for step in integral.steps:
        following = []
        for shape, pattern, slots in cells:
            values = [slots[i] for i in step.inputs]
            if isinstance(step, Mix):
                following.append((shape, pattern, (*slots, step.apply(*values))))
            else:
                parts = (
                    _bent(step, shape, values[0])
                    if isinstance(step, Bend)
                    else _chosen(step, shape, values[0])
                )
                following += [(part, (*pattern, states), (*slots, forms)) for part, states, forms in parts]
        cells = following
    return [(shape, pattern, slots[-1]) for shape, pattern, slots in cells]


def _bent(step: Bend, domain: Any, forms: Sequence[Triple]) -> Parts:
    """Cut by every unit of a pointwise stage."""
    parts: list[tuple[Any, tuple[int, ...]]] = [(domain, ())]
    for k in range(len(step.breakpoints)):
        for form in forms:
            switch = step.switch(k, form)
            following = []
            for part, bits in parts:
                off, on = part.cut(switch)
                if off is not None:
                    following.append((off, (*bits, False)))
                if on is not None:
                    following.append((on, (*bits, True)))
            parts = following
    n = len(forms)
    return [
        (part, bits, [step.piece(j, sum(bits[j::n]), form) for j, form in enumerate(forms)])
        for part, bits in parts
    ]


def _chosen(step: Choice, domain: Any, forms: Sequence[Triple]) -> Parts:
    """Cut into the parts where one candidate of each window is the largest. Of equal candidates the first
    is the only one that can be."""
    op: Maximum = step.op
    parts: Parts = [(domain, (), ())]
    for window in op.windows:
        first = {forms[entry]: place for place, entry in reversed(list(enumerate(window))) if entry >= 0}
        candidates = {place: form for form, place in sorted(first.items(), key=itemgetter(1))}
        parts = [
            (piece, (*places, place), (*out, candidates[place]))
            for part, places, out in parts
            for place in candidates
            if (piece := where_largest(part, candidates, place, op.lower)) is not None
        ]
    return parts


def where_largest(domain: Any, candidates: dict[int, Triple], place: int, lower: bool) -> Any:
    """The part with interior where a candidate is the largest, or None; a tie on all of it belongs to the
    lower place."""
    a, b, c = candidates[place]
    for other, (p, q, r) in candidates.items():
        if other != place:
            lead = (p - a, q - b, r - c) if lower else (a - p, b - q, c - r)
            _, on = domain.cut(lead)
            if on is not None:
                domain = on
            elif not (place < other and not any(domain.values(lead))):
                return None
    return domain


def _changes(before: Pattern, after: Pattern) -> frozenset[tuple[int, int]]:
    return frozenset(
        (stage, unit)
        for stage, (row, other) in enumerate(zip(before, after, strict=True))
        if row != other
        for unit, (state, flipped) in enumerate(zip(row, other, strict=True))
        if state != flipped
    )
