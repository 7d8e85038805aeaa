"""Merge faces of one parent that nothing tells apart any more, and drop the vertices that this leaves
straight."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64, UInt64

from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.subdivision import Arrays

__all__ = ["merge_faces"]


@kernel
def merge_faces(
    arrays: Arrays,
    parent: Int64[np.ndarray, "face"],
    state: UInt64[np.ndarray, "face word"],
    n_fixed: int,
    first_part: Int64[np.ndarray, "old_edge+1"],
) -> tuple[
    Arrays,
    Int64[np.ndarray, "group"],
    UInt64[np.ndarray, "group word"],
    Int64[np.ndarray, "old_edge+1"],
    Int64[np.ndarray, "kept"],
    np.intp,
]:
    """Join neighbours with the same words of ``state`` across edges that are no part of an older edge.

    ``first_part`` says which edges are parts of older ones: those stay, and so do the first
    ``n_fixed`` vertices. Of the others, vertices with two edges left are inside one straight edge, which its
    parts become. A group of faces whose outline is not one closed curve (where rounding decided signs) stays
    apart.

    Returns the arrays of the new subdivision, the parent and state of its faces, the new first parts, the
    vertices kept, and the number of groups that stayed apart.
    """
    vertices, offsets, side_vertex, side_edge, edges, source, shared, stray, rounding = arrays
    following, sides, face_of = _tables(offsets, side_vertex, side_edge, edges)
    dead = np.zeros(len(edges), np.bool_)
    root = np.arange(len(offsets) - 1)
    for e in range(first_part[-1], len(edges)):
        f, g = face_of[sides[e, 0]], face_of[sides[e, 1]]
        if _same(state, f, g):
            dead[e] = True
            _union(root, f, g)
    start, n_apart = _outlines(following, sides, face_of, side_edge, dead, root)
    link, dropped = _straight(edges, dead, n_fixed, side_vertex)
    _keep_corners(following, sides, side_vertex, side_edge, dead, start, dropped)
    names = np.empty(len(dropped), np.int64)
    kept = np.flatnonzero(~dropped)
    points = np.empty((len(kept), 2))
    for i in range(len(kept)):
        v = kept[i]
        names[v], points[i, 0], points[i, 1] = i, vertices[v, 0], vertices[v, 1]
    new_edge, first_of, new_edges, new_source, new_stray = _chains(
        edges, source, stray, dead, dropped, link, names
    )
    groups = np.flatnonzero(start >= 0)
    new_offsets = np.zeros(len(groups) + 1, np.int64)
    new_vertex, new_side = np.empty(len(side_vertex), np.int64), np.empty(len(side_vertex), np.int64)
    m = 0
    for i in range(len(groups)):
        k = start[groups[i]]
        while True:
            if not dropped[side_vertex[k]]:
                new_vertex[m], new_side[m] = names[side_vertex[k]], new_edge[side_edge[k]]
                m += 1
            k = _next(following, sides, side_edge, dead, k)
            if k == start[groups[i]]:
                break
        new_offsets[i + 1] = m
    parts = np.empty(len(first_part), np.int64)
    for e in range(len(first_part) - 1):
        parts[e] = new_edge[first_part[e]]
    parts[-1] = new_edge[first_part[-1] - 1] + 1
    rows = [
        k
        for k in range(len(shared))
        if new_edge[shared[k, 0]] >= 0 and first_of[new_edge[shared[k, 0]]] == shared[k, 0]
    ]
    new_shared = np.empty((len(rows), 3), np.int64)
    for i in range(len(rows)):
        k = rows[i]
        new_shared[i, 0], new_shared[i, 1], new_shared[i, 2] = (
            new_edge[shared[k, 0]],
            shared[k, 1],
            shared[k, 2],
        )
    merged = Arrays(
        points,
        new_offsets,
        new_vertex[:m].copy(),
        new_side[:m].copy(),
        new_edges,
        new_source,
        new_shared,
        new_stray,
        rounding,
    )
    return merged, parent[groups], state[groups], parts, kept, n_apart


@part()
def _tables(
    offsets: Int64[np.ndarray, "face+1"],
    side_vertex: Int64[np.ndarray, "side"],
    side_edge: Int64[np.ndarray, "side"],
    edges: Int64[np.ndarray, "edge 2"],
) -> tuple[Int64[np.ndarray, "side"], Int64[np.ndarray, "edge 2"], Int64[np.ndarray, "side"]]:
    """For every side the next one of its face and the face; for every edge its sides on the left and on the
    right, or -1."""
    following, face_of = np.empty(len(side_edge), np.int64), np.empty(len(side_edge), np.int64)
    sides = np.full((len(edges), 2), -1, np.int64)
    for f in range(len(offsets) - 1):
        for k in range(offsets[f], offsets[f + 1]):
            following[k] = k + 1 if k + 1 < offsets[f + 1] else offsets[f]
            face_of[k] = f
            sides[side_edge[k], 0 if edges[side_edge[k], 0] == side_vertex[k] else 1] = k
    return following, sides, face_of


@part()
def _same(state: UInt64[np.ndarray, "face word"], f: int, g: int) -> bool:
    """Whether two faces have the same words."""
    different = np.uint64(0)
    for w in range(state.shape[1]):
        different |= state[f, w] ^ state[g, w]
    return bool(different == np.uint64(0))


@part()
def _find(root: Int64[np.ndarray, "face"], f: int) -> int:
    """Root of a face's group."""
    while root[f] != f:
        root[f] = root[root[f]]
        f = root[f]
    return f


