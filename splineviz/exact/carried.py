"""Affine maps of a network on faces: three rows each, the values at the plane's origin and two derivatives,
carried through the program in numbers of some kind.

On a face all states are known, so the network is one affine map of the plane there, whatever has happened to
values at vertices.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from torch import Tensor

from splineviz.deadline import check_time
from splineviz.exact.face_states import FaceStates
from splineviz.exact.forward import CALL, products, work
from splineviz.plane import Plane
from splineviz.program.interpret import Interpreter, walk
from splineviz.program.nodes import Affine, Maximum, Pointwise
from splineviz.program.program import Program

__all__ = ["Batch", "Carried", "Kind", "Side"]

_BATCH = 1 << 20
"""Numbers in a tensor of the faces that are worked off together, more or less: few, so that memory is
warm"""


class _Tensor(Protocol):
    def map(self, move: Callable[[Tensor], Tensor], /) -> Any: ...

    def only(self, rows: np.ndarray, /) -> Any: ...


T = TypeVar("T", bound=_Tensor)
F = TypeVar("F")

Side = tuple[int, ...]
"""A side of a face by what drew it: the face, stage and unit, and rivals"""


@dataclass(frozen=True)
class Kind(Generic[T, F]):
    """How numbers of some kind go through a program."""

    start: Callable[[Plane, tuple[int, ...]], T]
    """(3, *shape) the origin of a plane and both axes"""
    affine: Callable[[Affine, Sequence[T]], T]
    pointwise: Callable[[Pointwise, T, np.ndarray], T]
    """With units (rows, K n) in given states"""
    functions: Callable[..., F]
    """Affine functions that entries are on faces: of (tensor, faces, entries, entries to take away or None,
    constants to take away or None)"""
    products: float
    """Of float64 numbers, for one of the network's on one face"""
    numbers: int
    """Of float64, for one"""


@dataclass(frozen=True, eq=False)
class Batch(Generic[T, F]):
    """Maps of some faces."""

    rows: dict[int, int]
    """Row of each face, which parts of one face share while the stage in work divides it"""
    slots: dict[int, T]
    """Tensors that are alive where the stage cuts"""
    sides: dict[Side, tuple[F, int]]
    """Functions that drew the sides of the faces: one column of these"""

    def rows_of(self, faces: np.ndarray) -> np.ndarray:
        """Rows of some of its faces."""
        return np.array([self.rows[face] for face in faces.tolist()], np.int64)


