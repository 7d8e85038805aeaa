"""Cut every face along its chords: nodes, half-edges, new faces, and the pattern of each."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from splineviz.geometry.intrinsics import borrowed, popcount
from splineviz.geometry.chords import Given, find_chords, make_scratch, order_chords

__all__ = ["Pieces", "cut_faces", "face_signs"]


class Pieces(NamedTuple):
    """What cutting leaves. Arrays have room to spare: `cut_faces` returns how much of each is filled."""

    offsets: np.ndarray
    side_vertex: np.ndarray
    side_edge: np.ndarray
    parent: np.ndarray
    """(faces,) the face it was cut from"""
    on: np.ndarray
    """(faces, words) the units that are positive on the face"""
    edges: np.ndarray
    """(edges, 2) vertices; parts of older edges first, then parts of chords"""
    edge_unit: np.ndarray
    """(edges,) unit of the chord; only beyond the parts of older edges"""
    ends: np.ndarray
    """(new vertices, 2) ends of the edge or chord on which the vertex lies"""
    t: np.ndarray
    bound: np.ndarray
    vanish_vertex: np.ndarray
    """Pairs (new vertex, unit that vanishes there)"""
    vanish_unit: np.ndarray
    shared_edge: np.ndarray
    """Pairs (edge, unit): further units on a chord that another unit drew"""
    shared_unit: np.ndarray


class Links(NamedTuple):
    """Half-edges of one face: the ring first, then two for each part of a chord, twins differing in the last bit."""

    following: np.ndarray
    origin: np.ndarray
    edge: np.ndarray
    chord: np.ndarray
    face: np.ndarray
    node_of: np.ndarray
    """(pairs,) node of a crossing, by root"""
    n_spokes: np.ndarray
    key: np.ndarray
    arriving: np.ndarray
    leaving: np.ndarray
    start: np.ndarray
    stack: np.ndarray
    drawn: np.ndarray
    """(chords, 2) the first of the consecutive edges that draw a chord, and the end of these"""


# Counters, in the order in which `cut_faces` returns them.
FACES, SIDES, EDGES, VERTICES, VANISH, SHARED, OPEN, DROPPED, BROKEN = range(9)


@njit(cache=True, nogil=True)
def face_signs(offsets: Any, side_vertex: Any, positive: Any, negative: Any, on: Any, cut: Any, n_cut: Any) -> None:
    """Units that are positive somewhere on each face, those that cut it, and how many these are."""
    for f in range(len(offsets) - 1):
        n = np.uint64(0)
        for w in range(positive.shape[1]):
            above = np.uint64(0)
            below = np.uint64(0)
            for k in range(offsets[f], offsets[f + 1]):
                above |= positive[side_vertex[k], w]
                below |= negative[side_vertex[k], w]
            on[f, w] = above
            cut[f, w] = above & below
            n += popcount(above & below)
        n_cut[f] = n


def cut_faces(given: Given, n_cut: np.ndarray, on: np.ndarray, out: Pieces, n: np.ndarray) -> None:
    """Cut all faces. ``out`` holds the parts of edges and the vertices on edges already; ``n`` counts what is filled."""
    chords = int(n_cut.max()) + 1
    ring = int((np.diff(given.offsets) + 2 * n_cut).max())
    pairs = max(1, (chords - 1) * (chords - 2) // 2)
    scratch = make_scratch(given.z.shape[1], ring, chords, pairs)
    _cut_faces(given, scratch, _make_links(ring, chords, pairs), n_cut, on, out, n)


@njit(cache=True, nogil=True)
def _cut_faces(given: Any, scratch: Any, links: Any, n_cut: Any, on: Any, pieces: Any, n: Any) -> None:
    g, s, h, out = borrowed(given), borrowed(scratch), borrowed(links), borrowed(pieces)
    out.offsets[0] = 0
    for f in range(len(g.offsets) - 1):
        if n_cut[f] == 0:
            _copy(f, g, on, out, n)
            continue
        n_ring, n_chords, dropped = find_chords(f, g, s)
        n[DROPPED] += dropped
        if n_chords == 0:
            _emit_ring(f, s, n_ring, 0, n_ring, -1, out, n)
            _copy_words(out.on, n[FACES] - 1, on, f)
        elif n_chords == 1:
            _split(f, g, s, n_ring, on, out, n)
        else:
            n_pairs, n_open = order_chords(g, s, n_chords)
            n[OPEN] += n_open
            _arrange_chords(f, g, s, h, n_ring, n_chords, n_pairs, on, out, n)


def _make_links(ring: int, chords: int, pairs: int) -> Links:
    half_edges = ring + 2 * chords + 4 * pairs + 2
    nodes = ring + pairs + 1
    spokes = 2 * ring + 2 * chords + 4 * pairs
    sizes = (half_edges,) * 5 + (pairs, nodes) + (spokes,) * 3 + (nodes + 1, half_edges, (chords, 2))
    return Links(*(np.empty(size, np.int64) for size in sizes))


@njit(cache=True, nogil=True, forceinline=True)
def _copy(f: Any, g: Any, on: Any, out: Any, n: Any) -> None:
    """A face that no unit cuts: its edges have one part each."""
    m = n[SIDES]
    for k in range(g.offsets[f], g.offsets[f + 1]):
        out.side_vertex[m] = g.side_vertex[k]
        out.side_edge[m] = g.first_part[g.side_edge[k]]
        m += 1
    _close_face(f, m, out, n)
    _copy_words(out.on, n[FACES] - 1, on, f)


@njit(cache=True, nogil=True, forceinline=True)
def _copy_words(target: Any, i: Any, source: Any, j: Any) -> None:
    for w in range(target.shape[1]):
        target[i, w] = source[j, w]


@njit(cache=True, nogil=True, forceinline=True)
def _close_face(f: Any, m: Any, out: Any, n: Any) -> None:
    out.parent[n[FACES]] = f
    n[FACES] += 1
    n[SIDES] = m
    out.offsets[n[FACES]] = m


@njit(cache=True, nogil=True, forceinline=True)
def _emit_ring(f: Any, s: Any, n_ring: Any, first: Any, length: Any, closing: Any, out: Any, n: Any) -> None:
    """The face of ``length`` ring edges from position first on, closed by an edge unless it goes all round."""
    m = n[SIDES]
    j = first
    # The wrap of j is carried from step to step on purpose: rings are short, and vectorising this loop made it slower.
    for _ in range(length):
        out.side_vertex[m], out.side_edge[m] = s.ring_vertex[j], s.ring_edge[j]
        m += 1
        j += 1
        if j == n_ring:
            j = 0
    if closing >= 0:
        out.side_vertex[m], out.side_edge[m] = s.ring_vertex[j], closing
        m += 1
    _close_face(f, m, out, n)


@njit(cache=True, nogil=True, forceinline=True)
def _split(f: Any, g: Any, s: Any, n_ring: Any, on: Any, out: Any, n: Any) -> None:
    """The common case: one chord, two faces."""
    p, q, unit = s.p[0], s.q[0], s.unit[0]
    e = n[EDGES]
    n[EDGES] += 1
    out.edges[e, 0], out.edges[e, 1] = s.ring_vertex[p], s.ring_vertex[q]
    out.edge_unit[e] = unit
    _emit_ring(f, s, n_ring, p, q - p, e, out, n)
    _emit_ring(f, s, n_ring, q, p + n_ring - q, e, out, n)
    for side in range(2):
        row = n[FACES] - 2 + side
        _copy_words(out.on, row, on, f)
        if s.rising[0] != (side == 0):
            out.on[row, unit >> 6] &= ~(np.uint64(1) << np.uint64(unit & 63))


@njit(cache=True, nogil=True, forceinline=True)
def _arrange_chords(
    f: Any, g: Any, s: Any, h: Any, n_ring: Any, n_chords: Any, n_pairs: Any, on: Any, out: Any, n: Any
) -> None:
    n_nodes = _make_nodes(g, s, h, n_chords, n_pairs, n_ring, out, n)
    n_half = _make_half_edges(g, s, h, n_ring, n_chords, n_nodes, out, n)
    before = n[FACES]
    _trace(f, s, h, n_ring, n_half, out, n)
    _spread_patterns(f, s, h, n_ring, n_chords, before, n[FACES], on, out)
    # Euler's formula for this face: every chord adds one face, every node of k chords k - 1 more.
    expected = 1
    for c in range(n_chords):
        expected += s.twin[c] == c
    for v in range(n_ring, n_nodes):
        expected += h.n_spokes[v] // 2 - 1
    if n[FACES] - before != expected:
        n[BROKEN] += 1


@njit(cache=True, nogil=True, forceinline=True)
def _make_nodes(g: Any, s: Any, h: Any, n_chords: Any, n_pairs: Any, n_ring: Any, out: Any, n: Any) -> Any:
    """One new vertex for each crossing point, on the chord that locates it best. Returns the number of nodes, ring included."""
    n_nodes = n_ring
    n_old = len(g.z)
    for x in range(n_pairs):
        h.node_of[x] = -1
    for c in range(n_chords):
        for k in range(s.first[c], s.first[c + 1]):
            root = s.root[s.pair[k]]
            a, b = s.ring_vertex[s.p[c]], s.ring_vertex[s.q[c]]
            if h.node_of[root] < 0:
                h.node_of[root] = n_nodes
                n_nodes += 1
                v = n[VERTICES]
                n[VERTICES] += 1
            else:
                v = n[VERTICES] - (n_nodes - h.node_of[root])
                if s.along_bound[k] >= out.bound[v]:
                    continue
            out.ends[v, 0], out.ends[v, 1] = a, b
            out.t[v], out.bound[v] = s.along[k], s.along_bound[k]
    base = n[VERTICES] - (n_nodes - n_ring) + n_old
    for c in range(n_chords):
        last = -1
        for k in range(s.first[s.twin[c]], s.first[s.twin[c] + 1]):
            node = h.node_of[s.root[s.pair[k]]]
            if node != last:
                out.vanish_vertex[n[VANISH]], out.vanish_unit[n[VANISH]] = base + node - n_ring, s.unit[c]
                n[VANISH] += 1
            last = node
    return n_nodes


@njit(cache=True, nogil=True, forceinline=True)
def _make_half_edges(g: Any, s: Any, h: Any, n_ring: Any, n_chords: Any, n_nodes: Any, out: Any, n: Any) -> Any:
    """Half-edges and spokes of all nodes, linked by turning left. Returns the number of half-edges."""
    base = n[VERTICES] - (n_nodes - n_ring) + len(g.z)
    _count_spokes(s, h, n_ring, n_chords, n_nodes)
    fill = h.stack
    for v in range(n_nodes):
        fill[v] = h.start[v]
    for i in range(n_ring):
        h.origin[i], h.edge[i], h.chord[i] = s.ring_vertex[i], s.ring_edge[i], -1
        _spoke(h, fill, i, 0, -1, i)
        _spoke(h, fill, i, n_ring, i - 1 if i > 0 else n_ring - 1, -1)
    half = n_ring + (n_ring & 1)
    for c in range(n_chords):
        if s.twin[c] != c:
            for e in range(h.drawn[s.twin[c], 0], h.drawn[s.twin[c], 1]):
                out.shared_edge[n[SHARED]], out.shared_unit[n[SHARED]] = e, s.unit[c]
                n[SHARED] += 1
            continue
        h.drawn[c, 0] = n[EDGES]
        p, q = s.p[c], s.q[c]
        node, vertex = p, s.ring_vertex[p]
        k = s.first[c]
        while True:
            while k < s.first[c + 1] and h.node_of[s.root[s.pair[k]]] == node:
                k += 1
            ahead = q if k == s.first[c + 1] else h.node_of[s.root[s.pair[k]]]
            vertex_ahead = s.ring_vertex[q] if ahead == q else base + ahead - n_ring
            e = n[EDGES]
            n[EDGES] += 1
            out.edges[e, 0], out.edges[e, 1] = vertex, vertex_ahead
            out.edge_unit[e] = s.unit[c]
            h.origin[half], h.edge[half], h.chord[half] = vertex, e, c
            h.origin[half + 1], h.edge[half + 1], h.chord[half + 1] = vertex_ahead, e, c
            _spoke(h, fill, node, q - p if node == p else q, half + 1, half)
            _spoke(h, fill, ahead, p - q + n_ring if ahead == q else p, half, half + 1)
            half += 2
            if ahead == q:
                break
            node, vertex = ahead, vertex_ahead
        h.drawn[c, 1] = n[EDGES]
    for v in range(n_nodes):
        _link(h, h.start[v], h.start[v + 1])
    return half


@njit(cache=True, nogil=True, forceinline=True)
def _spoke(h: Any, fill: Any, node: Any, key: Any, arriving: Any, leaving: Any) -> None:
    k = fill[node]
    h.key[k], h.arriving[k], h.leaving[k] = key, arriving, leaving
    fill[node] = k + 1


@njit(cache=True, nogil=True, forceinline=True)
def _count_spokes(s: Any, h: Any, n_ring: Any, n_chords: Any, n_nodes: Any) -> None:
    for v in range(n_nodes):
        h.n_spokes[v] = 2 if v < n_ring else 0
    for c in range(n_chords):
        if s.twin[c] != c:
            continue
        h.n_spokes[s.p[c]] += 1
        h.n_spokes[s.q[c]] += 1
        last = -1
        for k in range(s.first[c], s.first[c + 1]):
            node = h.node_of[s.root[s.pair[k]]]
            if node != last:
                h.n_spokes[node] += 2
            last = node
    h.start[0] = 0
    for v in range(n_nodes):
        h.start[v + 1] = h.start[v] + h.n_spokes[v]


@njit(cache=True, nogil=True, forceinline=True)
def _link(h: Any, first: Any, last: Any) -> None:
    """Sort the spokes of one node counter-clockwise; who arrives on one leaves on the one before it, the leftmost turn."""
    for k in range(first + 1, last):
        key, arriving, leaving = h.key[k], h.arriving[k], h.leaving[k]
        i = k
        while i > first and h.key[i - 1] > key:
            h.key[i], h.arriving[i], h.leaving[i] = h.key[i - 1], h.arriving[i - 1], h.leaving[i - 1]
            i -= 1
        h.key[i], h.arriving[i], h.leaving[i] = key, arriving, leaving
    before = last - 1
    for k in range(first, last):
        if h.arriving[k] >= 0:
            h.following[h.arriving[k]] = h.leaving[before]
        before = k


@njit(cache=True, nogil=True, forceinline=True)
def _trace(f: Any, s: Any, h: Any, n_ring: Any, n_half: Any, out: Any, n: Any) -> None:
    """Faces are the cycles of `following`."""
    for k in range(n_half):
        h.face[k] = -1
    for k in range(n_half):
        if h.face[k] >= 0 or (n_ring <= k < n_ring + (n_ring & 1)):
            continue
        m = n[SIDES]
        i = k
        while h.face[i] < 0:
            h.face[i] = n[FACES]
            out.side_vertex[m], out.side_edge[m] = h.origin[i], h.edge[i]
            m += 1
            i = h.following[i]
        _close_face(f, m, out, n)


@njit(cache=True, nogil=True, forceinline=True)
def _spread_patterns(f: Any, s: Any, h: Any, n_ring: Any, n_chords: Any, before: Any, after: Any, on: Any, out: Any) -> None:
    """The pattern of the face at the start of the ring is known from the chords' sides; each crossing flips its units."""
    home = h.face[0]
    _copy_words(out.on, home, on, f)
    for c in range(n_chords):
        if s.rising[c] != (s.p[c] == 0):
            u = s.unit[c]
            out.on[home, u >> 6] &= ~(np.uint64(1) << np.uint64(u & 63))
    first_chord = n_ring + (n_ring & 1)
    # `key` is free by now: it marks the faces that have their pattern.
    for face in range(after - before):
        h.key[face] = 0
    h.key[home - before] = 1
    h.stack[0] = 0
    depth = 1
    while depth > 0:
        depth -= 1
        begin = h.stack[depth]
        here = h.face[begin]
        i = begin
        while True:
            if i >= first_chord:
                mate = ((i - first_chord) ^ 1) + first_chord
                there = h.face[mate]
                if h.key[there - before] == 0:
                    h.key[there - before] = 1
                    _copy_words(out.on, there, out.on, here)
                    c = h.chord[i]
                    while c >= 0:
                        u = s.unit[c]
                        out.on[there, u >> 6] ^= np.uint64(1) << np.uint64(u & 63)
                        c = s.next_twin[c]
                    h.stack[depth] = mate
                    depth += 1
            i = h.following[i]
            if i == begin:
                break