@part()
def _union(root: Int64[np.ndarray, "face"], f: int, g: int) -> None:
    """Join the groups of two faces; the lowest face of a group is its root."""
    f, g = _find(root, f), _find(root, g)
    root[max(f, g)] = min(f, g)


@part(forceinline=True)
def _next(
    following: Int64[np.ndarray, "side"],
    sides: Int64[np.ndarray, "edge 2"],
    side_edge: Int64[np.ndarray, "side"],
    dead: Bool[np.ndarray, "edge"],
    k: int,
) -> int:
    """The side after ``k`` on the outline of its group: turn round its end until an edge is left."""
    k = following[k]
    while dead[side_edge[k]]:
        e = side_edge[k]
        k = following[sides[e, 0] + sides[e, 1] - k]
    return k


@part()
def _outlines(
    following: Int64[np.ndarray, "side"],
    sides: Int64[np.ndarray, "edge 2"],
    face_of: Int64[np.ndarray, "side"],
    side_edge: Int64[np.ndarray, "side"],
    dead: Bool[np.ndarray, "edge"],
    root: Int64[np.ndarray, "face"],
) -> tuple[Int64[np.ndarray, "face"], np.intp]:
    """A side on the outline of every group, at its root, else -1; and the number of groups without one closed
    outline.

    Those are taken apart again.
    """
    n_faces = len(root)
    for f in range(n_faces):
        root[f] = _find(root, f)
    start, left = np.full(n_faces, -1, np.int64), np.zeros(n_faces, np.int64)
    for k in range(len(side_edge)):
        if not dead[side_edge[k]]:
            left[root[face_of[k]]] += 1
            if start[root[face_of[k]]] < 0:
                start[root[face_of[k]]] = k
    apart = np.zeros(n_faces, np.bool_)
    for f in range(n_faces):
        if root[f] == f:
            apart[f] = left[f] < 3 or _length(following, sides, side_edge, dead, start[f], left[f]) != left[f]
    n_apart = np.count_nonzero(apart)
    if n_apart:
        for k in range(len(side_edge)):
            f = face_of[k]
            if apart[root[f]]:
                dead[side_edge[k]] = False
                start[f] = k
    return start, n_apart


@part()
def _length(
    following: Int64[np.ndarray, "side"],
    sides: Int64[np.ndarray, "edge 2"],
    side_edge: Int64[np.ndarray, "side"],
    dead: Bool[np.ndarray, "edge"],
    start: int,
    most: int,
) -> int:
    """Number of sides of an outline; -1 where it is not closed after ``most``."""
    k = _next(following, sides, side_edge, dead, start)
    n = 1
    while k != start and n < most:
        n += 1
        k = _next(following, sides, side_edge, dead, k)
    return n if k == start else -1


