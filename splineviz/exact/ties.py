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

    def of(self, questions: np.ndarray) -> np.ndarray:
        """(n,) bool: which `questions.QUESTION` are about a coincidence: a sign is 0, or two units vanish in
        one point."""
        place, chord = questions["place"], questions["chord"]
        about_signs, on_edges = chord == SIGN, chord == EDGE
        ends = {v: self.states.edge_ends_at[v] // 2 for v in np.unique(place[about_signs]).tolist()}
        largest = self.states.edge_faces.max(1, initial=-1)
        faces = place.copy()
        faces[on_edges] = largest[place[on_edges]]
        around = {v: int(largest[edges].max(initial=-1)) for v, edges in ends.items()}
        faces[about_signs] = [around[v] for v in place[about_signs].tolist()]
        on_edge = self._on_edges(np.unique(np.concatenate([place[on_edges], *ends.values()])))
        first = self._pairs(faces, questions["first"])
        second = self._pairs(faces, np.where(about_signs, 0, questions["second"]))
        along = self._pairs(faces, np.where(about_signs | on_edges, 0, chord))
        result = np.zeros(len(questions), bool)
        for i in np.flatnonzero(faces >= 0).tolist():
            if about_signs[i]:
                at = _joined(pair for edge in ends[int(place[i])].tolist() for pair in on_edge.get(edge, []))
                result[i] = _equal(at, *first[i])
                continue
            # Along a chord its own two candidates tie.
            at = _joined(on_edge.get(int(place[i]), []) if on_edges[i] else [along[i]])
            (a, b), (c, d) = first[i], second[i]
            result[i] = (_equal(at, a, c) and _equal(at, b, d)) or (_equal(at, a, d) and _equal(at, b, c))
        return result

    def _pairs(self, faces: np.ndarray, units: np.ndarray) -> list[Pair]:
        """The entries that units compare on faces: the candidate and the largest so far."""
        windows = self.states.first_window + units
        candidates = self.node.windows[windows, self._candidates[units]]
        return self._named(candidates, self.states.winners_of(self.node, faces, windows))

    def _named(self, one: np.ndarray, other: np.ndarray) -> list[Pair]:
        """Pairs of entries by the numbers of their functions."""
        if self.equal is not None:
            one, other = self.equal[one], self.equal[other]
        return list(zip(one.tolist(), other.tolist(), strict=True))

    def _on_edges(self, edges: np.ndarray) -> dict[int, list[Pair]]:
        """Entries that tie along each of some edges, as far as units of this stage tell."""
        states, shared = self.states, self.states.subdivision.shared
        stage, unit = states.subdivision.edge_source[edges, 0], states.units_of(edges)
        drawn = np.isin(stage, (IN_WORK, self.node.stage))
        more = shared[np.isin(shared[:, 0], edges) & np.isin(shared[:, 1], (IN_WORK, self.node.stage))]
        more_windows = more[:, 2] + states.first_window * (more[:, 1] == IN_WORK)
        rows = np.concatenate([edges[drawn], more[:, 0]])
        windows = np.concatenate([unit[drawn], more_windows])
        inside = states.edge_faces[rows].min(1, initial=0) >= 0
        rows, windows = rows[inside], windows[inside]
        sides = (states.winners_of(self.node, faces, windows) for faces in states.edge_faces[rows].T)
        result: dict[int, list[Pair]] = {}
        for edge, pair in zip(rows.tolist(), self._named(*sides), strict=True):
            result.setdefault(edge, []).append(pair)
        return result

    @cached_property
    def _candidates(self) -> np.ndarray:
        """(windows,) place of the candidate of this round."""
        places: np.ndarray = self.node.group(self.step.words)[1][self.step.turn]
        return places


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


def _equal(joined: dict[int, int], a: int, b: int) -> bool:
    return joined.get(a, a) == joined.get(b, b)
