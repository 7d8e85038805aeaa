"""The cells of a small network on a convex window, by cutting polygons in exact rational arithmetic, one unit at a time.

It is slow and plain on purpose: no shared vertices, no half-edges, no rounding. Units are numbered as in a program: breakpoint
first, then entry.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

from tests.oracles.network import Form, Maximum, Network, Pointwise

__all__ = ["Cell", "Edge", "ExactSlice", "crossings", "frame_of", "slice_exactly"]

Point = tuple[Fraction, Fraction]
Pattern = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Cell:
    polygon: tuple[Point, ...]
    """Counter-clockwise and strictly convex."""
    pattern: Pattern
    """One row per stage: whether each unit is on, or the place of each winner."""
    output: tuple[Form, ...]
    """Coefficients of u, of v, and the constant, for each output."""

    @property
    def area(self) -> Fraction:
        return sum((a[0] * b[1] - b[0] * a[1] for a, b in _sides(self.polygon)), Fraction(0)) / 2


@dataclass(frozen=True)
class Edge:
    cells: tuple[int, int]
    ends: tuple[Point, Point]
    units: frozenset[tuple[int, int]]
    """(stage, unit) whose state changes across."""


@dataclass(frozen=True)
class ExactSlice:
    cells: tuple[Cell, ...]

    @property
    def n_cells(self) -> int:
        return len(self.cells)

    @property
    def areas(self) -> list[Fraction]:
        return [cell.area for cell in self.cells]

    @property
    def n_vertices(self) -> int:
        return len({point for cell in self.cells for point in cell.polygon})

    @property
    def n_edges(self) -> int:
        return len(self.edges) + self.n_rim_edges

    @property
    def n_rim_edges(self) -> int:
        """A side of a cell lies wholly on the rim or wholly inside, since the window is convex."""
        return sum(len(left) + len(right) for left, right in self._by_line.values() if not (left and right))

    @cached_property
    def _by_line(self) -> dict[tuple[Fraction, ...], tuple[list[_Side], list[_Side]]]:
        sides: dict[tuple[Fraction, ...], tuple[list[_Side], list[_Side]]] = defaultdict(lambda: ([], []))
        for number, cell in enumerate(self.cells):
            for a, b in _sides(cell.polygon):
                forward = a < b
                low, high = (a, b) if forward else (b, a)
                sides[_line_through(low, high)][0 if forward else 1].append((low, high, number))
        return dict(sides)

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """Segments of positive length that two cells share."""
        found = []
        for lefts, rights in self._by_line.values():
            for low, high, left in lefts:
                for other_low, other_high, right in rights:
                    ends = max(low, other_low), min(high, other_high)
                    if ends[0] < ends[1]:
                        found.append(Edge((left, right), ends, _changes(self.cells[left].pattern, self.cells[right].pattern)))
        return tuple(found)

    @cached_property
    def region_of(self) -> tuple[int, ...]:
        """For each cell the lowest cell of its linear region."""
        region = list(range(self.n_cells))

        def root(cell: int) -> int:
            while region[cell] != cell:
                cell = region[cell]
            return cell

        for edge in self.edges:
            a, b = edge.cells
            if self.cells[a].output == self.cells[b].output:
                low, high = sorted((root(a), root(b)))
                region[high] = low
        return tuple(root(cell) for cell in range(self.n_cells))

    @property
    def n_linear_regions(self) -> int:
        return len(set(self.region_of))


_Side = tuple[Point, Point, int]


def slice_exactly(network: Network, window: Iterable[Sequence[Any]], frame: Sequence[Form] | None = None) -> ExactSlice:
    """All cells on a convex window (counter-clockwise corners in uv); ``frame`` gives each input as a form in (u, v, 1)."""
    corners = tuple((Fraction(u), Fraction(v)) for u, v in window)
    if frame is None:
        assert network.dim == 2
        frame = [(Fraction(1), Fraction(0), Fraction(0)), (Fraction(0), Fraction(1), Fraction(0))]
    assert len(frame) == network.dim
    return ExactSlice(tuple(_walk(network, corners, frame)))


def frame_of(origin: Iterable[float], basis: Iterable[Iterable[float]]) -> list[Form]:
    """The exact forms of x = origin + u basis[0] + v basis[1], with the floats taken as they are."""
    along_u, along_v = basis
    return [(Fraction(u), Fraction(v), Fraction(x)) for u, v, x in zip(along_u, along_v, origin, strict=True)]


def _walk(network: Network, corners: tuple[Point, ...], frame: Sequence[Form]) -> list[Cell]:
    cells: list[tuple[tuple[Point, ...], Pattern, tuple[Sequence[Form], ...]]] = [(corners, (), (frame,))]
    for step in network.steps:
        following = []
        for polygon, pattern, slots in cells:
            values = [slots[i] for i in step.inputs]
            if isinstance(step.op, Pointwise | Maximum):
                for part, bits, forms in _apply(step.op, polygon, values[0]):
                    following.append((part, (*pattern, bits), (*slots, forms)))
            else:
                following.append((polygon, pattern, (*slots, step.op(*values))))
        cells = following
    return [Cell(polygon, pattern, tuple(slots[-1])) for polygon, pattern, slots in cells]


def _apply(op: Pointwise | Maximum, domain: Any, forms: Sequence[Form]) -> list[tuple[Any, tuple[int, ...], Sequence[Form]]]:
    return _apply_maximum(op, domain, forms) if isinstance(op, Maximum) else _apply_pointwise(op, domain, forms)


def _apply_maximum(op: Maximum, domain: Any, forms: Sequence[Form]) -> list[tuple[Any, tuple[int, ...], Sequence[Form]]]:
    """Cut a polygon, or an interval, into the parts where one candidate of each window is the largest."""
    parts: list[tuple[Any, tuple[int, ...], Sequence[Form]]] = [(domain, (), ())]
    for window in op.windows:
        candidates = {place: forms[entry] for place, entry in enumerate(window) if entry >= 0}
        parts = [
            (piece, (*places, place), (*out, candidates[place]))
            for part, places, out in parts
            for place in candidates
            if (piece := _where_largest(part, candidates, place, op.lower)) is not None
        ]
    return parts


def _where_largest(domain: Any, candidates: dict[int, Form], place: int, lower: bool) -> Any:
    """The part with interior where a candidate is the largest, or None; a tie on all of it belongs to the lower place."""
    for other, form in candidates.items():
        if other != place:
            lead = tuple((q - p) if lower else (p - q) for p, q in zip(candidates[place], form, strict=True))
            sides = {on: piece for piece, on in _cut(domain, lead)}
            if True not in sides and not (place < other and _vanishes(domain, lead)):
                return None
            domain = sides.get(True, domain)
    return domain


def _vanishes(domain: Any, form: Form) -> bool:
    return not any(sum((c * x for c, x in zip(form[:-1], point, strict=True)), form[-1]) for point in domain)


def _apply_pointwise(op: Pointwise, domain: Any, forms: Sequence[Form]) -> list[tuple[Any, tuple[int, ...], Sequence[Form]]]:
    """Cut a polygon, or an interval where forms have one coordinate, by every unit; with the states and what comes out."""
    parts: list[tuple[Any, tuple[int, ...]]] = [(domain, ())]
    for breakpoint_ in op.breakpoints:
        for form in forms:
            switch = (*form[:-1], form[-1] - breakpoint_)
            parts = [(piece, (*bits, on)) for part, bits in parts for piece, on in _cut(part, switch)]
    n = len(forms)
    return [(part, bits, [op.piece(entry, sum(bits[entry::n]), form) for entry, form in enumerate(forms)]) for part, bits in parts]


def _cut(domain: Any, form: Form) -> list[tuple[Any, bool]]:
    """The parts where the form is at most zero and at least zero, those with interior; a form that is zero on all of it is off."""
    values = [sum((c * x for c, x in zip(form[:-1], point, strict=True)), form[-1]) for point in domain]
    if max(values) <= 0:
        return [(domain, False)]
    if min(values) >= 0:
        return [(domain, True)]
    if len(form) == 2:
        zero = (-form[1] / form[0],)
        off_first = values[0] < 0
        return [((domain[0], zero), not off_first), ((zero, domain[1]), off_first)]
    return [(_keep(domain, values, -1), False), (_keep(domain, values, 1), True)]


def _keep(polygon: tuple[Point, ...], values: Sequence[Fraction], side: int) -> tuple[Point, ...]:
    kept = []
    for i, (point, value) in enumerate(zip(polygon, values, strict=True)):
        if value * side >= 0:
            kept.append(point)
        after, next_value = polygon[(i + 1) % len(polygon)], values[(i + 1) % len(polygon)]
        if value * next_value < 0:
            t = value / (value - next_value)
            kept.append((point[0] + t * (after[0] - point[0]), point[1] + t * (after[1] - point[1])))
    return tuple(kept)


def crossings(network: Network, a: Sequence[Any], b: Sequence[Any]) -> list[Fraction]:
    """The parameters in (0, 1), in order, at which the activation pattern changes on the way from a to b."""
    frame: list[Form] = [(Fraction(q) - Fraction(p), Fraction(p)) for p, q in zip(a, b, strict=True)]
    pieces: list[tuple[Any, tuple[Sequence[Form], ...]]] = [(((Fraction(0),), (Fraction(1),)), (frame,))]
    for step in network.steps:
        following = []
        for interval, slots in pieces:
            values = [slots[i] for i in step.inputs]
            if isinstance(step.op, Pointwise | Maximum):
                following += [(part, (*slots, out)) for part, _, out in _apply(step.op, interval, values[0])]
            else:
                following.append((interval, (*slots, step.op(*values))))
        pieces = following
    return sorted(interval[0][0] for interval, _ in pieces)[1:]


def _sides(polygon: tuple[Point, ...]) -> list[tuple[Point, Point]]:
    return list(pairwise((*polygon, polygon[0])))


def _line_through(a: Point, b: Point) -> tuple[Fraction, ...]:
    """A key that two segments share if and only if they lie on one line."""
    du, dv = b[0] - a[0], b[1] - a[1]
    return (Fraction(1), dv / du, a[1] - a[0] * dv / du) if du else (Fraction(0), Fraction(1), a[0])


def _changes(before: Pattern, after: Pattern) -> frozenset[tuple[int, int]]:
    return frozenset(
        (stage, unit)
        for stage, (row, other) in enumerate(zip(before, after, strict=True))
        for unit, (bit, flipped) in enumerate(zip(row, other, strict=True))
        if bit != flipped
    )
