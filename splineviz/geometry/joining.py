"""Refined excerpts of a subdivision as one subdivision again.

Each border edge of an excerpt is cut alike in the excerpts on both sides of it: the same units cross it in
the same order, since both read that from the values at its ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from splineviz.geometry.csr import Csr, runs
from splineviz.geometry.excerpt import Excerpt
from splineviz.geometry.growing import Growing
from splineviz.geometry.subdivision import Subdivision

__all__ = ["Joined", "Joining"]


@dataclass(frozen=True, eq=False)
class Joined:
    """Refined excerpts as one subdivision. Vertices of the whole before come first, faces in the order of the
    excerpts."""

    subdivision: Subdivision
    chains: Csr
    """For every edge of the whole before that was on a border: the edges it has become, in order; nothing for
    the others"""
    unmatched: int
    """Border edges that two excerpts cut differently; they are left as two, with nothing between"""
    clashing: Int64[np.ndarray, "edge"]
    """Edges that these have become, on either side"""


class Joining:
    """Refined excerpts of ``whole`` on the way to be one subdivision.

    What is kept of an excerpt is what it adds, so that itself can go as soon as it has been added.
    """

    def __init__(self, whole: Subdivision) -> None:
        self._whole, self._chains = whole, _Chains(len(whole.edges))
        self._vertices = Growing(whole.vertices[:0])
        self._vertices.add(whole.vertices)
        self._edges, self._sources = Growing(whole.edges[:0]), Growing(whole.edge_source[:0])
        self._shared, self._rivals = Growing(whole.shared[:0]), Growing(whole.rivals[:0])
        self._strays, self._sides = Growing(whole.stray[:0]), Growing(whole.faces.values[:0])
        self._side_edges, self._lengths = Growing(whole.side_edges[:0]), Growing(whole.faces.lengths[:0])
        self._clashing = Growing(whole.side_edges[:0])
        self._unmatched, self._rounding = 0, whole.rounding

    def add(self, piece: Excerpt, fine: Subdivision, border: Csr) -> None:
        """Add the next excerpt in the order of faces; some may be missing.

        ``fine`` is its refinement, whose vertices begin with those of the excerpt: one that it has moved is
        where it has that. ``border`` are the edges that each border edge has become, in order.
        """
        chains, old = self._chains, piece.vertices
        parts = _Parts.of(piece, fine, border)
        shared_parts, known, clashes = chains.match(piece.border, parts)
        mine = border.values[shared_parts]
        moved = np.flatnonzero((fine.vertices[: len(old)] != self._whole.vertices[old]).any(1))
        self._vertices.rows[old[moved]] = fine.vertices[moved]
        vertex = np.full(len(fine.vertices), -1, dtype=np.int64)
        vertex[: len(old)] = old
        vertex[fine.edges[mine]] = chains.ends.rows[known]
        new = np.flatnonzero(vertex < 0)
        vertex[new] = len(self._vertices) + np.arange(len(new))
        own = np.ones(len(fine.edges), dtype=bool)
        own[mine] = False
        edge = np.empty(len(fine.edges), dtype=np.int64)
        edge[mine] = chains.edges.rows[known]
        edge[own] = len(self._edges) + np.arange(int(own.sum()))
        if len(clashes):
            self._unmatched += len(clashes)
            self._clashing.add(edge[border.take(clashes).values])
            self._clashing.add(chains.parts_of(piece.border[clashes]))
        chains.add(piece.border, parts, edge[border.values], vertex[fine.edges[border.values]])
        self._vertices.add(fine.vertices[new])
        self._edges.add(vertex[fine.edges[own]])
        self._sources.add(fine.edge_source[own])
        self._rivals.add(fine.rivals[own])
        self._strays.add(fine.stray[own])
        rows = fine.shared[own[fine.shared[:, 0]]]
        self._shared.add(np.column_stack([edge[rows[:, 0]], rows[:, 1:]]))
        self._sides.add(vertex[fine.faces.values])
        self._side_edges.add(edge[fine.side_edges])
        self._lengths.add(fine.faces.lengths)
        self._rounding = max(self._rounding, fine.rounding)

    def joined(self) -> Joined:
        """All that has been added as one; afterwards nothing is left here."""
        offsets = np.concatenate([[0], np.cumsum(self._lengths.taken())])
        subdivision = Subdivision(
            self._vertices.taken(),
            Csr(offsets, self._sides.taken()),
            self._side_edges.taken(),
            self._edges.taken(),
            self._sources.taken(),
            self._shared.taken(),
            self._rivals.taken(),
            self._strays.taken(),
            self._rounding,
        )
        return Joined(subdivision, self._chains.csr(), self._unmatched, np.unique(self._clashing.taken()))


class _Chains:
    """Parts that the border edges of the whole have become, as far as the excerpts on one side of them are
    joined."""

    def __init__(self, n_edges: int) -> None:
        self.start = np.full(n_edges, -1, dtype=np.int64)
        self.length = np.zeros(n_edges, dtype=np.int64)
        self.gaps = np.zeros(n_edges, dtype=bool)
        """Whether parts are missing, of faces that are left out"""
        self.edges = Growing(np.empty(0, dtype=np.int64))
        self.ends = Growing(np.empty((0, 2), dtype=np.int64))
        """Vertices of each edge"""
        self.places = Growing(np.empty((0, 4)))
        """uv of both"""

    def match(self, border: np.ndarray, parts: _Parts) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Edges of an excerpt that are there already, their places in ``edges``, and the border edges, as
        places in ``border``, that do not fit."""
        known = self.start[border] >= 0
        whole = known & ~self.gaps[border] & ~parts.gaps
        same = whole & (self.length[border] == parts.lengths)
        mine = runs(parts.offsets[same], parts.lengths[same])
        theirs = runs(self.start[border[same]], self.length[border[same]])
        there = {}
        for i in np.flatnonzero(known & ~whole).tolist():
            start, first = int(self.start[border[i]]), int(parts.offsets[i])
            stop = start + int(self.length[border[i]])
            places = {row.tobytes(): k for k, row in enumerate(self.places.rows[start:stop], start)}
            for k in range(first, first + int(parts.lengths[i])):
                if (found := places.get(parts.places[k].tobytes())) is not None:
                    there[k] = found
        mine = np.append(mine, np.fromiter(there.keys(), np.int64, len(there)))
        theirs = np.append(theirs, np.fromiter(there.values(), np.int64, len(there)))
        return mine, theirs, np.flatnonzero(whole & ~same)

    def add(self, border: np.ndarray, parts: _Parts, edge: np.ndarray, ends: np.ndarray) -> None:
        """Add the border edges of an excerpt that are not there yet."""
        fresh = np.flatnonzero(self.start[border] < 0)
        lengths = parts.lengths[fresh]
        mine = runs(parts.offsets[fresh], lengths)
        self.start[border[fresh]] = len(self.edges) + np.cumsum(lengths) - lengths
        self.length[border[fresh]] = lengths
        self.gaps[border[fresh]] = parts.gaps[fresh]
        self.edges.add(edge[mine])
        self.ends.add(ends[mine])
        self.places.add(parts.places[mine])

    def parts_of(self, border: np.ndarray) -> Int64[np.ndarray, "edge"]:
        """The edges that some border edges have become."""
        edges: np.ndarray = self.edges.rows[runs(self.start[border], self.length[border])]
        return edges

    def csr(self) -> Csr:
        offsets = np.concatenate([[0], np.cumsum(self.length)])
        return Csr(offsets, self.parts_of(np.arange(len(self.start))))


