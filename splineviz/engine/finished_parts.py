"""Finished parts of a state as the finished faces of all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from splineviz.arrangement.cells import Patterns
from splineviz.engine.stage_state import FinishedFaces, StageState, Tally
from splineviz.engine.thin_cells import Thin, all_thin
from splineviz.geometry.bit_sets import bits_of
from splineviz.geometry.csr import Csr
from splineviz.geometry.excerpt import Excerpt
from splineviz.geometry.growing import Growing
from splineviz.geometry.joining import Joining
from splineviz.geometry.subdivision import Subdivision

__all__ = ["FinishedParts"]


class FinishedParts:
    """Finished parts of a state, on the way to be one.

    What is kept of a part is what it adds, so that itself can go as soon as it has been added: at the end
    there is hardly more than one copy of all of them.
    """

    def __init__(self, state: StageState, n_units: Sequence[int], tally: Tally) -> None:
        """``n_units`` of each stage; ``tally`` has counted up to the state."""
        self._state, self._n_units, self._tally = state, n_units, tally
        self._joining = Joining(state.subdivision)
        self._window_of, self._stage_of = Growing(state.window_of[:0]), Growing(state.stage_of[:0])
        self._hash, self._unmatched = Growing(state.hash[:0]), Growing(state.window_of[:0])
        self._later: list[_Pattern] = []
        """Of the stages after the state"""
        self._thin: list[tuple[Thin, int]] = []
        self._n_faces = self._n_parts = 0

    def __len__(self) -> int:
        """Number of parts so far, those without a face left included."""
        return self._n_parts

    def add(self, excerpt: Excerpt, part: FinishedFaces) -> None:
        """Add what has become of the next part in the order of faces; some may be missing."""
        if part.begun is not None:
            excerpt = _of_vertices(excerpt, part.begun)
        self._joining.add(excerpt, part.subdivision, part.border)
        self._tally.merge(part.tally)
        self._window_of.add(part.window_of)
        self._stage_of.add(part.stage_of)
        self._hash.add(part.hash)
        self._unmatched.add(part.unmatched + self._n_faces)
        self._thin.append((part.thin, self._n_faces))
        known = len(self._state.patterns)
        self._later = self._later or [_Pattern(on[:0]) for on, _ in part.patterns[known:]]
        shift = 0  # the first of these stages counts its parents among all faces of the state already
        for column, (on, parent) in zip(self._later, part.patterns[known:], strict=True):
            shift = column.add(on, parent + shift)
        self._n_faces += len(part.stage_of)
        self._n_parts += 1

    def joined(self, *, complete: bool) -> FinishedFaces:
        """All that has been added as one; afterwards nothing is left here."""
        state, tally = self._state, self._tally
        whole = self._joining.joined()
        tally.open += whole.unmatched
        patterns = (*state.patterns, *(column.taken() for column in self._later))
        subdivision = _with_border_units(
            whole.subdivision, whole.chains.values, patterns, len(state.patterns), self._n_units
        )
        edges = whole.chains.take(np.arange(state.border[-1]))
        lengths = np.concatenate([[0], np.cumsum(edges.lengths)])
        unmatched = self._unmatched.taken()
        return FinishedFaces(
            subdivision,
            self._window_of.taken(),
            self._stage_of.taken(),
            self._hash.taken(),
            patterns,
            Csr(lengths[state.border], edges.values),
            tally,
            complete,
            thin=all_thin(self._thin),
            unmatched=np.union1d(unmatched, _faces_at(subdivision, whole.clashing)),
            begun=state.begun,
        )


class _Pattern:
    """Pattern of a stage, part by part."""

    def __init__(self, none: np.ndarray) -> None:
        self._on, self._parent = Growing(none), Growing(np.empty(0, np.int64))

    def add(self, on: np.ndarray, parent: np.ndarray) -> int:
        """Add those of a part; the number of faces of this stage before them."""
        before = len(self._on)
        self._on.add(on)
        self._parent.add(parent)
        return before

    def taken(self) -> tuple[np.ndarray, np.ndarray]:
        """(on, parent) of all parts."""
        return self._on.taken(), self._parent.taken()


def _of_vertices(excerpt: Excerpt, kept: np.ndarray) -> Excerpt:
    """An excerpt with the numbers of its vertices where only some of them were gone on with; -1 for the
    others."""
    place = np.full(len(excerpt.vertices), -1)
    place[kept] = np.arange(len(kept))
    subdivision = replace(excerpt.subdivision, edges=place[excerpt.subdivision.edges])
    return replace(excerpt, subdivision=subdivision, vertices=excerpt.vertices[kept])


def _faces_at(subdivision: Subdivision, edges: np.ndarray) -> np.ndarray:
    """Faces with a side among these edges."""
    if not len(edges):
        return edges
    marked = np.zeros(len(subdivision.edges), dtype=bool)
    marked[edges] = True
    return np.unique(subdivision.faces.row_of[marked[subdivision.side_edges]])


def _with_border_units(
    subdivision: Subdivision, edges: np.ndarray, patterns: Patterns, known: int, n_units: Sequence[int]
) -> Subdivision:
    """With the units of later stages than ``known`` that change state across border edges.

    A part sees one face of its border edges only, so these units vanish along an edge unnoticed until the
    parts are together.
    """
    faces = subdivision.edge_faces()[edges]
    inner = (faces >= 0).all(1)
    edges, left, right = edges[inner], faces[inner, 0], faces[inner, 1]
    found = [subdivision.shared]
    for stage in range(len(patterns) - 1, known - 1, -1):
        on, parent = patterns[stage]
        changed = on[left] ^ on[right]
        rows = np.flatnonzero(changed.any(1))
        # The state of a maximum is a number: bit b of all of them is in the b-th of equal groups of words.
        n_words = max(1, (n_units[stage] + 63) // 64)
        units = np.bitwise_or.reduce(
            changed[rows].reshape(len(rows), changed.shape[1] // n_words, n_words), axis=1
        )
        row, unit = np.nonzero(bits_of(units, n_units[stage]))
        edge = edges[rows[row]]
        drew = (subdivision.edge_source[edge] == np.column_stack([np.full(len(row), stage), unit])).all(1)
        found.append(np.column_stack([edge, np.full(len(row), stage), unit])[~drew])
        left, right = parent[left], parent[right]
    s = subdivision
    shared = np.concatenate(found)
    if len(shared):
        # The state may be one in the middle of a stage, some of whose units are known to share an edge
        # already.
        shared = np.unique(shared, axis=0)
    return replace(s, shared=shared)