@dataclass(frozen=True, eq=False)
class Carried(Generic[T, F]):
    """Maps on faces up to the node of a stage, made as they are asked for."""

    program: Program
    states: FaceStates
    stage: int
    kind: Kind[T, F]
    memory: Callable[[], int]
    """Bytes of the tensors that are kept, more or less; a single pass may take more. Asked for with the first
    map: a look at the memory that is free takes as long as a small stage."""
    _batches: list[Batch[T, F]] = field(default_factory=list)
    _batch_of: dict[int, Batch[T, F]] = field(default_factory=dict)

    @cached_property
    def node(self) -> Pointwise | Maximum:
        """The node that cuts in this stage."""
        node = self.program.ways[self.stage][-1]
        assert not isinstance(node, Affine)
        return node

    def affordable(self, limit: float) -> int:
        """Number of faces whose maps take no more than so many products."""
        each_pass = CALL * (1 + len(self.program.ways[self.stage]))
        if limit == math.inf:
            return 1 << 62
        per_face = self.kind.products * work(self.program, self.stage)
        return int(min(max(0.0, limit - each_pass) / max(1.0, per_face), 1e9))

    def effort(self, faces: Sequence[int]) -> float:
        """Products that the maps of faces take, as far as they are not known yet: faces share the way up to
        the stage that parts them."""
        own = np.array([face for face in faces if face not in self._batch_of], np.int64)
        way = self.program.ways[self.stage]
        total, n_rows = CALL * (1.0 + len(way)), 1 if len(own) else 0
        for node in way[:-1]:
            if isinstance(node, Affine):
                total += self.kind.products * n_rows * products(node)
            else:
                n_rows = len(np.unique(self.states.ancestors(node.stage, own)))
        return total

    def least_effort(self, n_faces: int) -> float:
        """No fewer products do the maps of so many faces take, however many of these are known and however
        much of their way they share."""
        total = 0.0
        for node in reversed(self.program.ways[self.stage][:-1]):
            if not isinstance(node, Affine):
                break
            total += products(node)
        return self.kind.products * max(0, n_faces - len(self._batch_of)) * total

    def make_room(self, n_faces: int = 0) -> None:
        """Drop all maps if they are too many to keep beside those of so many faces."""
        if len(self._batch_of) + n_faces > self.most:
            self._batches.clear()
            self._batch_of.clear()

    @cached_property
    def most(self) -> int:
        """Number of faces whose maps are kept, at most."""
        each = 3 * 8 * self.kind.numbers * self.program.values_alive[self.stage]
        return max(self._in_one_pass, self.memory() // each)

    @cached_property
    def _in_one_pass(self) -> int:
        return max(1, _BATCH // (3 * max(math.prod(shape) for shape in self.program.shapes.values())))

    @property
    def first(self) -> Batch[T, F]:
        """The maps that were made first."""
        return self._batches[0]

    def known(self, faces: np.ndarray) -> np.ndarray:
        """Of which of the faces the maps are known."""
        if not self._batch_of:
            return np.zeros(len(faces), bool)
        return np.isin(faces, np.fromiter(self._batch_of, np.int64, len(self._batch_of)))

    def make(self, faces: Sequence[int]) -> None:
        """Find the maps of faces that are not known yet.

        Raises
        ------
        InexactError
            If a node on the way has no form for numbers of this kind.
        """
        # In order, so that faces of one batch have most of their way in common.
        new = sorted({face for face in faces if face not in self._batch_of})
        size, by_plane = self._in_one_pass, dict[int, list[int]]()
        for face in new:
            by_plane.setdefault(int(self.states.window_of[face]), []).append(face)
        for window, own in by_plane.items():
            for first in range(0, len(own), size):
                check_time()
                batch = self._pass(own[first : first + size], self.states.frames[window][0])
                self._batches.append(batch)
                self._batch_of.update(dict.fromkeys(batch.rows, batch))

    def by_batch(self, faces: np.ndarray) -> Iterator[tuple[Batch[T, F], np.ndarray]]:
        """Batches with the places of the faces that are in each."""
        rows: dict[int, list[int]] = {}
        own = [self._batch_of[face] for face in faces.tolist()]
        for i, batch in enumerate(own):
            rows.setdefault(id(batch), []).append(i)
        for places in rows.values():
            yield own[places[0]], np.array(places)

    def side(self, side: Side) -> tuple[F, int] | None:
        """The function that drew a side of a face, as one column of some; None if it is not known."""
        return self._batch_of[side[0]].sides.get(side)

    def units(self, faces: np.ndarray, one: np.ndarray, other: np.ndarray) -> Iterator[tuple[np.ndarray, F]]:
        """(rows, functions): what a stage of maxima compares, or, of a pointwise node, entries (rows of
        ``one``) less their kinks (rows of ``other``), each on a face."""
        node, (slot,) = self.node, self.node.inputs
        for batch, rows in self.by_batch(faces):
            x, own = batch.slots[slot], batch.rows_of(faces[rows])
            if isinstance(node, Pointwise):
                kinks = node.kinks[other[rows], one[rows]]
                yield rows, self.kind.functions(x, own, one[rows], None, kinks)
            else:
                yield rows, self.kind.functions(x, own, one[rows], other[rows], None)

    def _pass(self, faces: list[int], plane: Plane) -> Batch[T, F]:
        """Carry three rows through the program, and three more for every face that a stage divides on the
        way to these."""
        own, states, slots = (
            np.array(faces),
            self.states,
            {0: self.kind.start(plane, self.program.input_shape)},
        )
        one_of_each, row = np.zeros(1, np.int64), np.zeros(len(faces), np.int64)

        def pointwise(node: Pointwise, x: T) -> T:
            on = states.bits(node.stage, node.kinks.size, own[one_of_each])
            return self.kind.pointwise(node, x, np.tile(on, (3, 1)))

        def maximum(node: Maximum, x: T) -> T:
            places = states.places(node, own[one_of_each])
            picked: T = x.map(lambda v: node.pick(v, np.tile(places, (len(v) // len(places), 1))))
            return picked

        sides: dict[Side, tuple[F, int]] = {}
        sources, interpreter = self._sources(own), Interpreter(self.kind.affine, pointwise, maximum)
        for node in self.program.nodes:
            if not isinstance(node, Affine):
                if node.stage in sources:
                    rows, edges = sources[node.stage]
                    sides |= self._drawn(slots[node.inputs[0]], node, own[rows], row[rows], edges)
                if node is self.node:
                    break
                _, one_of_each, after = np.unique(
                    states.ancestors(node.stage, own), return_index=True, return_inverse=True
                )
                _divide(slots, row[one_of_each], int(row.max()) + 1)
                row = after
            for _ in walk([node], slots, interpreter):
                pass
        return Batch(dict(zip(faces, row.tolist(), strict=True)), slots, sides)

    def _sources(self, faces: np.ndarray) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """(row, edge) of all sides of faces, by the stage that drew the edge."""
        places = self.states.subdivision.faces.places(faces)
        rows, edges = places.row_of, self.states.subdivision.side_edges[places.values]
        stages = self.states.subdivision.edge_source[edges, 0]
        return {int(s): (rows[stages == s], edges[stages == s]) for s in np.unique(stages)}

    def _drawn(
        self, x: T, node: Pointwise | Maximum, faces: np.ndarray, rows: np.ndarray, edges: np.ndarray
    ) -> dict[Side, tuple[F, int]]:
        """Functions of sides of faces that units of a node have drawn."""
        sub = self.states.subdivision
        if isinstance(node, Pointwise):
            kink, entry = np.divmod(sub.edge_source[edges, 1], math.prod(node.shape))
            functions = self.kind.functions(x, rows, entry, None, node.kinks[kink, entry])
        else:
            functions = self.kind.functions(x, rows, *self.states.tied_along(node, edges), None)
        names = np.column_stack([faces, sub.edge_source[edges], sub.rivals[edges]])
        return {side: (functions, column) for column, side in enumerate(map(tuple, names.tolist()))}


def _divide(slots: dict[int, T], rows: np.ndarray, n_rows: int) -> None:
    """Copy rows for the parts of faces, three times as many of either."""
    if len(rows) > n_rows:
        every = (rows + n_rows * np.arange(3)[:, None]).reshape(-1)
        for slot, x in slots.items():
            slots[slot] = x.only(every)
