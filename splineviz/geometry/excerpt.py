"""Excerpts: some faces of a subdivision as a subdivision of its own.

Work on a large subdivision goes on face by face, so it can go on in excerpts; `joining` makes them one again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.csr import Csr
from splineviz.geometry.records import BIRTH
from splineviz.geometry.subdivision import Subdivision
from splineviz.geometry.workspace import copy_birth

__all__ = ["NO_BIRTH", "Excerpt", "excerpt", "only_used", "some_of"]


NO_BIRTH = np.empty(0, BIRTH)


@dataclass(frozen=True, eq=False)
class Excerpt:
    """Faces of a subdivision. Its border edges, which other excerpts have as well, are its first edges."""

    subdivision: Subdivision
    vertices: Int64[np.ndarray, "vertex"]
    """Ascending, the vertex of the whole that each of its vertices is; also those that others are
    interpolated from"""
    birth: np.ndarray
    """(new vertices,) `records.BIRTH` of its vertices that are new in the whole; these are its last"""
    border: Int64[np.ndarray, "border"]
    """Ascending, the edge of the whole that each of its first B edges is"""


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


def some_of(whole: Subdivision, faces: Int64[np.ndarray, "face"], n_border: int) -> Excerpt:
    """Some faces, ascending, where no other excerpt has the rest: of the edges between them and the rest
    none is on the border, but those that are among the first ``n_border`` of the whole."""
    sides = whole.faces.places(faces)
    side_vertex, side_edge = whole.faces.values[sides.values], whole.side_edges[sides.values]
    vertices, vertex = _used(side_vertex, len(whole.vertices))
    edges, edge = _used(side_edge, len(whole.edges))
    shared = whole.shared[edge[whole.shared[:, 0]] >= 0]
    own = Subdivision(
        whole.vertices[vertices],
        Csr(sides.offsets, vertex[side_vertex]),
        edge[side_edge],
        vertex[whole.edges[edges]],
        whole.edge_source[edges],
        np.column_stack([edge[shared[:, 0]], shared[:, 1:]]),
        whole.rivals[edges],
        whole.stray[edges],
        whole.rounding,
    )
    return Excerpt(own, vertices, NO_BIRTH, edges[: np.searchsorted(edges, n_border)])


def _used(ids: np.ndarray, n: int) -> tuple[Int64[np.ndarray, "used"], Int64[np.ndarray, "n"]]:
    """The ids that occur, ascending, and the place of each of n ids among them, -1 for none."""
    marked = np.zeros(n, dtype=bool)
    marked[ids] = True
    used, place = np.flatnonzero(marked), np.full(n, -1)
    place[used] = np.arange(len(used))
    return used, place


def only_used(whole: Subdivision) -> Subdivision:
    """Faces of a subdivision, without vertices and edges that no face has."""
    return excerpt(whole, NO_BIRTH, 0, len(whole.faces)).subdivision
