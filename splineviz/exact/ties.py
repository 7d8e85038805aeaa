"""Coincidences by construction: what two units compare is the same, on an edge or at a vertex.

Windows that overlap compare the same two entries; where i ties with j and j with k, i ties with k; repeated
weights make equal entries. No number of digits tells a zero, and none is needed for these.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from splineviz.exact.face_states import FaceStates
from splineviz.exact.forward import StageRound
from splineviz.geometry.candidate_rounds import IN_WORK
from splineviz.geometry.questions import EDGE, SIGN
from splineviz.program.nodes import Maximum

__all__ = ["Ties"]

Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Ties:
    """Coincidences among the maxima of one stage, in the middle of it."""

    node: Maximum
    states: FaceStates
    step: StageRound
    equal: np.ndarray | None = None
    """(n,) entries with one number are one function"""
    _places: dict[int, np.ndarray] = field(default_factory=dict)

    def of(self, question: tuple[int, ...]) -> bool:
        """Whether a `questions.QUESTION` is about a coincidence: a sign is 0, or two units vanish in one
        point."""
        place, chord, first, second, *_ = question
        if chord == SIGN:
            at = self._joined(pair for edge in self._edges_at(place) for pair in self._on_edge(edge))
            face = self._face_at(place)
            return face is not None and _equal(at, *self._pair(face, first))
        if chord == EDGE:
            at, face = self._joined(self._on_edge(place)), int(self._edge_faces[place].max())
        else:
            # Along a chord its own two candidates tie.
            at, face = self._joined([self._pair(place, chord)]), place
        (a, b), (c, d) = self._pair(face, first), self._pair(face, second)
        return (_equal(at, a, c) and _equal(at, b, d)) or (_equal(at, a, d) and _equal(at, b, c))

    def _pair(self, face: int, unit: int) -> Pair:
        """The entries that a unit compares on a face: its candidate and the largest so far."""
        window = self.states.first_window + unit
        entries = self.node.windows[window]
        candidate = int(self._rounds[self.step.turn, unit])
        return self._name(entries[candidate]), self._name(entries[self._winners(face)[window]])

    def _name(self, entry: np.integer) -> int:
        return int(entry if self.equal is None else self.equal[entry])

    def _winners(self, face: int) -> np.ndarray:
        if face not in self._places:
            self._places[face] = self.states.places(self.node, np.array([face]))[0]
        return self._places[face]

    def _on_edge(self, edge: int) -> list[Pair]:
        """Entries that tie along an edge, as far as units of this stage tell."""
        sub = self.states.subdivision
        rows = [tuple(sub.edge_source[edge].tolist())]
        rows += [tuple(row) for row in self._shared.get(edge, [])]
        left, right = self._edge_faces[edge].tolist()
        pairs = []
        for stage, unit in rows:
            window = unit + (self.states.first_window if stage == IN_WORK else 0)
            if stage not in (IN_WORK, self.node.stage) or min(left, right) < 0:
                continue
            entries = self.node.windows[window]
            one, other = entries[self._winners(left)[window]], entries[self._winners(right)[window]]
            pairs.append((self._name(one), self._name(other)))
        return pairs

    @staticmethod
    def _joined(pairs: Iterable[Pair]) -> dict[int, int]:
        """Entries that are equal if those of each pair are, by a number for each class."""
        root: dict[int, int] = {}
        for a, b in pairs:
            one, other = root.setdefault(a, a), root.setdefault(b, b)
            if one != other:
                for entry, of in list(root.items()):
                    if of == other:
                        root[entry] = one
        return root

    @cached_property
    def _rounds(self) -> np.ndarray:
        return self.node.group(self.step.words)[1]

    @cached_property
    def _edge_faces(self) -> np.ndarray:
        return self.states.subdivision.edge_faces()

    @cached_property
    def _shared(self) -> dict[int, list[list[int]]]:
        result: dict[int, list[list[int]]] = {}
        for edge, stage, unit in self.states.subdivision.shared.tolist():
            if stage in (IN_WORK, self.node.stage):
                result.setdefault(edge, []).append([stage, unit])
        return result

    @cached_property
    def _by_vertex(self) -> tuple[np.ndarray, np.ndarray]:
        ends = self.states.subdivision.edges.reshape(-1)
        order = np.argsort(ends, kind="stable")
        counts = np.bincount(ends, minlength=len(self.states.subdivision.vertices))
        return np.concatenate([[0], np.cumsum(counts)]), order // 2

    def _edges_at(self, vertex: int) -> list[int]:
        offsets, edges = self._by_vertex
        found: list[int] = edges[offsets[vertex] : offsets[vertex + 1]].tolist()
        return found

    def _face_at(self, vertex: int) -> int | None:
        faces = [int(self._edge_faces[edge].max()) for edge in self._edges_at(vertex)]
        return max(faces, default=None)


def _equal(joined: dict[int, int], a: int, b: int) -> bool:
    return joined.get(a, a) == joined.get(b, b)
