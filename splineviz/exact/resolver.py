"""Values of units at exact vertices, in two float64 or exactly, as far as a budget goes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from splineviz.deadline import check_time
from splineviz.exact.ancestry import Ancestry, ExactPoint, Key, Lacking, missing
from splineviz.exact.balls import Ball, Crossing, Line, value_at
from splineviz.exact.digits import ExactTensor, InexactError
from splineviz.exact.equal_functions import equal_entries
from splineviz.exact.face_corners import NO_CORNERS, Corners
from splineviz.exact.face_maps import FaceMaps
from splineviz.exact.forward import CALL, Point, StageRound, switching, work
from splineviz.exact.ties import Ties, vanish_with_edges
from splineviz.geometry.answers import UnsureError, Value
from splineviz.geometry.questions import UNKNOWN
from splineviz.plane import Plane
from splineviz.program.nodes import Maximum, Pointwise
from splineviz.program.program import Program

__all__ = ["Resolver", "effort", "find", "located"]

_BATCH = 3e8  # products of two digits in one batch, more or less
_DIGITS = 100.0  # products of two digits for one of two numbers, more or less
_MANY = 4  # questions at one vertex from which on all values there are found at once
_MANY_SIGNS = 16  # questions of a stage from which on equal functions are looked for


@dataclass(frozen=True)
class Resolver:
    """Answers for one step of a walk; see `geometry.answers`."""

    program: Program
    ancestry: Ancestry
    step: StageRound
    limit: float = math.inf
    """`effort` for one set of questions"""
    maps: FaceMaps | None = None
    """The faces with their maps, by which most is told; None if all is to be exact"""

    def rungs(self) -> Iterator[Callable[[np.ndarray], Value | None]]:
        """Two float64 first, then with residues, which tell zeros, then exact arithmetic."""
        if self.maps is not None:
            yield self.nearly
            yield self.nearly_or_zero
        yield self.at

    def coincident(self, questions: np.ndarray) -> np.ndarray:
        """Questions about what is equal by construction."""
        if self._ties is not None:
            return self._ties.of(questions)
        node = self.program.ways[self.step.stage][-1]
        if self.maps is not None and isinstance(node, Pointwise) and len(questions) >= _MANY_SIGNS:
            states = self.maps.states
            equal = equal_entries(self.program, states.planes)
            if equal is not None:
                return vanish_with_edges(self.program, states, node, equal, questions)
        return np.zeros(len(questions), bool)

    @cached_property
    def _ties(self) -> Ties | None:
        node = self.program.ways[self.step.stage][-1]
        if self.maps is None or not isinstance(node, Maximum):
            return None
        equal = equal_entries(self.program, self.maps.states.planes)
        return Ties(node, self.maps.states, self.step, None if equal is None else equal[self.step.stage])

    def signs(self, pairs: np.ndarray) -> np.ndarray:
        """Signs for rows (vertex, unit) that values rounded to float64 tell, and zeros that residues tell, at
        vertices with many of them."""
        _, number, counts = np.unique(pairs[:, 0], return_inverse=True, return_counts=True)
        many, result = np.flatnonzero(counts[number] >= _MANY), np.full(len(pairs), UNKNOWN)
        rows, corners, which = self._at_corners(pairs[many])
        rows = many[rows]
        if not len(rows):
            return result
        assert self.maps is not None
        z, error = self.maps.switching(corners, which, pairs[rows, 1])
        result[rows] = np.where(np.abs(z) > error, np.sign(z), UNKNOWN)
        open_ = result[rows] == UNKNOWN
        asked, place = np.unique(which[open_], return_inverse=True)
        with suppress(InexactError):
            vanish = self.maps.vanish(corners.only(asked), place, pairs[rows[open_], 1])
            result[rows[open_][vanish]] = 0
        return result

    def nearly(self, pairs: np.ndarray) -> Value | None:
        """Values for rows (vertex, unit) up to bounds; None where they cost more than allowed, or cannot be
        had."""
        rows, corners, which = self._at_corners(pairs)
        if not len(rows):
            return None
        assert self.maps is not None
        lines = self.maps.units(corners.face[which], pairs[rows, 1])
        return _values_of(pairs[rows], self.maps.points(corners), which, lines)

    def nearly_or_zero(self, pairs: np.ndarray) -> Value | None:
        """Likewise, and zeros are told."""
        rows, corners, which = self._at_corners(pairs)
        if not len(rows):
            return None
        assert self.maps is not None
        try:
            points, lines = self.maps.exactly(corners, which, pairs[rows, 1])
        except InexactError:
            return None
        return _values_of(pairs[rows], points, which, lines)

    def _at_corners(self, pairs: np.ndarray) -> tuple[np.ndarray, Corners, np.ndarray]:
        """(rows, corners, the number of its corner for each row) of rows (vertex, unit), as far as vertices
        are corners of faces whose maps are not too many."""
        vertices, place = np.unique(pairs[:, 0], return_inverse=True)
        nothing = np.empty(0, np.int64)
        if self.maps is None or not self.affordable(vertices):
            return nothing, NO_CORNERS, nothing
        try:
            found, corners = self.maps.corners(vertices)
        except InexactError:
            return nothing, NO_CORNERS, nothing
        number = np.full(len(vertices), -1)
        number[found] = np.arange(len(found))
        rows = np.flatnonzero(number[place] >= 0)
        return rows, corners, number[place[rows]]

    def affordable(self, vertices: np.ndarray) -> bool:
        """Whether the maps that serve vertices do not cost more than allowed."""
        return self.maps is not None and self.maps.served(vertices, self.limit)

    def at(self, pairs: np.ndarray) -> Value | None:
        """Exact values for rows (vertex, unit); None where they cost more than allowed, or cannot be had."""
        vertices, place = np.unique(pairs[:, 0], return_inverse=True)
        keys = [self.ancestry.key(vertex) for vertex in vertices.tolist()]
        lacking = missing(keys)
        if effort(self.program, lacking, len(keys), self.step.stage) > self.limit:
            return None
        try:
            find(self.program, lacking)
            known = _values(self.program, keys, place, pairs[:, 1], self.step)
        except InexactError:
            return None
        if known is None:
            return None
        values = dict(zip(map(tuple, pairs.tolist()), known, strict=True))
        return lambda vertex, unit: values[vertex, unit]


def _values_of(
    pairs: np.ndarray, points: Sequence[Crossing], which: np.ndarray, lines: Sequence[Line]
) -> Value:
    """Values of units, each at a point, by rows (vertex, unit)."""
    known = {
        pair: value_at(line, points[i])
        for pair, line, i in zip(map(tuple, pairs.tolist()), lines, which.tolist(), strict=True)
    }

    def value(vertex: int, unit: int) -> Ball:
        if (vertex, unit) not in known:
            raise UnsureError
        return known[vertex, unit]

    return value


def effort(program: Program, lacking: Lacking, n_vertices: int, stage: int) -> float:
    """Products of two digits, more or less, that the values of so many vertices up to a stage take, and the
    places that they lack.

    Calls are counted as some of these.
    """
    n_vertices, n_passes = n_vertices + len(lacking), len({step for *_, step in lacking.values()}) + 1
    n_nodes = 1 + next(
        (i for i, node in enumerate(program.nodes) if getattr(node, "stage", -1) == stage), len(program.nodes)
    )
    return _DIGITS * n_vertices * work(program, stage) + CALL * n_passes * n_nodes


def located(
    program: Program, ancestry: Ancestry, vertices: Sequence[int] | np.ndarray, limit: float
) -> list[ExactPoint | None]:
    """The exact places of vertices, or of as many of the first as ``limit`` of `effort` allows; None where
    none is known."""
    last = len(program.stages) - 1
    each = effort(program, {}, 1, last) - effort(program, {}, 0, last)
    n = int(min(len(vertices), limit / max(each, 1.0)))
    while n:
        keys = [ancestry.key(int(vertex)) for vertex in vertices[:n]]
        lacking = missing(keys)
        if effort(program, lacking, 0, last) <= limit:
            try:
                find(program, lacking)
            except InexactError:
                break
            return [born.places[row] for born, row in keys]
        n //= 2
    return []


def find(program: Program, lacking: Lacking) -> None:
    """Find the places that are `missing`.

    Raises
    ------
    InexactError
        If a node of the program has no exact form.
    """
    lacking = dict(lacking)
    while lacking:
        ready = [key for key, (a, b, _, _) in lacking.items() if a not in lacking and b not in lacking]
        _settle(program, {key: lacking.pop(key) for key in ready})


def _settle(program: Program, ready: Lacking) -> None:
    """Find the places of vertices both of whose ends have one."""
    by_step: dict[StageRound, list[Key]] = {}
    for key, (*_, step) in ready.items():
        by_step.setdefault(step, []).append(key)
    for step, keys in by_step.items():
        ends = list(
            dict.fromkeys(end for key in keys for end in ready[key][:2] if end[0].places[end[1]] is not None)
        )
        row = {end: i for i, end in enumerate(ends)}
        whole = [key for key in keys if all(end in row for end in ready[key][:2])]
        asked = np.array(
            [(row[end], ready[key][2]) for key in whole for end in ready[key][:2]], dtype=np.int64
        ).reshape(-1, 2)
        known = _values(program, ends, asked[:, 0], asked[:, 1], step) or []
        found: dict[Key, ExactPoint | None] = dict.fromkeys(keys)
        for i, key in enumerate(whole):
            a, b = (end[0].places[end[1]] for end in ready[key][:2])
            found[key] = _between(a, b, known[2 * i], known[2 * i + 1])
        for (ancestry, born), place in found.items():
            ancestry.places[born] = place


def _values(
    program: Program, keys: Sequence[Key], vertex: np.ndarray, unit: np.ndarray, step: StageRound
) -> list[int] | None:
    """Switching functions of a step at some of the vertices ``keys``, for rows of (vertex, unit).

    Those of a vertex are times one positive number. None if a vertex has no place.
    """
    if any(key[0].places[key[1]] is None for key in keys):
        return None
    result = np.empty(len(vertex), dtype=object)
    size = max(1, int(_BATCH / (_DIGITS * max(1.0, work(program, step.stage)))))
    for first in range(0, len(keys), size):
        check_time()
        rows = np.flatnonzero((vertex >= first) & (vertex < first + size))
        order, exact = _at_once(program, keys[first : first + size], step)
        result[rows] = exact.integers(order[vertex[rows] - first], unit[rows])
    return list(result)


def _at_once(program: Program, keys: Sequence[Key], step: StageRound) -> tuple[np.ndarray, ExactTensor]:
    """(the row of each vertex, the switching functions there)."""
    points: dict[Plane, list[Point]] = {}
    owners: dict[Plane, list[int]] = {}
    for i, key in enumerate(keys):
        place = key[0].places[key[1]]
        assert place is not None
        points.setdefault(place.plane, []).append(place.point)
        owners.setdefault(place.plane, []).append(i)
    row = np.empty(len(keys), dtype=np.int64)
    row[[i for own in owners.values() for i in own]] = np.arange(len(keys))
    return row, switching(program, points, step)


def _between(a: ExactPoint | None, b: ExactPoint | None, za: int, zb: int) -> ExactPoint | None:
    """Exact point at which a function with these values at a and b, over the third coordinates of both,
    vanishes; None if it does not between."""
    if a is None or b is None or za * zb >= 0:
        return None
    x, y, w = (abs(zb) * p + abs(za) * q for p, q in zip(a.point, b.point, strict=True))
    common = math.gcd(x, y, w)
    return ExactPoint(a.plane, (x // common, y // common, w // common))