@dataclass(frozen=True, eq=False)
class _Parts:
    """Parts that the border edges of one excerpt have become."""

    offsets: Int64[np.ndarray, "border"]
    lengths: Int64[np.ndarray, "border"]
    edges: Int64[np.ndarray, "part"]
    """Of the refined excerpt"""
    places: Float64[np.ndarray, "part 4"]
    """uv of both ends"""
    gaps: Bool[np.ndarray, "border"]
    """Whether parts are missing, of faces that are left out"""

    @classmethod
    def of(cls, piece: Excerpt, fine: Subdivision, border: Csr) -> _Parts:
        ends = fine.edges[border.values]
        heads = np.append(ends[:, 1], -1)
        first = piece.subdivision.edges[: len(piece.border)]
        # Where the part before a part ends, or the border edge begins.
        before = np.append(-1, ends[:, 1])[:-1]
        some = border.lengths > 0
        before[border.offsets[:-1][some]] = first[some, 0]
        torn = np.append(0, np.cumsum(before != ends[:, 0]))
        gaps = torn[border.offsets[1:]] > torn[border.offsets[:-1]]
        gaps |= ~some | (heads[border.offsets[1:] - 1] != first[:, 1])
        places = fine.vertices[ends].reshape(-1, 4)
        return cls(border.offsets[:-1], border.lengths, border.values, places, gaps)
