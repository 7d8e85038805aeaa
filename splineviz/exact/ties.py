"""Coincidences by construction: what two units compare is the same, on an edge or at a vertex.

Windows that overlap compare the same two entries; where i ties with j and j with k, i ties with k; repeated
weights make equal entries. No number of digits tells a zero, and none is needed for these.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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

    def of(self, question: tuple[int, ...]) -> bool:
        """Whether a `questions.QUESTION` is about a coincidence: a sign is 0, or two units vanish in one
        point."""
        place, chord, first, second, *_ = question
        if chord == SIGN:
            at = self._joined(pair for edge in self._edges_at(place) for pair in self._on_edge(edge))
            face = self._face_at(place)
            return face is not None and _equal(at, *self._pair(face, first))
        if chord == EDGE:
            at, face = self._joined(self._on_edge(place)), int(self.states.edge_faces[place].max())
        else:
            # Along a chord its own two candidates tie.
            at, face = self._joined([self._pair(place, chord)]), place
        (a, b), (c, d) = self._pair(face, first), self._pair(face, second)
        return (_equal(at, a, c) and _equal(at, b, d)) or (_equal(at, a, d) and _equal(at, b, c))

    def _pair(self, face: int, unit: int) -> Pair:
        """The entries that a unit compares on a face: its candidate and the largest so far."""
        window = self.states.first_window + unit
        candidate = int(self.node.windows[window, self._candidates[unit]])
        return self._named(candidate, self.states.winner(self.node, face, window))

    def _named(self, one: int, other: int) -> Pair:
        """Two entries by the numbers of their functions."""
        return (one, other) if self.equal is None else (int(self.equal[one]), int(self.equal[other]))

    def _on_edge(self, edge: int) -> list[Pair]:
        """Entries that tie along an edge, as far as units of this stage tell."""
        states = self.states
        left, right = states.edge_faces[edge].tolist()
        windows = [*self._shared.get(edge, [])]
        stage, unit = states.drawn_by(edge)
        windows += [unit] if stage in (IN_WORK, self.node.stage) else []
        if min(left, right) < 0:
            return []
        return [self._named(*(states.winner(self.node, f, w) for f in (left, right))) for w in windows]

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
    def _candidates(self) -> np.ndarray:
        """(windows,) place of the candidate of this round."""
        places: np.ndarray = self.node.group(self.step.words)[1][self.step.turn]
        return places

    @cached_property
    def _shared(self) -> dict[int, list[int]]:
        """By edge, windows that share it."""
        result: dict[int, list[int]] = {}
        for edge, stage, unit in self.states.subdivision.shared.tolist():
            if stage in (IN_WORK, self.node.stage):
                first = self.states.first_window if stage == IN_WORK else 0
                result.setdefault(edge, []).append(first + unit)
        return result

    def _edges_at(self, vertex: int) -> list[int]:
        edges: list[int] = (self.states.edge_ends_at[vertex] // 2).tolist()
        return edges

    def _face_at(self, vertex: int) -> int | None:
        faces = [int(self.states.edge_faces[edge].max()) for edge in self._edges_at(vertex)]
        return max(faces, default=None)


def _equal(joined: dict[int, int], a: int, b: int) -> bool:
    return joined.get(a, a) == joined.get(b, b)
