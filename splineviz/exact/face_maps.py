"""Lines of the sides of faces, places of their corners, and units there, from the affine maps of faces.

Errors of a map are those of one pass through the program; so a vertex's place follows from two lines, and the
values there from its place, without what has become of their errors from birth to birth and stage to stage.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from splineviz.exact.balls import Crossing, Line, crossing, through
from splineviz.exact.carried import Carried
from splineviz.exact.double_double import DoubleDouble
from splineviz.exact.entry_functions import BITS, IN_FIELDS, IN_TWO_FLOATS, EntryFunctions
from splineviz.exact.face_corners import FaceCorners, corners_at, on_few_faces
from splineviz.exact.face_states import FaceStates
from splineviz.exact.fields import MODULUS, PRIMES, Residues, combined
from splineviz.exact.forward import StageRound
from splineviz.exact.quotients import Place, place_of, quotients
from splineviz.geometry.answers import UnsureError
from splineviz.geometry.candidate_rounds import IN_WORK
from splineviz.geometry.predicates import TINY
from splineviz.geometry.rounding import FLOOR, SAFE, UNIT_ROUNDOFF
from splineviz.geometry.subdivision import RIM
from splineviz.program.nodes import Maximum, Pointwise
from splineviz.program.program import Program

__all__ = ["Corner", "FaceMaps", "Known"]

Residue = tuple[int, ...]
"""(c, p, q) of a line, or all of them times one number"""
T = TypeVar("T", DoubleDouble, Residues)
F = TypeVar("F", EntryFunctions, np.ndarray)


@dataclass(frozen=True)
class Corner:
    """A vertex as a corner of a face whose maps are known."""

    face: int
    sides: tuple[int, int]
    """The edges that cross there"""
    point: Crossing
    """(X, Y, W) with uv = (X / W, Y / W)"""


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
    _corner_of: dict[int, Corner | None] = field(default_factory=dict)

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
        return replace(self, states=states, step=step, _corner_of={})

    def in_parts(self, vertices: np.ndarray) -> Iterator[np.ndarray]:
        """Vertices, as many at a time as there are maps that are kept: corners and maps of earlier ones may
        be forgotten."""
        for first in range(0, len(vertices), self.near.most):
            part = vertices[first : first + self.near.most]
            self.near.make_room(len(part))
            self._corner_of.clear()
            yield part

    @property
    def node(self) -> Pointwise | Maximum:
        """The node of the step."""
        return self.near.node

    def affordable(self, limit: float) -> int:
        """Number of faces whose maps take no more than so many products, in either kind of numbers."""
        return min(self.near.affordable(limit), self.exact.affordable(limit))

    def corners(self, vertices: Sequence[int]) -> list[Corner | None]:
        """Each vertex as a corner of a face; None where no two of its lines are known to cross.

        Raises
        ------
        InexactError
            If a node on the way has no known form.
        """
        new = [v for v in dict.fromkeys(vertices) if v not in self._corner_of]
        left = corners_at(self.states, np.array(new, np.int64))
        while len(left.vertex):
            before = self.states.before(left.face)
            known = np.array([self.near.has(face) for face in before.tolist()], bool)
            rows = on_few_faces(left, before, known)
            chosen = left.only(rows)
            self.near.make(before[rows].tolist())
            self._corner_of.update((v, corner) for v, corner in self._crossings(chosen) if corner)
            found = [v for v in chosen.vertex.tolist() if v in self._corner_of]
            open_ = ~np.isin(left.vertex, found)
            open_[rows] = False
            left = left.only(np.flatnonzero(open_))
        for v in new:
            self._corner_of.setdefault(v)
        return [self._corner_of[v] for v in vertices]

    def units(self, faces: np.ndarray, units: np.ndarray) -> list[Line]:
        """Switching functions of the step, each on a face whose map is known."""
        result: list[Line | None] = [None] * len(faces)
        for rows, functions in self._units(self.near, faces, units):
            lines = functions.lines(np.arange(len(rows)), self._shift)
            for row, line in zip(rows.tolist(), lines, strict=True):
                result[row] = line
        return [line for line in result if line is not None]

    def exactly(
        self, corners: Sequence[Corner], which: np.ndarray, units: np.ndarray
    ) -> tuple[list[Crossing], list[Line]]:
        """The points of corners, and units each on the face of the corner of that number, with residues.

        Raises
        ------
        InexactError
            If a node on the way has no form in finite fields.
        """
        faces, sides, residues = self._exact_corners(corners)
        first, second = (
            [_with(line, r) for line, r in zip(self._side_lines(faces, edges), own, strict=True)]
            for edges, own in zip(sides, residues, strict=True)
        )
        points, own = [crossing(*lines) for lines in zip(first, second, strict=True)], faces[which]
        lines = [
            _with(line, r)
            for line, r in zip(self.units(own, units), self._line_residues(own, units), strict=True)
        ]
        return points, lines

    def vanish(self, corners: Sequence[Corner], which: np.ndarray, units: np.ndarray) -> np.ndarray:
        """Which units are zero, each at the corner of that number.

        Raises
        ------
        InexactError
            If a node on the way has no form in finite fields.
        """
        faces, _, residues = self._exact_corners(corners)
        result = np.zeros(len(units), bool)
        (c, p, q), (d, r, s) = (np.array(own, object).reshape(-1, 3).T for own in residues)
        point = (p * s - q * r, q * d - c * s, c * r - p * d)
        w, x, y = (np.stack([number % prime for prime in PRIMES]).astype(np.int64) for number in point)
        primes = np.array(PRIMES)[:, None]
        for rows, functions in self._units(self.exact, faces[which], units):
            at, (c, p, q) = which[rows], functions.transpose(1, 0, 2).astype(np.int64)
            result[rows] = ((c * w[:, at] + p * x[:, at] + q * y[:, at]) % primes == 0).all(0)
        return result

    def _exact_corners(
        self, corners: Sequence[Corner]
    ) -> tuple[np.ndarray, np.ndarray, tuple[list[Residue], list[Residue]]]:
        """(faces, (2, n) the edges that cross, residues of the lines of these) of corners."""
        faces = np.array([corner.face for corner in corners], np.int64)
        first, second = sides = np.array([corner.sides for corner in corners], np.int64).reshape(-1, 2).T
        self.exact.make(self.states.before(faces).tolist())
        return faces, sides, (self._side_residues(faces, first), self._side_residues(faces, second))

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

    def values(self, corners: Sequence[Corner]) -> Iterator[tuple[np.ndarray, list[Place], dict[int, Known]]]:
        """(which of the corners, their places, tensors that are alive there by slot), for some at a time."""
        faces = self.states.before(np.array([corner.face for corner in corners], np.int64))
        for batch, which in self.near.by_batch(faces):
            own = batch.rows_of(faces[which])
            both = [quotients(corners[i].point) for i in which.tolist()]
            places = [place_of(u, v) for u, v in both]
            distance = np.array([place.distance for place in places])
            # (4, corners): high and low of u, then of v
            factors = np.array([[u.high, u.low, v.high, v.low] for u, v in both]).T
            result: dict[int, Known] = {}
            for slot, maps in batch.slots.items():
                n = len(maps.high) // 3
                origin, first, second = (maps.only(own + i * n) for i in range(3))
                total, shape = origin, (-1, *[1] * (maps.high.dim() - 1))
                for part, factor in zip((first, first, second, second), factors, strict=True):
                    if factor.any():
                        total = total.plus(
                            part.times(torch.from_numpy(factor).reshape(shape), np.abs(factor))
                        )
                exactly_zero = (origin.high == 0.0) & (first.high == 0.0) & (second.high == 0.0)
                high = torch.where((total.high == 0.0) & ~exactly_zero, TINY, total.high)
                norm, slopes = total.norms(), (first.norms() + first.error, second.norms() + second.error)
                error = total.error + np.hypot(*slopes) * distance
                result[slot] = Known(high, norm, SAFE * (error + UNIT_ROUNDOFF * norm) + FLOOR)
            yield which, places, result

    def places(self, vertices: np.ndarray) -> list[Place | None]:
        """Places of vertices, as `corners` finds them."""
        corners = [corner for part in self.in_parts(vertices) for corner in self.corners(part.tolist())]
        return [None if corner is None else place_of(*quotients(corner.point)) for corner in corners]

    def switching(
        self, corners: Sequence[Corner], which: np.ndarray, units: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(values, bounds of their errors) of units, each at the corner of that number."""
        node, z, error = self.node, np.zeros(len(units)), np.full(len(units), np.inf)
        for some, _, tensors in self.values(corners):
            row = np.full(len(corners), -1)
            row[some] = np.arange(len(some))
            mine = np.flatnonzero(row[which] >= 0)
            at, unit, known = row[which[mine]], units[mine], tensors[node.inputs[0]]
            x = known.values.reshape(len(some), -1).numpy()
            bound = known.error
            if isinstance(node, Pointwise):
                kink, entry = np.divmod(unit, x.shape[1])
                one, other = x[at, entry], node.kinks[kink, entry]
            else:
                own = np.array([corners[i].face for i in some.tolist()])[at]
                one, other = (x[at, entries] for entries in self.states.compared(node, self.step, own, unit))
                bound = 1.5 * bound
            z[mine] = one - other
            size = np.abs(one) + np.abs(other)
            error[mine] = SAFE * (bound[at] + 4.0 * UNIT_ROUNDOFF * size) + FLOOR
        return z, error

    def _crossings(self, corners: FaceCorners) -> Iterator[tuple[int, Corner | None]]:
        """Each vertex, and its corner where the two lines there are known to cross, on faces whose maps are
        known."""
        sides = [self._side_lines(corners.face, edges) for edges in (corners.before, corners.after)]
        names = (column.tolist() for column in (corners.vertex, corners.face, corners.before, corners.after))
        for first, second, vertex, face, *edges in zip(*sides, *names, strict=True):
            corner = None
            if first is not None and second is not None:
                with suppress(UnsureError):
                    corner = Corner(face, (edges[0], edges[1]), crossing(first, second))
            yield vertex, corner

    def _side_lines(self, faces: np.ndarray, edges: np.ndarray) -> list[Line | None]:
        """The lines of sides of faces whose maps are known, as far as they are."""
        lines: list[Line | None] = [None] * len(faces)
        together: dict[int, list[tuple[int, EntryFunctions, int]]] = {}
        for i, found in enumerate(self._drawn(self.near, faces, edges)):
            if found is not None:
                together.setdefault(id(found[0]), []).append((i, *found))
        for rows in together.values():
            own = rows[0][1].lines(np.array([column for *_, column in rows]))
            for (i, *_), line in zip(rows, own, strict=True):
                lines[i] = line
        for i in np.flatnonzero(self.states.subdivision.edge_source[edges, 0] == RIM).tolist():
            lines[i] = self._rim_line(int(faces[i]), int(edges[i]))
        return lines

    def _side_residues(self, faces: np.ndarray, edges: np.ndarray) -> list[Residue]:
        """Residues of the lines of sides of faces whose maps are known, which these are known to have."""
        residues = []
        for i, function in enumerate(self._drawn(self.exact, faces, edges)):
            if function is None:
                line = self._rim_line(int(faces[i]), int(edges[i]))
                residues.append(tuple(number.middle % MODULUS for number in line))
            else:
                residues.append(_combined(*function))
        return residues

    def _line_residues(self, faces: np.ndarray, units: np.ndarray) -> list[Residue]:
        """Residues of units of the step, each on a face whose map is known."""
        result: list[Residue] = [()] * len(faces)
        for rows, functions in self._units(self.exact, faces, units):
            for column, row in enumerate(rows.tolist()):
                result[row] = _combined(functions, column)
        return result

    def _drawn(
        self, carried: Carried[T, F], faces: np.ndarray, edges: np.ndarray
    ) -> list[tuple[F, int] | None]:
        """The functions that drew sides, each a column of some; None where they are not known."""
        sub, before = self.states.subdivision, self.states.before(faces)
        names = np.column_stack([before, sub.edge_source[edges], sub.rivals[edges]]).tolist()
        result = [carried.side(tuple(name)) for name in names]
        work = np.flatnonzero(sub.edge_source[edges, 0] == IN_WORK)
        if len(work):
            assert isinstance(self.node, Maximum)
            tied = self.states.tied_along(self.node, edges[work])
            for rows, functions in carried.units(before[work], *tied):
                for column, row in enumerate(work[rows].tolist()):
                    result[row] = functions, column
        return result

    def _rim_line(self, face: int, edge: int) -> Line:
        """The line of an edge on the rim, through two corners of the window."""
        corners = self.states.frames[int(self.states.window_of[face])][1].vertices.tolist()
        a, b = self.states.subdivision.rivals[edge].tolist()
        return through(corners[a], corners[b])


def _combined(functions: np.ndarray, column: int) -> Residue:
    """Residues by all primes together of one of some functions, (fields, 3, n)."""
    return tuple(map(combined, functions[:, :, column].T.tolist()))


def _with(line: Line | None, residues: Residue) -> Line:
    """A line with its residues."""
    assert line is not None
    c, p, q = (replace(number, residue=r) for number, r in zip(line, residues, strict=True))
    return c, p, q
