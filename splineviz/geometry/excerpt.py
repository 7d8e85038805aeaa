"""Excerpts: some faces of a subdivision as a subdivision of its own, and many of these as one again.

Work on a large subdivision goes on face by face, so it can go on in excerpts. Each border edge of an excerpt
is cut alike in the excerpts on both sides of it: the same units cross it in the same order, since both read
that from the values at its ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.csr import Csr, runs
from splineviz.geometry.records import BIRTH
from splineviz.geometry.subdivision import Subdivision
from splineviz.geometry.workspace import copy_birth

__all__ = ["NO_BIRTH", "Excerpt", "Joined", "excerpt", "join", "only_used"]


NO_BIRTH = np.empty(0, BIRTH)


@dataclass(frozen=True, eq=False)
class Excerpt:
    """Consecutive faces of a subdivision. Its border edges, those with a face on one side only, are its first
    edges."""

    subdivision: Subdivision
    vertices: Int64[np.ndarray, "vertex"]
    """Ascending, the vertex of the whole that each of its vertices is; also those that others are
    interpolated from"""
    birth: np.ndarray
    """(new vertices,) `records.BIRTH` of its vertices that are new in the whole; these are its last"""
    border: Int64[np.ndarray, "border"]
    """Ascending, the edge of the whole that each of its first B edges is"""


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


def excerpt(whole: Subdivision, birth: np.ndarray, first: int, last: int) -> Excerpt:
    """Faces from ``first`` to before ``last``; ``birth`` is that of the last vertices of the whole."""
    offsets, side_vertex, side_edge, vertices, births, edges, n_border = _excerpt(
        whole.faces.offsets,
        whole.faces.values,
        whole.side_edges,
        len(whole.vertices),
        len(whole.edges),
        birth,
        first,
        last,
    )
    shared = whole.shared
    if len(shared):
        row = np.full(len(whole.edges), -1, dtype=np.int64)
        row[edges] = np.arange(len(edges))
        shared = shared[row[shared[:, 0]] >= 0]
        shared = np.column_stack([row[shared[:, 0]], shared[:, 1:]])
    ends = np.searchsorted(vertices, whole.edges[edges])
    own = Subdivision(
        whole.vertices[vertices],
        Csr(offsets, side_vertex),
        side_edge,
        ends,
        whole.edge_source[edges],
        shared,
        whole.rivals[edges],
        whole.stray[edges],
        whole.rounding,
    )
    return Excerpt(own, vertices, births, edges[:n_border])


@kernel
def _excerpt(
    offsets: Int64[np.ndarray, "face+1"],
    side_vertex: Int64[np.ndarray, "side"],
    side_edge: Int64[np.ndarray, "side"],
    n_vertices: int,
    n_edges: int,
    birth: np.ndarray,
    first: int,
    last: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]:
    """(offsets, side_vertex, side_edge) of an excerpt in own ids; (vertices, births, edges) of the whole; how
    many edges are border edges."""
    start, stop = offsets[first], offsets[last]
    vertex, uses = np.zeros(n_vertices, np.int64), np.zeros(n_edges, np.int64)
    for k in range(start, stop):
        vertex[side_vertex[k]] = 1
        uses[side_edge[k]] += 1
    vertices, births = _with_ancestors(vertex, birth)
    n_border = 0
    n_used = 0
    for e in range(n_edges):
        n_border += uses[e] == 1
        n_used += uses[e] > 0
    edges = np.empty(n_used, np.int64)
    border, inner = 0, n_border
    for e in range(n_edges):
        if uses[e] == 1:
            edges[border], uses[e] = e, border
            border += 1
        elif uses[e] > 1:
            edges[inner], uses[e] = e, inner
            inner += 1
    own_offsets = np.empty(last - first + 1, np.int64)
    for f in range(first, last + 1):
        own_offsets[f - first] = offsets[f] - start
    own_vertex, own_edge = np.empty(stop - start, np.int64), np.empty(stop - start, np.int64)
    for k in range(start, stop):
        own_vertex[k - start], own_edge[k - start] = vertex[side_vertex[k]], uses[side_edge[k]]
    return own_offsets, own_vertex, own_edge, vertices, births, edges, n_border


@part()
def _with_ancestors(
    vertex: Int64[np.ndarray, "vertex"], birth: np.ndarray
) -> tuple[Int64[np.ndarray, "own"], np.ndarray]:
    """(vertices, births): the marked ones and all that they are interpolated from; afterwards ``vertex``
    holds their own ids.

    Both ends of a birth come before it.
    """
    n_old = len(vertex) - len(birth)
    n_births = 0
    for k in range(len(birth) - 1, -1, -1):
        if vertex[n_old + k]:
            vertex[birth[k].a], vertex[birth[k].b] = 1, 1
            n_births += 1
    n = 0
    for v in range(len(vertex)):
        n += vertex[v]
    vertices, births = np.empty(n, np.int64), np.empty(n_births, BIRTH)
    n = 0
    for v in range(len(vertex)):
        if vertex[v]:
            vertices[n], vertex[v] = v, n
            n += 1
    for i in range(n_births):
        source = birth[vertices[n - n_births + i] - n_old]
        copy_birth(source, births[i])
        births[i].a, births[i].b = vertex[source.a], vertex[source.b]
    return vertices, births


def join(whole: Subdivision, parts: Sequence[tuple[Excerpt, Subdivision, Csr]]) -> Joined:
    """Put refined excerpts of ``whole`` together again.

    Parameters
    ----------
    parts
        For each excerpt: itself; its refinement, whose vertices begin with those of the excerpt; and the
        edges that each of its border edges has become, in order. In the order of their faces; some may be
        missing. A vertex that one of them has moved is where that has it.
    """
    chains = _Chains(len(whole.edges))
    vertices, edges, sources, shared, rivals, strays = (
        [whole.vertices.copy()],
        [whole.edges[:0]],
        [whole.edge_source[:0]],
        [whole.shared[:0]],
        [whole.rivals[:0]],
        [whole.stray[:0]],
    )
    sides, side_edges, lengths = [whole.faces.values[:0]], [whole.side_edges[:0]], [whole.faces.lengths[:0]]
    n_vertices, n_edges, unmatched = len(whole.vertices), 0, 0
    for piece, fine, border in parts:
        own_parts = _Parts.of(piece, fine, border)
        shared_parts, known, clashes = chains.match(piece.border, own_parts)
        mine = border.values[shared_parts]
        unmatched += clashes
        moved = np.flatnonzero(
            (fine.vertices[: len(piece.vertices)] != whole.vertices[piece.vertices]).any(1)
        )
        vertices[0][piece.vertices[moved]] = fine.vertices[moved]
        vertex = np.full(len(fine.vertices), -1, dtype=np.int64)
        vertex[: len(piece.vertices)] = piece.vertices
        vertex[fine.edges[mine]] = chains.ends[known]
        new = vertex < 0
        vertex[new] = n_vertices + np.arange(int(new.sum()))
        own = np.ones(len(fine.edges), dtype=bool)
        own[mine] = False
        edge = np.empty(len(fine.edges), dtype=np.int64)
        edge[mine] = chains.edges[known]
        edge[own] = n_edges + np.arange(int(own.sum()))
        chains.add(piece.border, own_parts, edge[border.values], vertex[fine.edges[border.values]])
        n_vertices, n_edges = n_vertices + int(new.sum()), n_edges + int(own.sum())
        vertices.append(fine.vertices[new])
        edges.append(vertex[fine.edges[own]])
        sources.append(fine.edge_source[own])
        rivals.append(fine.rivals[own])
        strays.append(fine.stray[own])
        rows = fine.shared[own[fine.shared[:, 0]]]
        shared.append(np.column_stack([edge[rows[:, 0]], rows[:, 1:]]))
        sides.append(vertex[fine.faces.values])
        side_edges.append(edge[fine.side_edges])
        lengths.append(fine.faces.lengths)
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
    joined = Subdivision(
        np.concatenate(vertices),
        Csr(offsets, np.concatenate(sides)),
        np.concatenate(side_edges),
        np.concatenate(edges),
        np.concatenate(sources),
        np.concatenate(shared),
        np.concatenate(rivals),
        np.concatenate(strays),
        max([whole.rounding, *(fine.rounding for _, fine, _ in parts)]),
    )
    return Joined(joined, chains.csr(), unmatched)


def only_used(whole: Subdivision) -> Subdivision:
    """Faces of a subdivision, without vertices and edges that no face has."""
    return excerpt(whole, NO_BIRTH, 0, len(whole.faces)).subdivision


class _Chains:
    """Parts that the border edges of the whole have become, as far as the excerpts on one side of them are
    joined."""

    def __init__(self, n_edges: int) -> None:
        self.start = np.full(n_edges, -1, dtype=np.int64)
        self.length = np.zeros(n_edges, dtype=np.int64)
        self.gaps = np.zeros(n_edges, dtype=bool)
        """Whether parts are missing, of faces that are left out"""
        self.edges = np.empty(0, dtype=np.int64)
        self.ends = np.empty((0, 2), dtype=np.int64)
        """Vertices of each edge"""
        self.places = np.empty((0, 4))
        """uv of both"""

    def match(self, border: np.ndarray, parts: _Parts) -> tuple[np.ndarray, np.ndarray, int]:
        """Edges of an excerpt that are there already, their places in ``edges``, and the number of border
        edges that do not fit."""
        known = self.start[border] >= 0
        whole = known & ~self.gaps[border] & ~parts.gaps
        same = whole & (self.length[border] == parts.lengths)
        mine = runs(parts.offsets[same], parts.lengths[same])
        theirs = runs(self.start[border[same]], self.length[border[same]])
        there = {}
        for i in np.flatnonzero(known & ~whole).tolist():
            start, first = int(self.start[border[i]]), int(parts.offsets[i])
            places = {self.places[k].tobytes(): k for k in range(start, start + int(self.length[border[i]]))}
            for k in range(first, first + int(parts.lengths[i])):
                if (found := places.get(parts.places[k].tobytes())) is not None:
                    there[k] = found
        mine = np.append(mine, np.fromiter(there.keys(), np.int64, len(there)))
        theirs = np.append(theirs, np.fromiter(there.values(), np.int64, len(there)))
        return mine, theirs, int((whole & ~same).sum())

    def add(self, border: np.ndarray, parts: _Parts, edge: np.ndarray, ends: np.ndarray) -> None:
        """Add the border edges of an excerpt that are not there yet."""
        fresh = np.flatnonzero(self.start[border] < 0)
        lengths = parts.lengths[fresh]
        mine = runs(parts.offsets[fresh], lengths)
        self.start[border[fresh]] = len(self.edges) + np.cumsum(lengths) - lengths
        self.length[border[fresh]] = lengths
        self.gaps[border[fresh]] = parts.gaps[fresh]
        self.edges = np.concatenate([self.edges, edge[mine]])
        self.ends = np.concatenate([self.ends, ends[mine]])
        self.places = np.concatenate([self.places, parts.places[mine]])

    def csr(self) -> Csr:
        offsets = np.concatenate([[0], np.cumsum(self.length)])
        return Csr(offsets, self.edges[runs(self.start, self.length)])


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
