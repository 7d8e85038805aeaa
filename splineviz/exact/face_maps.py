"""Lines of the sides of faces, places of their corners, and units there, from the affine maps of faces.

Errors of a map are those of one pass through the program; so a vertex's place follows from two lines, and the
values there from its place, without what has become of their errors from birth to birth and stage to stage.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from splineviz.exact.balls import NOWHERE, Crossing, Line, crossing
from splineviz.exact.carried import Carried
from splineviz.exact.double_double import DoubleDouble
from splineviz.exact.entry_functions import BITS, IN_FIELDS, IN_TWO_FLOATS, EntryFunctions
from splineviz.exact.face_corners import NO_CORNERS, Corners, FaceCorners, corners_at, on_few_faces
from splineviz.exact.face_sides import FaceSides, Residue, combined_column
from splineviz.exact.face_states import FaceStates
from splineviz.exact.fields import PRIMES, Residues
from splineviz.exact.forward import StageRound
from splineviz.exact.line_crossings import Places, cross_lines
from splineviz.geometry.answers import UnsureError
from splineviz.geometry.predicates import TINY
from splineviz.geometry.rounding import FLOOR, SAFE, UNIT_ROUNDOFF
from splineviz.program.nodes import Maximum, Pointwise
from splineviz.program.program import Program

__all__ = ["FaceMaps", "Known"]

T = TypeVar("T", DoubleDouble, Residues)
F = TypeVar("F", EntryFunctions, np.ndarray)


@dataclass(slots=True)
class _Found:
    """Corners that are known, and which of them a vertex has; -1 for a vertex with none."""

    corners: Corners = NO_CORNERS
    row_of: dict[int, int] = field(default_factory=dict)

    def add(self, more: Corners) -> None:
        n = len(self.corners.face)
        self.row_of.update(zip(more.vertex.tolist(), range(n, n + len(more.face)), strict=True))
        self.corners = self.corners.followed_by(more)


class Known(NamedTuple):
    """A tensor at exact places of vertices, where all faces' maps agree."""

    values: Tensor
    """(places, *shape)"""
    norm: np.ndarray
    error: np.ndarray
    """(places,) bounds of the norms of differences from the exact tensor"""


