"""Coincidences by construction: what two units compare is the same, on an edge or at a vertex.

Windows that overlap compare the same two entries; where i ties with j and j with k, i ties with k; repeated
weights make equal entries, in one stage or in two, as where checkpoints of a network are overlaid. No number
of digits tells a zero, and none is needed for these.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from splineviz.exact.face_states import FaceStates, by_value
from splineviz.exact.forward import StageRound
from splineviz.geometry.candidate_rounds import IN_WORK
from splineviz.geometry.questions import EDGE, SIGN
from splineviz.program.nodes import Maximum, Pointwise
from splineviz.program.program import Program

__all__ = ["Ties", "vanish_with_edges"]

Pairs = tuple[np.ndarray, np.ndarray]
"""One of two entries each, and the other"""

Numbers = Mapping[int, np.ndarray]
"""By stage, those of `equal_functions.equal_entries`"""


@dataclass(frozen=True, eq=False)
class Ties:
    """Coincidences among the maxima of one stage, in the middle of it."""

    node: Maximum
    states: FaceStates
    step: StageRound
    equal: np.ndarray | None = None
    """(n,) entries with one number are one function"""

    def of(self, questions: np.ndarray) -> np.ndarray:
        """(n,) bool: which `questions.QUESTION` are about a coincidence: a sign is 0, or two units vanish in
        one point."""
        place, chord = questions["place"], questions["chord"]
        at_vertex, on_edge = np.flatnonzero(chord == SIGN), np.flatnonzero(chord == EDGE)
        on_chord = np.flatnonzero((chord != SIGN) & (chord != EDGE))
        vertices, of_vertex = np.unique(place[at_vertex], return_inverse=True)
        edges_at = self.states.edge_ends_at.take(vertices)
        edges, of_edge = np.unique(
            np.concatenate([place[on_edge], edges_at.values // 2]), return_inverse=True
        )
        # Any face with the vertex or edge will do: where it is, the largest of all of them are equal.
        beside = self.states.edge_faces[edges].max(1, initial=-1)
        around = np.full(len(vertices), -1)
        np.maximum.at(around, edges_at.row_of, beside[of_edge[len(on_edge) :]])
        faces = place.copy()
        faces[at_vertex], faces[on_edge] = around[of_vertex], beside[of_edge[: len(on_edge)]]
        first = self._pairs(faces, questions["first"])
        second = self._pairs(faces, np.where(chord == SIGN, 0, questions["second"]))
        along = self._pairs(faces, np.where(chord < 0, 0, chord))
        # What ties at a vertex, along an edge, and along a chord, where its own two candidates do.
        rows, one, other = self._on_edges(edges)
        by_edge = by_value(rows, len(edges))
        near = by_edge.take(of_edge[len(on_edge) :])
        spots = [edges_at.row_of[near.row_of], len(vertices) + rows, len(vertices) + len(edges) + on_chord]
        tied = _Tied(
            np.concatenate(spots),
            np.concatenate([one[near.values], one, along[0][on_chord]]),
            np.concatenate([other[near.values], other, along[1][on_chord]]),
            self._n_names,
        )
        spot = len(vertices) + len(edges) + np.arange(len(place))
        spot[at_vertex], spot[on_edge] = of_vertex, len(vertices) + of_edge[: len(on_edge)]
        (a, b), (c, d) = first, second
        straight, crosswise = (tied.at(spot, a, x) & tied.at(spot, b, y) for x, y in ((c, d), (d, c)))
        result: np.ndarray = np.where(chord == SIGN, tied.at(spot, a, b), straight | crosswise)
        return result & (faces >= 0)

    def _pairs(self, faces: np.ndarray, units: np.ndarray) -> Pairs:
        """The entries that units compare on faces: the candidate and the largest so far."""
        one, other = self.states.compared(self.node, self.step, faces, units)
        return self._named(one), self._named(other)

    def _named(self, entries: np.ndarray) -> np.ndarray:
        """Entries by the numbers of their functions."""
        return entries if self.equal is None else self.equal[entries]

    @cached_property
    def _n_names(self) -> int:
        names = self._named(np.arange(math.prod(self.node.shape)))
        return int(names.max(initial=0)) + 1

    def _on_edges(self, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(rows, one, other) entries that tie along each of some edges, in order of their numbers, as far as
        units of this stage tell."""
        states, shared = self.states, self.states.subdivision.shared
        stage, unit = states.subdivision.edge_source[edges, 0], states.units_of(edges)
        drawn = np.flatnonzero(np.isin(stage, (IN_WORK, self.node.stage)))
        more = shared[np.isin(shared[:, 0], edges) & np.isin(shared[:, 1], (IN_WORK, self.node.stage))]
        more_windows = more[:, 2] + states.first_window * (more[:, 1] == IN_WORK)
        rows = np.concatenate([drawn, np.searchsorted(edges, more[:, 0])])
        windows = np.concatenate([unit[drawn], more_windows])
        inside = states.edge_faces[edges[rows]].min(1, initial=0) >= 0
        rows, windows = rows[inside], windows[inside]
        one, other = (
            self._named(states.winners_of(self.node, faces, windows))
            for faces in states.edge_faces[edges[rows]].T
        )
        return rows, one, other


