"""Affine maps of a network on faces, in numbers of two float64: lines of their sides, places of their
corners, units.

On a face all states are known, so the network is one affine map of the plane there, whatever has happened to
values at vertices. It is carried through the program as three rows, the values at the plane's origin and the
two derivatives. Its errors are those of this one pass; so a vertex's place follows from two lines, and the
values there from its place, without what has become of their errors from birth to birth and stage to stage.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from splineviz.exact.balls import Ball, Line, crossing, through
from splineviz.exact.double_double import DoubleDouble, affine, pointwise_in_states
from splineviz.exact.entry_functions import BITS, EntryFunctions, entry_functions
from splineviz.exact.face_states import FaceStates
from splineviz.exact.forward import CALL, StageRound, work
from splineviz.geometry.answers import UnsureError
from splineviz.geometry.candidate_rounds import IN_WORK
from splineviz.geometry.predicates import TINY
from splineviz.geometry.rounding import FLOOR, SAFE, UNIT_ROUNDOFF
from splineviz.geometry.subdivision import RIM
from splineviz.plane import Plane
from splineviz.program.interpret import Interpreter, walk
from splineviz.program.nodes import Affine, Maximum, Pointwise
from splineviz.program.program import Program

__all__ = ["Corner", "FaceMaps", "Known", "Place"]

_BATCH = 1 << 22
"""Numbers in a tensor of the faces that are worked off together, more or less"""

_PIECES = 20.0
"""Products of pieces for one of two numbers in two float64, of three rows"""

Point = tuple[Ball, Ball, Ball]


@dataclass(frozen=True)
class Corner:
    """A vertex as a corner of a face whose maps are known."""

    face: int
    point: Point
    """(X, Y, W) with uv = (X / W, Y / W)"""


class _Sides(NamedTuple):
    """Two sides of a face that meet at a vertex."""

    face: int
    before: int
    """Edge that ends at the vertex"""
    after: int
    sine: float
    """Of the angle between them"""


class Place(NamedTuple):
    """The place of a vertex."""

    uv: tuple[float, float]
    """Rounded from what is known of it"""
    distance: float
    """Of what is known from the exact place, at most"""


class Known(NamedTuple):
    """A tensor at exact places of vertices, where all faces' maps agree."""

    values: Tensor
    """(places, *shape)"""
    norm: np.ndarray
    error: np.ndarray
    """(places,) bounds of the norms of differences from the exact tensor"""


@dataclass(frozen=True, eq=False)
class _Batch:
    """Maps of some faces, three rows for each."""

    rows: dict[int, int]
    """Row of each face"""
    slots: dict[int, DoubleDouble]
    """Tensors that are alive at the end, by slot"""
    sides: dict[tuple[int, int], tuple[EntryFunctions, int]]
    """By face and edge the function that drew the edge: one column of these"""