@dataclass(frozen=True, eq=False)
class FaceMaps:
    """Maps on faces, and what follows from them about units of a step."""

    states: FaceStates
    step: StageRound
    near: Carried[DoubleDouble, EntryFunctions]
    """Maps in numbers of two float64"""
    exact: Carried[Residues, np.ndarray]
    """Maps in finite fields"""
    _found: _Found = field(default_factory=_Found)

    @classmethod
    def of(
        cls, program: Program, states: FaceStates, step: StageRound, memory: Callable[[], int]
    ) -> FaceMaps:
        """No maps yet of any faces, before a stage cuts or behind it; ``memory`` tells how many bytes are
        kept of either kind, once there are any."""
        near = Carried(program, states, step.stage, IN_TWO_FLOATS, memory)
        return cls(states, step, near, Carried(program, states, step.stage, IN_FIELDS, memory))

    def during(self, states: FaceStates, step: StageRound) -> FaceMaps:
        """Maps that are known already, for faces in the middle of the stage."""
        for carried in (self.near, self.exact):
            carried.make_room()
        return replace(self, states=states, step=step, _found=_Found())

    def in_parts(self, vertices: np.ndarray) -> Iterator[np.ndarray]:
        """Vertices, as many at a time as there are maps that are kept: corners and maps of earlier ones may
        be forgotten."""
        for first in range(0, len(vertices), self.near.most):
            part = vertices[first : first + self.near.most]
            self.near.make_room(len(part))
            self._found.row_of, self._found.corners = {}, NO_CORNERS
            yield part

    @property
    def _sides(self) -> FaceSides:
        return FaceSides(self.states, self.near, self.exact)

    @property
    def node(self) -> Pointwise | Maximum:
        """The node of the step."""
        return self.near.node

    def affordable(self, limit: float) -> int:
        """Number of faces whose maps take no more than so many products, in either kind of numbers."""
        return min(self.near.affordable(limit), self.exact.affordable(limit))

    def served(self, vertices: np.ndarray, limit: float) -> bool:
        """Whether the maps that `corners` of vertices need, and that are not known yet, take no more than so
        many products, in either kind of numbers."""
        if len(vertices) <= self.affordable(limit):
            return True
        known = self._found.row_of
        lacking = np.array([v for v in np.unique(vertices).tolist() if v not in known], np.int64)
        fewest = self._fewest(len(lacking))
        if max(self.near.least_effort(fewest), self.exact.least_effort(fewest)) > limit:
            return False
        before, rows = self._on_few_faces(corners_at(self.states, lacking))
        faces = before[rows].tolist()
        return max(self.near.effort(faces), self.exact.effort(faces)) <= limit

    def _fewest(self, n_vertices: int) -> int:
        """No fewer faces have so many corners."""
        corners = np.cumsum(np.sort(self.states.subdivision.faces.lengths)[::-1])
        return int(np.searchsorted(corners, n_vertices))

    def _on_few_faces(self, corners: FaceCorners) -> tuple[np.ndarray, np.ndarray]:
        """(the face with the map of each corner, rows of one corner for each vertex)."""
        before = self.states.before(corners.face)
        return before, on_few_faces(corners, before, self.near.known(before))

    def corners(self, vertices: np.ndarray) -> tuple[np.ndarray, Corners]:
        """(which, corners): those of the vertices at which two lines are known to cross, each as a corner of
        a face.

        Raises
        ------
        InexactError
            If a node on the way has no known form.
        """
        row_of = self._found.row_of
        new = [v for v in dict.fromkeys(vertices.tolist()) if v not in row_of]
        left = corners_at(self.states, np.array(new, np.int64))
        while len(left.vertex):
            before, rows = self._on_few_faces(left)
            chosen = left.only(rows)
            self.near.make(before[rows].tolist())
            sides = np.stack([chosen.before, chosen.after])
            places = cross_lines(*(self._sides.functions(chosen.face, edges) for edges in sides))
            told = np.flatnonzero(places.distance < np.inf)
            self._found.add(Corners(chosen.vertex, chosen.face, sides, *places).only(told))
            open_ = ~np.isin(left.vertex, chosen.vertex[told])
            open_[rows] = False
            left = left.only(np.flatnonzero(open_))
        for v in new:
            row_of.setdefault(v, -1)
        place = np.array([row_of[v] for v in vertices.tolist()], np.int64)
        which = np.flatnonzero(place >= 0)
        return which, self._found.corners.only(place[which])

    def points(self, corners: Corners) -> list[Crossing]:
        """The points of corners as far as their lines are known."""
        lines = (self._sides.lines(corners.face, edges) for edges in corners.sides)
        return [_crossing(*both) for both in zip(*lines, strict=True)]

    def units(self, faces: np.ndarray, units: np.ndarray) -> list[Line]:
        """Switching functions of the step, each on a face whose map is known."""
        result: list[Line | None] = [None] * len(faces)
        for rows, functions in self._units(self.near, faces, units):
            lines = functions.lines(np.arange(len(rows)), self._shift)
            for row, line in zip(rows.tolist(), lines, strict=True):
                result[row] = line
        return [line for line in result if line is not None]

    def exactly(
        self, corners: Corners, which: np.ndarray, units: np.ndarray
    ) -> tuple[list[Crossing], list[Line]]:
        """The points of corners, and units each on the face of the corner of that number, with residues.

        Raises
        ------
        InexactError
            If a node on the way has no form in finite fields.
        """
        residues, own = self._exact_corners(corners), corners.face[which]
        first, second = (
            [_with(line, r) for line, r in zip(self._sides.lines(corners.face, edges), theirs, strict=True)]
            for edges, theirs in zip(corners.sides, residues, strict=True)
        )
        points = [_crossing(*lines) for lines in zip(first, second, strict=True)]
        lines = [
            _with(line, r)
            for line, r in zip(self.units(own, units), self._line_residues(own, units), strict=True)
        ]
        return points, lines

    def vanish(self, corners: Corners, which: np.ndarray, units: np.ndarray) -> np.ndarray:
        """Which units are zero, each at the corner of that number.

        Raises
        ------
        InexactError
            If a node on the way has no form in finite fields.
        """
        residues = self._exact_corners(corners)
        result = np.zeros(len(units), bool)
        (c, p, q), (d, r, s) = (np.array(own, object).reshape(-1, 3).T for own in residues)
        point = (p * s - q * r, q * d - c * s, c * r - p * d)
        w, x, y = (np.stack([number % prime for prime in PRIMES]).astype(np.int64) for number in point)
        primes = np.array(PRIMES)[:, None]
        for rows, functions in self._units(self.exact, corners.face[which], units):
            at, (c, p, q) = which[rows], functions.transpose(1, 0, 2).astype(np.int64)
            result[rows] = ((c * w[:, at] + p * x[:, at] + q * y[:, at]) % primes == 0).all(0)
        return result

    def _exact_corners(self, corners: Corners) -> tuple[list[Residue], list[Residue]]:
        """Residues of the two lines that cross at each of some corners."""
        self.exact.make(self.states.before(corners.face).tolist())
        first, second = (self._sides.residues(corners.face, edges) for edges in corners.sides)
        return first, second

    def _units(
        self, carried: Carried[T, F], faces: np.ndarray, units: np.ndarray
    ) -> Iterator[tuple[np.ndarray, F]]:
        """(rows, functions) of units of the step, each on a face whose map is known."""
        if isinstance(self.node, Pointwise):
            kink, entry = np.divmod(units, math.prod(self.node.shape))
            return carried.units(self.states.before(faces), entry, kink)
        compared = self.states.compared(self.node, self.step, faces, units)
        return carried.units(self.states.before(faces), *compared)

    @cached_property
    def _shift(self) -> int:
        """Units of one vertex are all times one power of two."""
        x = self.near.first.slots[self.node.inputs[0]]
        return BITS - math.frexp(max(float(x.high.abs().max()), 2.0**-900))[1]

    def values(self, corners: Corners) -> Iterator[tuple[np.ndarray, dict[int, Known]]]:
        """(which of the corners, tensors that are alive there by slot), for some at a time."""
        for batch, which in self.near.by_batch(self.states.before(corners.face)):
            here = corners.only(which)
            own = batch.rows_of(self.states.before(here.face))
            factors = [column for pair in zip(here.uv.T, here.low.T, strict=True) for column in pair]
            result: dict[int, Known] = {}
            for slot, maps in batch.slots.items():
                n = len(maps.high) // 3
                origin, first, second = (maps.only(own + i * n) for i in range(3))
                total, shape = origin, (-1, *[1] * (maps.high.dim() - 1))
                for part, factor in zip((first, first, second, second), factors, strict=True):
                    if factor.any():
                        times = torch.from_numpy(np.ascontiguousarray(factor)).reshape(shape)
                        total = total.plus(part.times(times, np.abs(factor)))
                exactly_zero = (origin.high == 0.0) & (first.high == 0.0) & (second.high == 0.0)
                high = torch.where((total.high == 0.0) & ~exactly_zero, TINY, total.high)
                norm, slopes = total.norms(), (first.norms() + first.error, second.norms() + second.error)
                error = total.error + np.hypot(*slopes) * here.distance
                result[slot] = Known(high, norm, SAFE * (error + UNIT_ROUNDOFF * norm) + FLOOR)
            yield which, result

    def places(self, vertices: np.ndarray) -> Places:
        """Places of vertices, as `corners` finds them."""
        n = len(vertices)
        result, first = Places(np.zeros((n, 2)), np.zeros((n, 2)), np.full(n, np.inf)), 0
        for part in self.in_parts(vertices):
            which, corners = self.corners(part)
            for column, found in zip(result, (corners.uv, corners.low, corners.distance), strict=True):
                column[first + which] = found
            first += len(part)
        return result

    def switching(
        self, corners: Corners, which: np.ndarray, units: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(values, bounds of their errors) of units, each at the corner of that number."""
        node, z, error = self.node, np.zeros(len(units)), np.full(len(units), np.inf)
        for some, tensors in self.values(corners):
            row = np.full(len(corners.face), -1)
            row[some] = np.arange(len(some))
            mine = np.flatnonzero(row[which] >= 0)
            at, unit, known = row[which[mine]], units[mine], tensors[node.inputs[0]]
            x = known.values.reshape(len(some), -1).numpy()
            bound = known.error
            if isinstance(node, Pointwise):
                kink, entry = np.divmod(unit, x.shape[1])
                one, other = x[at, entry], node.kinks[kink, entry]
            else:
                own = corners.face[some][at]
                one, other = (x[at, entries] for entries in self.states.compared(node, self.step, own, unit))
                bound = 1.5 * bound
            z[mine] = one - other
            size = np.abs(one) + np.abs(other)
            error[mine] = SAFE * (bound[at] + 4.0 * UNIT_ROUNDOFF * size) + FLOOR
        return z, error

    def _line_residues(self, faces: np.ndarray, units: np.ndarray) -> list[Residue]:
        """Residues of units of the step, each on a face whose map is known."""
        result: list[Residue] = [()] * len(faces)
        for rows, functions in self._units(self.exact, faces, units):
            for column, row in enumerate(rows.tolist()):
                result[row] = combined_column(functions, column)
        return result


def _crossing(first: Line | None, second: Line | None) -> Crossing:
    """The point in which two lines cross; any at all where they are not known well enough."""
    if first is not None and second is not None:
        with suppress(UnsureError):
            return crossing(first, second)
    return NOWHERE


def _with(line: Line | None, residues: Residue) -> Line:
    """A line with its residues."""
    assert line is not None
    c, p, q = (replace(number, residue=r) for number, r in zip(line, residues, strict=True))
    return c, p, q