def vanish_with_edges(
    program: Program, states: FaceStates, node: Pointwise, equal: Numbers, questions: np.ndarray
) -> np.ndarray:
    """(n,) bool: which `questions.QUESTION` are about the sign of a unit at a vertex of an edge that an
    earlier unit drew which is the same function."""
    result: np.ndarray = questions["chord"] == SIGN
    rows = np.flatnonzero(result)
    vertices, of_vertex = np.unique(questions["place"][rows], return_inverse=True)
    ends = states.edge_ends_at.take(vertices)
    sub, edges = states.subdivision, ends.values // 2
    more = sub.shared[np.isin(sub.shared[:, 0], edges)]
    by_edge = by_value(more[:, 0], len(sub.edges)).take(edges)
    where = np.concatenate([ends.row_of, ends.row_of[by_edge.row_of]])
    drawn = np.concatenate([sub.edge_source[edges], more[by_edge.values, 1:]])
    zero_there = [np.empty((3, 0))]
    for stage in np.unique(drawn[drawn[:, 0] >= 0, 0]).tolist():
        other = program.ways[stage][-1]
        if isinstance(other, Pointwise):
            mine = drawn[:, 0] == stage
            zero_there.append(np.stack([where[mine], *_switching(other, equal, drawn[mine, 1])]))
    asked = np.stack([of_vertex, *_switching(node, equal, questions["first"][rows])])
    names = np.unique(np.concatenate([asked, *zero_there], axis=1), axis=1, return_inverse=True)[1].reshape(
        -1
    )
    result[rows] = np.isin(names[: len(rows)], names[len(rows) :])
    return result


def _switching(node: Pointwise, equal: Numbers, units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(number of its entry, breakpoint) of each of some units of a stage: equal for equal functions."""
    kink, entry = np.divmod(units, math.prod(node.shape))
    return equal[node.stage][entry], node.kinks[kink, entry] + 0.0


class _Tied:
    """Entries that are equal at some spots if those of each pair are."""

    def __init__(self, spot: np.ndarray, one: np.ndarray, other: np.ndarray, n_names: int) -> None:
        self.n_names = n_names
        # With one pair more, of a name that nobody asks for, there always is one.
        pairs = [np.append(spot * n_names + entry, -1) for entry in (one, other)]
        self.known, node = np.unique(np.concatenate(pairs), return_inverse=True)
        n, ends = len(self.known), np.split(node, 2)
        graph = coo_array((np.ones(len(ends[0])), tuple(ends)), shape=(n, n))
        self.group = connected_components(graph, directed=False)[1]

    def at(self, spot: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """(n,) bool: whether two entries are equal, each pair at one spot."""
        first, second = (self._group_of(spot * self.n_names + entry) for entry in (one, other))
        equal: np.ndarray = (one == other) | ((first == second) & (first >= 0))
        return equal

    def _group_of(self, names: np.ndarray) -> np.ndarray:
        row = np.minimum(np.searchsorted(self.known, names), len(self.known) - 1)
        return np.where(self.known[row] == names, self.group[row], -1)