@dataclass(frozen=True, eq=False)
class FaceMaps:
    """Maps on faces up to the node of a step, made as they are asked for."""

    program: Program
    states: FaceStates
    step: StageRound
    _batches: list[_Batch] = field(default_factory=list)
    _batch_of: dict[int, _Batch] = field(default_factory=dict)
    _corner_of: dict[int, Corner | None] = field(default_factory=dict)

    @cached_property
    def node(self) -> Pointwise | Maximum:
        node = self.program.ways[self.step.stage][-1]
        assert not isinstance(node, Affine)
        return node

    def affordable(self, limit: float) -> int:
        """Number of faces whose maps take no more than so many products."""
        per_face = _PIECES * work(self.program, self.step.stage)
        each_pass = CALL * (1 + len(self.program.ways[self.step.stage]))
        if limit == math.inf:
            return 1 << 62
        return int(min(max(0.0, limit - each_pass) / max(1.0, per_face), 1e9))

    def corners(self, vertices: Sequence[int]) -> list[Corner | None]:
        """Each vertex as a corner of a face; None where no two of its lines are known to cross.

        Raises
        ------
        InexactError
            If a node on the way has no known form.
        """
        left = {v: self._candidates(v) for v in vertices if v not in self._corner_of}
        while left:
            chosen = self._on_few_faces(left)
            self.make([side.face for side in chosen.values()])
            for v in list(left):
                corner = self._corner(chosen[v]) if v in chosen else None
                if corner is None and v in chosen:
                    left[v] = [side for side in left[v] if side is not chosen[v]]
                else:
                    self._corner_of[v] = corner
                    del left[v]
        return [self._corner_of[v] for v in vertices]

    def units(self, faces: np.ndarray, units: np.ndarray) -> list[Line]:
        """Switching functions of the step, each on a face whose map is known."""
        result: list[Line | None] = [None] * len(faces)
        shift, size = self._shift, math.prod(self.node.shape)
        for batch, rows in self._by_batch(faces.tolist()):
            x, own = batch.slots[self.node.inputs[0]], np.array([batch.rows[f] for f in faces[rows].tolist()])
            if isinstance(self.node, Pointwise):
                kink, entry = np.divmod(units[rows], size)
                functions = entry_functions(x, own, entry, kinks=self.node.kinks[kink, entry])
            else:
                functions = entry_functions(x, own, *self._candidates_on(self.node, faces[rows], units[rows]))
            for column, row in enumerate(rows.tolist()):
                result[row] = functions.line(column, shift)
        return [line for line in result if line is not None]

    def _candidates_on(
        self, node: Maximum, faces: np.ndarray, units: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(candidates, largest so far) that units of the step compare on faces."""
        windows = self.states.first_window + units
        candidates = node.windows[windows, node.group(self.step.words)[1][self.step.turn, units]]
        return candidates, self.states.winners_of(node, faces, windows)

    def _by_batch(self, faces: Sequence[int]) -> Iterator[tuple[_Batch, np.ndarray]]:
        """Batches with the places of the faces that are in each."""
        rows: dict[int, list[int]] = {}
        for i, face in enumerate(faces):
            rows.setdefault(id(self._batch_of[face]), []).append(i)
        for own in rows.values():
            yield self._batch_of[faces[own[0]]], np.array(own)

    @cached_property
    def _shift(self) -> int:
        """Units of one vertex are all times one power of two."""
        x = self._batches[0].slots[self.node.inputs[0]]
        return BITS - math.frexp(max(float(x.high.abs().max()), 2.0**-900))[1]

    def values(self, corners: Sequence[Corner]) -> Iterator[tuple[np.ndarray, list[Place], dict[int, Known]]]:
        """(which of the corners, their places, tensors that are alive there by slot), for some at a time."""
        for batch, which in self._by_batch([corner.face for corner in corners]):
            n = len(batch.rows)
            own = np.array([batch.rows[corners[i].face] for i in which.tolist()])
            both = [_quotients(corners[i]) for i in which.tolist()]
            places = [_place(u, v) for u, v in both]
            distance = np.array([place.distance for place in places])
            # (4, corners): high and low of u, then of v
            factors = np.array([[u.high, u.low, v.high, v.low] for u, v in both]).T
            result: dict[int, Known] = {}
            for slot, maps in batch.slots.items():
                origin, first, second = (maps.only((own + i * n).tolist()) for i in range(3))
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

    def places(self, vertices: Sequence[int]) -> list[Place | None]:
        """Places of vertices, as `corners` finds them."""
        corners = self.corners(vertices)
        return [None if corner is None else _place(*_quotients(corner)) for corner in corners]

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
                faces = np.array([corners[i].face for i in some.tolist()])[at]
                one, other = (x[at, entries] for entries in self._candidates_on(node, faces, unit))
                bound = 1.5 * bound
            z[mine] = one - other
            size = np.abs(one) + np.abs(other)
            error[mine] = SAFE * (bound[at] + 4.0 * UNIT_ROUNDOFF * size) + FLOOR
        return z, error

    def make(self, faces: Sequence[int]) -> None:
        """Find the maps of faces that are not known yet."""
        new = [face for face in dict.fromkeys(faces) if face not in self._batch_of]
        largest = max(math.prod(shape) for shape in self.program.shapes.values())
        size = max(1, _BATCH // (3 * largest))
        by_plane: dict[int, list[int]] = {}
        for face in new:
            by_plane.setdefault(int(self.states.window_of[face]), []).append(face)
        for window, own in by_plane.items():
            for first in range(0, len(own), size):
                batch = self._pass(own[first : first + size], self.states.frames[window][0])
                self._batches.append(batch)
                self._batch_of.update(dict.fromkeys(batch.rows, batch))

    def _pass(self, faces: list[int], plane: Plane) -> _Batch:
        """Carry three rows for each face through the program."""
        batch = _Batch({face: i for i, face in enumerate(faces)}, {}, {})
        own, states = np.array(faces), self.states
        sources = self._sources(own)

        def pointwise(node: Pointwise, x: DoubleDouble) -> DoubleDouble:
            self._note(batch, node, x, sources.get(node.stage))
            on = states.bits(node.stage, node.kinks.size, own)
            return pointwise_in_states(node, x, np.tile(on, (3, 1)))

        def maximum(node: Maximum, x: DoubleDouble) -> DoubleDouble:
            self._note(batch, node, x, sources.get(node.stage))
            places = np.tile(states.places(node, own), (3, 1))
            return x.map(lambda values: node.pick(values, places))

        end = next(i for i, node in enumerate(self.program.nodes) if node is self.node)
        slots = {0: _start(plane, len(faces), self.program.input_shape)}
        for _ in walk(self.program.nodes[:end], slots, Interpreter(affine, pointwise, maximum)):
            pass
        batch.slots.update(slots)
        for stage in (self.node.stage, IN_WORK):
            self._note(batch, self.node, slots[self.node.inputs[0]], sources.get(stage))
        return batch

    @cached_property
    def _sides(self) -> tuple[np.ndarray, np.ndarray]:
        """(face, side before it) of every side."""
        faces = self.states.subdivision.faces
        before = np.arange(-1, len(faces.values) - 1)
        before[faces.offsets[:-1]] = faces.offsets[1:] - 1
        return faces.row_of, before

    def _candidates(self, vertex: int) -> list[_Sides]:
        """The corners at a vertex, the least acute first."""
        sub, (face_of, before) = self.states.subdivision, self._sides
        found = []
        for side in self.states.sides_at[vertex].tolist():
            last = int(before[side])
            face = int(face_of[side])
            after = side + 1 if side + 1 < sub.faces.offsets[face + 1] else int(sub.faces.offsets[face])
            a = sub.vertices[sub.faces.values[last]] - sub.vertices[vertex]
            b = sub.vertices[sub.faces.values[after]] - sub.vertices[vertex]
            sine = abs(a[0] * b[1] - a[1] * b[0]) / max(1e-300, float(np.hypot(*a) * np.hypot(*b)))
            found.append(_Sides(face, int(sub.side_edges[last]), int(sub.side_edges[side]), float(sine)))
        return sorted(found, key=lambda side: (-side.sine, side.face))

    def _on_few_faces(self, candidates: Mapping[int, list[_Sides]]) -> dict[int, _Sides]:
        """A corner for each vertex that has one left, of faces that are known or serve many vertices: a map
        costs more than a wider angle is worth."""
        good = {v: [s for s in sides if 2.0 * s.sine >= sides[0].sine] for v, sides in candidates.items()}
        serves = Counter(side.face for sides in good.values() for side in sides)
        return {
            v: max(sides, key=lambda side: (side.face in self._batch_of, serves[side.face], -side.face))
            for v, sides in good.items()
            if sides
        }

    def _corner(self, sides: _Sides) -> Corner | None:
        face = sides.face
        first, second = self._side(face, sides.before), self._side(face, sides.after)
        if first is None or second is None:
            return None
        try:
            return Corner(face, crossing(first, second))
        except UnsureError:
            return None

    def _side(self, face: int, edge: int) -> Line | None:
        """The line of a side, if it is known."""
        if self.states.subdivision.edge_source[edge, 0] == RIM:
            return self._rim_line(face, edge)
        functions, column = self._batch_of[face].sides.get((face, edge), (None, 0))
        return None if functions is None else functions.line(column)

    def _sources(self, faces: np.ndarray) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """(row, edge) of all sides of faces, by the stage that drew the edge."""
        places = self.states.subdivision.faces.places(faces)
        rows, edges = places.row_of, self.states.subdivision.side_edges[places.values]
        stages = self.states.subdivision.edge_source[edges, 0]
        return {int(s): (rows[stages == s], edges[stages == s]) for s in np.unique(stages)}

    def _note(
        self,
        batch: _Batch,
        node: Pointwise | Maximum,
        x: DoubleDouble,
        sides: tuple[np.ndarray, np.ndarray] | None,
    ) -> None:
        """Functions of sides that units of a node have drawn."""
        if sides is None:
            return
        states, (rows, edges) = self.states, sides
        faces, units = np.array(list(batch.rows))[rows], states.units_of(edges)
        if isinstance(node, Pointwise):
            kink, entry = np.divmod(units, math.prod(node.shape))
            functions = entry_functions(x, rows, entry, kinks=node.kinks[kink, entry])
        else:
            one, other = node.windows[units[:, None], states.subdivision.rivals[edges]].T
            work = np.flatnonzero(states.subdivision.edge_source[edges, 0] == IN_WORK)
            one[work], other[work] = (
                states.winners_of(node, both, units[work]) for both in states.edge_faces[edges[work]].T
            )
            functions = entry_functions(x, rows, one, other)
        for column, side in enumerate(zip(faces.tolist(), edges.tolist(), strict=True)):
            batch.sides[side] = functions, column

    def _rim_line(self, face: int, edge: int) -> Line:
        """The line of an edge on the rim, through two corners of the window."""
        corners = self.states.frames[int(self.states.window_of[face])][1].vertices.tolist()
        a, b = self.states.subdivision.rivals[edge].tolist()
        return through(corners[a], corners[b])


def _start(plane: Plane, n: int, shape: tuple[int, ...]) -> DoubleDouble:
    """(3 n, *shape) origins, then first and second axes."""
    frame = torch.from_numpy(np.concatenate([plane.origin[None], plane.basis]))
    rows = frame.repeat_interleave(n, dim=0).reshape(-1, *shape)
    one = np.repeat([1.0, 0.0, 0.0], n)
    return DoubleDouble(rows, torch.zeros_like(rows), np.zeros(len(rows)), one)


class _Quotient(NamedTuple):
    """A coordinate in two float64."""

    high: float
    low: float
    error: float
    """Bound of the difference from the exact coordinate"""


def _quotients(corner: Corner) -> tuple[_Quotient, _Quotient]:
    """The coordinates u and v of a corner."""
    x, y, w = corner.point
    return _quotient(x, w), _quotient(y, w)


def _place(u: _Quotient, v: _Quotient) -> Place:
    return Place((u.high, v.high), SAFE * (u.error + v.error))


def _quotient(x: Ball, w: Ball) -> _Quotient:
    shift = 256
    quotient = (x.middle << shift) // w.middle
    high = _to_float(quotient, shift)
    low = _to_float(quotient - int(math.ldexp(high, shift)) if high else quotient, shift)
    # |x / w - x' / w'| <= (dx + |x' / w'| dw) / (|w'| - dw)
    spread = (x.radius << shift) + (abs(quotient) + 1) * w.radius
    certain = w.middle - w.radius
    error = SAFE * (_to_float(spread // certain + 2, shift) + 2.0**-104 * abs(high)) + 2.0**-250
    return _Quotient(high, low, error)


def _to_float(x: int, shift: int) -> float:
    """x / 2^shift, rounded."""
    n = max(0, abs(x).bit_length() - 60)
    return math.ldexp(float(x >> n), n - shift)