@part()
def _straight(
    edges: Int64[np.ndarray, "edge 2"],
    dead: Bool[np.ndarray, "edge"],
    n_fixed: int,
    side_vertex: Int64[np.ndarray, "side"],
) -> tuple[Int64[np.ndarray, "vertex 2"], Bool[np.ndarray, "vertex"]]:
    """The last two edges left at every vertex, (V, 2), and which vertices beyond the fixed ones have none or
    just two."""
    n = max(n_fixed, side_vertex.max() + 1)
    link, degree = np.full((n, 2), -1, np.int64), np.zeros(n, np.int64)
    for e in range(len(edges)):
        if not dead[e]:
            for i in range(2):
                v = edges[e, i]
                link[v, degree[v] & 1] = e
                degree[v] += 1
    dropped = np.zeros(n, np.bool_)
    for v in range(n_fixed, n):
        dropped[v] = degree[v] == 0 or degree[v] == 2
    return link, dropped


@part()
def _keep_corners(
    following: Int64[np.ndarray, "side"],
    sides: Int64[np.ndarray, "edge 2"],
    side_vertex: Int64[np.ndarray, "side"],
    side_edge: Int64[np.ndarray, "side"],
    dead: Bool[np.ndarray, "edge"],
    start: Int64[np.ndarray, "face"],
    dropped: Bool[np.ndarray, "vertex"],
) -> None:
    """Keep three corners of every face (only where rounding left faces not convex could one have fewer)."""
    for f in range(len(start)):
        if start[f] < 0:
            continue
        corners = 0
        k = start[f]
        while True:
            corners += not dropped[side_vertex[k]]
            k = _next(following, sides, side_edge, dead, k)
            if corners >= 3 or k == start[f]:
                break
        while corners < 3:
            dropped[side_vertex[k]] = False
            k = _next(following, sides, side_edge, dead, k)
            if k == start[f]:
                break


@part()
def _chains(
    edges: Int64[np.ndarray, "edge 2"],
    source: Int32[np.ndarray, "edge 2"],
    stray: Float64[np.ndarray, "edge 4"],
    dead: Bool[np.ndarray, "edge"],
    dropped: Bool[np.ndarray, "vertex"],
    link: Int64[np.ndarray, "vertex 2"],
    names: Int64[np.ndarray, "vertex"],
) -> tuple[
    Int64[np.ndarray, "edge"],
    Int64[np.ndarray, "new"],
    Int64[np.ndarray, "new 2"],
    Int32[np.ndarray, "new 2"],
    Float64[np.ndarray, "new 4"],
]:
    """Edges joined at dropped vertices: for each edge its new one or -1, for each new one its first edge,
    ends, source and stray."""
    new_edge, first_of = np.full(len(edges), -1, np.int64), np.empty(len(edges), np.int64)
    ends, strays = np.empty((len(edges), 2), np.int64), np.empty((len(edges), 4))
    n = 0
    for e in range(len(edges)):
        if dead[e] or new_edge[e] >= 0:
            continue
        new_edge[e], first_of[n] = n, e
        for i in range(2):
            v, at = edges[e, i], e
            while dropped[v]:
                at = link[v, 0] + link[v, 1] - at
                new_edge[at] = n
                v = edges[at, 0] + edges[at, 1] - v
            ends[n, i] = names[v]
            end = 0 if edges[at, 0] == v else 1
            strays[n, i], strays[n, 2 + i] = stray[at, end], stray[at, 2 + end]
        n += 1
    sources = np.empty((n, 2), np.int32)
    for i in range(n):
        sources[i, 0], sources[i, 1] = source[first_of[i], 0], source[first_of[i], 1]
    return new_edge, first_of[:n], ends[:n].copy(), sources, strays[:n].copy()
