"""Faces that the decision boundary can reach, by bounds of the margin between the largest outputs over
each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int64

from splineviz.deadline import check_time
from splineviz.engine.stage_state import StageState
from splineviz.geometry.csr import Csr
from splineviz.geometry.places import Places, places_of
from splineviz.geometry.predicates import MARGIN
from splineviz.geometry.rounding import SAFE, UNIT_ROUNDOFF
from splineviz.program.nodes import Affine, Maximum, Pointwise
from splineviz.program.program import Program
from splineviz.values.face_bounds import Deviation, FaceBounds, corner_values
from splineviz.values.linear_bounds import lower_bounds
from splineviz.values.row_products import moved_norms
from splineviz.values.vertex_values import VertexValues

__all__ = ["MarginTest"]

_CHUNK = 128 << 20
"""Bytes of the tensors that are under way for some faces at a time"""

_TENSORS = 5
"""Tensors for each face and node, about: values, intervals, ranges, slopes"""

_SAMPLE, _WORTH = 64, 0.1
"""Faces that are tried first, and the share of them that has to go, or the others are not asked"""

_RIVALS = 8
"""Outputs that one face is asked about by linear bounds, at most"""


@dataclass(frozen=True)
class MarginTest:
    """Tells which faces of a state a decision boundary may touch: all others have one output ahead of all
    others, everywhere on the closed face, by more than the proven errors of that bound.

    Where nothing is proven any more, `MARGIN` times the estimates of errors count as if they were.
    """

    program: Program
    level: float | None
    """Of a single output; 0 where it is left out"""

    def __call__(self, state: StageState, position: int) -> Bool[np.ndarray, "face"]:
        """(F,) whether each face is to be kept; its live tensors are those before the node at
        ``position``."""
        n, size = len(state.subdivision.faces), self._chunk(state, position)
        kept = np.ones(n, dtype=bool)
        sample = np.linspace(0, n - 1, _SAMPLE if n > 2 * _SAMPLE else 0).astype(np.int64)
        proofs = self._proofs(state)
        if len(sample) and self._kept(state, proofs, position, sample).mean() > 1.0 - _WORTH:
            return kept
        for first in range(0, n, size):
            check_time()
            faces = np.arange(first, min(first + size, n))
            kept[faces] = self._kept(state, proofs, position, faces)
        return kept

    def _chunk(self, state: StageState, position: int) -> int:
        """Number of faces at a time."""
        slots = {*state.live, *(node.output for node in self.program.nodes[position:])}
        values = sum(math.prod(self.program.shapes[slot]) for slot in slots)
        return max(1, _CHUNK // (8 * _TENSORS * values))

    @cached_property
    def _rows(self) -> int:
        return math.prod(self.program.output_shape)

    def _proofs(self, state: StageState) -> dict[int, Float64[np.ndarray, "vertex"]]:
        """By slot, (V,) errors of live tensors, counted from the exact places of vertices."""
        places, column = places_of(state.subdivision.arrays()), 0 if state.ancestry is None else 2
        return {slot: _from_exact_places(live, places, column) for slot, live in state.live.items()}

    def _kept(
        self,
        state: StageState,
        proofs: dict[int, np.ndarray],
        position: int,
        faces: Int64[np.ndarray, "some"],
    ) -> Bool[np.ndarray, "some"]:
        sides = state.subdivision.faces.take(faces)
        vertices, corner = np.unique(sides.values, return_inverse=True)
        rows, nodes, output = torch.from_numpy(vertices), self.program.nodes[position:], self.program.output
        start = {
            slot: VertexValues(live.values[rows], live.error[vertices], proof=proofs[slot][vertices])
            for slot, live in state.live.items()
        }
        corners = corner_values(nodes, start, output)
        kept = np.ones(len(faces), dtype=bool)
        winner, sides = self._with_level(corners.output.flat).argmax(1), Csr(sides.offsets, corner)
        own = winner[corner[sides.offsets[:-1]]]
        # Where corners differ, no bound will tell.
        agreed = np.logical_and.reduceat(winner[corner] == own[sides.row_of], sides.offsets[:-1])
        asked = np.flatnonzero(agreed)
        if len(asked):
            bounds = FaceBounds(corners, sides.take(asked))
            lead = self._lead(bounds, bounds.run(nodes, start, output), own[asked])
            kept[asked] = self._unsettled(nodes, bounds, start, lead, own[asked])
        return kept

    def _with_level(
        self, values: Float64[np.ndarray, "vertex output"]
    ) -> Float64[np.ndarray, "vertex rival"]:
        """Values of outputs; of a single one behind its level."""
        if values.shape[1] > 1:
            return values
        return np.concatenate([np.full((len(values), 1), self.level or 0.0), values], axis=1)

    def _lead(
        self, bounds: FaceBounds, deviation: Deviation | None, own: Int64[np.ndarray, "face"]
    ) -> Float64[np.ndarray, "face rival"]:
        """(F, C) by how much output ``own`` is ahead of each other one at least, anywhere on each face."""
        values, faces, n = bounds.corners.output.flat, bounds.faces, len(bounds.faces)
        low, high = np.zeros((2, n, values.shape[1]))
        if deviation is not None:
            middle, radius = (x.reshape(n, -1).numpy() for x in deviation[:2])
            low, high = middle - radius, middle + radius
        error = bounds.errors(bounds.corners.output)[:, None]
        low, high = low - error, high + error
        if values.shape[1] == 1:
            low, high = (np.concatenate([np.zeros((n, 1)), x], axis=1) for x in (low, high))
        rows, owner = np.arange(n), faces.row_of
        at_sides = self._with_level(values)[faces.values]
        ahead = at_sides[np.arange(len(owner)), own[owner]][:, None] - at_sides
        least = np.minimum.reduceat(ahead, faces.offsets[:-1], axis=0)
        size = np.maximum.reduceat(np.abs(at_sides).max(1), faces.offsets[:-1])[:, None]
        own_low = low[rows, own][:, None]
        lead = least + own_low - high - 8.0 * UNIT_ROUNDOFF * (size + np.abs(own_low) + np.abs(high))
        lead = np.where(np.isnan(lead), -np.inf, lead)
        lead[rows, own] = np.inf
        return lead

    def _unsettled(
        self,
        nodes: Sequence[Affine | Pointwise | Maximum],
        bounds: FaceBounds,
        start: dict[int, VertexValues],
        lead: Float64[np.ndarray, "face rival"],
        own: Int64[np.ndarray, "face"],
    ) -> Bool[np.ndarray, "face"]:
        """(F,) whether some output may draw level with ``own``; rivals are asked about one after the other,
        the nearest first."""
        n_rivals = (lead <= 0.0).sum(1)
        kept: np.ndarray = n_rivals > 0
        left = np.flatnonzero(kept & (n_rivals <= _RIVALS))
        order = np.argsort(lead, axis=1)
        for turn in range(min(_RIVALS, lead.shape[1])):
            done = n_rivals[left] <= turn
            kept[left[done]] = False
            left = left[~done]
            if not len(left):
                break
            rows, added = self._difference(own[left], order[left, turn])
            shapes, output = self.program.shapes, self.program.output
            least = lower_bounds(nodes, bounds.take(left), start, shapes, output, rows)
            left = left[least + added > 4.0 * UNIT_ROUNDOFF * (np.abs(least) + np.abs(added))]
        kept[left] = False
        return kept

    def _difference(
        self, own: Int64[np.ndarray, "face"], rival: Int64[np.ndarray, "face"]
    ) -> tuple[Float64[np.ndarray, "face output"], Float64[np.ndarray, "face"]]:
        """Coefficients of the outputs in the difference of two, and its constant."""
        rows, at = np.zeros((len(own), self._rows)), np.arange(len(own))
        if self._rows == 1:
            rows[:, 0] = own - rival
            return rows, (rival - own) * (self.level or 0.0)
        rows[at, own] += 1.0
        rows[at, rival] -= 1.0
        return rows, np.zeros(len(own))


def _from_exact_places(live: VertexValues, places: Places, column: int) -> Float64[np.ndarray, "vertex"]:
    """(V,) errors of a tensor at the exact place of each vertex: those at the nominal places, and what it
    changes by on shares of the ways to two neighbours (docs/certification.md, "From the place to values").
    """
    known = MARGIN * live.error if column == 0 or live.proof is None else live.proof
    a, b = places.neighbours.T
    r, s = places.shares[:, column], places.shares[:, column + 1]
    result: np.ndarray = known * SAFE
    v = np.flatnonzero(r + s > 0.0)
    moved = SAFE * moved_norms(np.ascontiguousarray(live.flat), v, places.neighbours, r, s)
    largest = np.maximum.reduce([known[v], known[a[v]], known[b[v]]])
    result[v] = SAFE * ((1.0 + 2.0 * r[v] + 2.0 * s[v]) * largest + (MARGIN if column == 0 else 1.0) * moved)
    return result
