"""Cut every face along its chords: nodes, half-edges, new faces, and the pattern of each."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from splineviz.geometry.chords import find_chords, make_scratch, order_chords
from splineviz.geometry.intrinsics import borrowed, popcount
from splineviz.geometry.records import BIRTH, HALF_EDGE, NODE, SHARED, SPOKE, VANISHING

__all__ = ["Pieces", "cut_faces", "face_signs", "make_room"]


class Pieces(NamedTuple):
    """What cutting leaves. Arrays have room to spare: the counters of `cut_faces` say how much of each is filled."""

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
    birth: np.ndarray
    vanishing: np.ndarray
    shared: np.ndarray


class Links(NamedTuple):
    """Half-edges of one face: the ring first, then two for each part of a chord, twins differing in the last bit."""

    half: np.ndarray
    spoke: np.ndarray
    node: np.ndarray
    """Ring positions first, then crossing points"""
    stack: np.ndarray


# Counters of `cut_faces`.
FACES, SIDES, EDGES, VERTICES, VANISH, SHARE, OPEN, DROPPED = range(8)


@njit(cache=True, nogil=True)
def face_signs(offsets: Any, side_vertex: Any, positive: Any, negative: Any) -> Any:
    """(on, cut, n_cut): units that are positive somewhere on each face, those that cut it, and how many these are."""
    n_faces, n_words = len(offsets) - 1, positive.shape[1]
    on, cut = np.empty((n_faces, n_words), np.uint64), np.empty((n_faces, n_words), np.uint64)
    n_cut = np.zeros(n_faces, np.int64)
    for f in range(n_faces):
        for w in range(n_words):
            above = np.uint64(0)
            below = np.uint64(0)
            for k in range(offsets[f], offsets[f + 1]):
                above |= positive[side_vertex[k], w]
                below |= negative[side_vertex[k], w]
            on[f, w] = above
            cut[f, w] = above & below
            n_cut[f] += np.int64(popcount(above & below))
    return on, cut, n_cut


@njit(cache=True, nogil=True)
def make_room(given: Any, n_cut: Any, parts: Any) -> Any:
    """(scratch, links, pieces, n) for `cut_faces`; pieces begin with the parts of edges and the vertices on edges."""
    chords, ring, n_chords, n_pairs = 0, 0, 0, 0
    for f in range(len(n_cut)):
        chords = max(chords, n_cut[f])
        ring = max(ring, given.offsets[f + 1] - given.offsets[f] + 2 * n_cut[f])
        n_chords += n_cut[f]
        n_pairs += n_cut[f] * (n_cut[f] - 1) // 2
    pieces, n = _make_pieces(given, parts, n_chords, n_pairs)
    pairs = max(1, chords * (chords - 1) // 2)
    return make_scratch(given.z.shape[1], ring, chords, pairs), _make_links(ring, chords, pairs), pieces, n


@njit(cache=True, nogil=True)
def cut_faces(given: Any, n_cut: Any, on: Any, scratch: Any, links: Any, pieces: Any, n: Any) -> None:
    """Cut every face; fills ``pieces`` and counts in ``n`` what it filled."""
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


@njit(cache=True, nogil=True)
def _make_pieces(given: Any, parts: Any, n_chords: Any, n_pairs: Any) -> Any:
    """Arrays for the most that can come, all chords of a face crossing each other; untouched memory costs nothing."""
    n_born, n_parts = len(given.birth), len(parts)
    faces = len(given.offsets) - 1 + n_chords + n_pairs
    sides = len(given.side_edge) + 2 * n_born + 2 * n_chords + 4 * n_pairs
    edges = n_parts + n_chords + 2 * n_pairs
    pieces = Pieces(
        np.empty(faces + 1, np.int64),
        np.empty(sides, np.int64),
        np.empty(sides, np.int64),
        np.empty(faces, np.int64),
        np.empty((faces, given.cut.shape[1]), np.uint64),
        np.empty((edges, 2), np.int64),
        np.empty(edges, np.int64),
        np.empty(n_born + n_pairs, BIRTH),
        np.empty(2 * n_pairs, VANISHING),
        np.empty(n_chords + n_pairs, SHARED),
    )
    for e in range(n_parts):
        pieces.edges[e, 0], pieces.edges[e, 1] = parts[e, 0], parts[e, 1]
    for k in range(n_born):
        source, target = given.birth[k], pieces.birth[k]
        target.a, target.b, target.t, target.bound = source.a, source.b, source.t, source.bound
    n = np.zeros(8, np.int64)
    n[EDGES], n[VERTICES] = n_parts, n_born
    return pieces, n


@njit(cache=True, nogil=True)
def _make_links(ring: Any, chords: Any, pairs: Any) -> Any:
    half_edges = ring + 2 * chords + 4 * pairs + 2
    return Links(
        np.empty(half_edges, HALF_EDGE),
        np.empty(2 * ring + 2 * chords + 4 * pairs, SPOKE),
        np.empty(ring + pairs + 2, NODE),
        np.empty(half_edges, np.int64),
    )


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
        out.side_vertex[m], out.side_edge[m] = s.ring[j].vertex, s.ring[j].edge
        m += 1
        j += 1
        if j == n_ring:
            j = 0
    if closing >= 0:
        out.side_vertex[m], out.side_edge[m] = s.ring[j].vertex, closing
        m += 1
    _close_face(f, m, out, n)


@njit(cache=True, nogil=True, forceinline=True)
def _split(f: Any, g: Any, s: Any, n_ring: Any, on: Any, out: Any, n: Any) -> None:
    """The common case: one chord, two faces."""
    p, q, unit = s.chord[0].p, s.chord[0].q, s.chord[0].unit
    e = n[EDGES]
    n[EDGES] += 1
    out.edges[e, 0], out.edges[e, 1] = s.ring[p].vertex, s.ring[q].vertex
    out.edge_unit[e] = unit
    _emit_ring(f, s, n_ring, p, q - p, e, out, n)
    _emit_ring(f, s, n_ring, q, p + n_ring - q, e, out, n)
    for side in range(2):
        row = n[FACES] - 2 + side
        _copy_words(out.on, row, on, f)
        if s.chord[0].rising != (side == 0):
            out.on[row, unit >> 6] &= ~(np.uint64(1) << np.uint64(unit & 63))


@njit(cache=True, nogil=True, forceinline=True)
def _arrange_chords(f: Any, g: Any, s: Any, h: Any, n_ring: Any, n_chords: Any, n_pairs: Any, on: Any, out: Any, n: Any) -> None:
    faces, sides, edges, vertices, vanishing, shared = n[FACES], n[SIDES], n[EDGES], n[VERTICES], n[VANISH], n[SHARE]
    n_nodes = _make_nodes(g, s, n_chords, n_pairs, n_ring, out, n)
    n_half = _make_half_edges(g, s, h, n_ring, n_chords, n_nodes, out, n)
    _trace(f, s, h, n_ring, n_half, out, n)
    # Euler's formula for this face: every chord adds one face, every node of k chords k - 1 more.
    expected = 1
    for c in range(n_chords):
        expected += s.chord[c].twin == c
    for v in range(n_ring, n_nodes):
        expected += h.node[v].n_spokes // 2 - 1
    if n[FACES] - faces == expected:
        _spread_patterns(f, s, h, n_ring, n_chords, faces, n[FACES], on, out)
        return
    # Orders that rounding decided contradict each other: no planar drawing has them. The face stays whole, and is reported.
    n[FACES], n[SIDES], n[EDGES], n[VERTICES], n[VANISH], n[SHARE] = faces, sides, edges, vertices, vanishing, shared
    n[DROPPED] += n_chords
    _emit_ring(f, s, n_ring, 0, n_ring, -1, out, n)
    _copy_words(out.on, n[FACES] - 1, on, f)


@njit(cache=True, nogil=True, forceinline=True)
def _make_nodes(g: Any, s: Any, n_chords: Any, n_pairs: Any, n_ring: Any, out: Any, n: Any) -> Any:
    """One new vertex for each crossing point, on the chord that locates it best. Returns the number of nodes, ring included."""
    n_nodes = n_ring
    n_old = len(g.z)
    for x in range(n_pairs):
        s.pair[x].node = -1
    for c in range(n_chords):
        for k in range(s.chord[c].first, s.chord[c + 1].first):
            root = s.pair[s.meeting[k].pair].root
            a, b = s.ring[s.chord[c].p].vertex, s.ring[s.chord[c].q].vertex
            if s.pair[root].node < 0:
                s.pair[root].node = n_nodes
                n_nodes += 1
                v = n[VERTICES]
                n[VERTICES] += 1
            else:
                v = n[VERTICES] - (n_nodes - s.pair[root].node)
                if s.meeting[k].bound >= out.birth[v].bound:
                    continue
            birth = out.birth[v]
            birth.a, birth.b, birth.t, birth.bound = a, b, s.meeting[k].t, s.meeting[k].bound
    base = n[VERTICES] - (n_nodes - n_ring) + n_old
    for c in range(n_chords):
        last = -1
        for k in range(s.chord[s.chord[c].twin].first, s.chord[s.chord[c].twin + 1].first):
            node = _node_of(s, k)
            if node != last:
                vanishing = out.vanishing[n[VANISH]]
                vanishing.vertex, vanishing.unit = base + node - n_ring, s.chord[c].unit
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
        fill[v] = h.node[v].start
    for i in range(n_ring):
        h.half[i].origin, h.half[i].edge, h.half[i].chord = s.ring[i].vertex, s.ring[i].edge, -1
        _spoke(h, fill, i, 0, -1, i)
        _spoke(h, fill, i, n_ring, i - 1 if i > 0 else n_ring - 1, -1)
    half = n_ring + (n_ring & 1)
    for c in range(n_chords):
        if s.chord[c].twin != c:
            for e in range(s.chord[s.chord[c].twin].drawn, s.chord[s.chord[c].twin].drawn_end):
                shared = out.shared[n[SHARE]]
                shared.edge, shared.unit = e, s.chord[c].unit
                n[SHARE] += 1
            continue
        s.chord[c].drawn = n[EDGES]
        p, q = s.chord[c].p, s.chord[c].q
        node, vertex = p, s.ring[p].vertex
        k = s.chord[c].first
        while True:
            while k < s.chord[c + 1].first and _node_of(s, k) == node:
                k += 1
            ahead = q if k == s.chord[c + 1].first else _node_of(s, k)
            vertex_ahead = s.ring[q].vertex if ahead == q else base + ahead - n_ring
            e = n[EDGES]
            n[EDGES] += 1
            out.edges[e, 0], out.edges[e, 1] = vertex, vertex_ahead
            out.edge_unit[e] = s.chord[c].unit
            h.half[half].origin, h.half[half].edge, h.half[half].chord = vertex, e, c
            h.half[half + 1].origin, h.half[half + 1].edge, h.half[half + 1].chord = vertex_ahead, e, c
            _spoke(h, fill, node, q - p if node == p else q, half + 1, half)
            _spoke(h, fill, ahead, p - q + n_ring if ahead == q else p, half, half + 1)
            half += 2
            if ahead == q:
                break
            node, vertex = ahead, vertex_ahead
        s.chord[c].drawn_end = n[EDGES]
    for v in range(n_nodes):
        _link(h, h.node[v].start, h.node[v + 1].start)
    return half


@njit(cache=True, nogil=True, forceinline=True)
def _put_spoke(h: Any, k: Any, key: Any, arriving: Any, leaving: Any) -> None:
    m = h.spoke[k]
    m.key, m.arriving, m.leaving = key, arriving, leaving


@njit(cache=True, nogil=True, forceinline=True)
def _node_of(s: Any, k: Any) -> Any:
    """The node at the k-th meeting."""
    return s.pair[s.pair[s.meeting[k].pair].root].node


@njit(cache=True, nogil=True, forceinline=True)
def _spoke(h: Any, fill: Any, node: Any, key: Any, arriving: Any, leaving: Any) -> None:
    _put_spoke(h, fill[node], key, arriving, leaving)
    fill[node] += 1


@njit(cache=True, nogil=True, forceinline=True)
def _count_spokes(s: Any, h: Any, n_ring: Any, n_chords: Any, n_nodes: Any) -> None:
    for v in range(n_nodes):
        h.node[v].n_spokes = 2 if v < n_ring else 0
    for c in range(n_chords):
        if s.chord[c].twin != c:
            continue
        h.node[s.chord[c].p].n_spokes += 1
        h.node[s.chord[c].q].n_spokes += 1
        last = -1
        for k in range(s.chord[c].first, s.chord[c + 1].first):
            node = _node_of(s, k)
            if node != last:
                h.node[node].n_spokes += 2
            last = node
    h.node[0].start = 0
    for v in range(n_nodes):
        h.node[v + 1].start = h.node[v].start + h.node[v].n_spokes


@njit(cache=True, nogil=True, forceinline=True)
def _link(h: Any, first: Any, last: Any) -> None:
    """Sort the spokes of one node counter-clockwise; who arrives on one leaves on the one before it, the leftmost turn."""
    for k in range(first + 1, last):
        key, arriving, leaving = h.spoke[k].key, h.spoke[k].arriving, h.spoke[k].leaving
        i = k
        while i > first and h.spoke[i - 1].key > key:
            m = h.spoke[i - 1]
            _put_spoke(h, i, m.key, m.arriving, m.leaving)
            i -= 1
        _put_spoke(h, i, key, arriving, leaving)
    before = last - 1
    for k in range(first, last):
        if h.spoke[k].arriving >= 0:
            h.half[h.spoke[k].arriving].following = h.spoke[before].leaving
        before = k


@njit(cache=True, nogil=True, forceinline=True)
def _trace(f: Any, s: Any, h: Any, n_ring: Any, n_half: Any, out: Any, n: Any) -> None:
    """Faces are the cycles of `following`."""
    for k in range(n_half):
        h.half[k].face = -1
    for k in range(n_half):
        if h.half[k].face >= 0 or (n_ring <= k < n_ring + (n_ring & 1)):
            continue
        m = n[SIDES]
        i = k
        while h.half[i].face < 0:
            h.half[i].face = n[FACES]
            out.side_vertex[m], out.side_edge[m] = h.half[i].origin, h.half[i].edge
            m += 1
            i = h.half[i].following
        _close_face(f, m, out, n)


@njit(cache=True, nogil=True, forceinline=True)
def _spread_patterns(f: Any, s: Any, h: Any, n_ring: Any, n_chords: Any, before: Any, after: Any, on: Any, out: Any) -> None:
    """The pattern of the face at the start of the ring is known from the chords' sides; each crossing flips its units."""
    home = h.half[0].face
    _copy_words(out.on, home, on, f)
    for c in range(n_chords):
        if s.chord[c].rising != (s.chord[c].p == 0):
            u = s.chord[c].unit
            out.on[home, u >> 6] &= ~(np.uint64(1) << np.uint64(u & 63))
    first_chord = n_ring + (n_ring & 1)
    # `key` is free by now: it marks the faces that have their pattern.
    for face in range(after - before):
        h.spoke[face].key = 0
    h.spoke[home - before].key = 1
    h.stack[0] = 0
    depth = 1
    while depth > 0:
        depth -= 1
        begin = h.stack[depth]
        here = h.half[begin].face
        i = begin
        while True:
            if i >= first_chord:
                mate = ((i - first_chord) ^ 1) + first_chord
                there = h.half[mate].face
                if h.spoke[there - before].key == 0:
                    h.spoke[there - before].key = 1
                    _copy_words(out.on, there, out.on, here)
                    c = h.half[i].chord
                    while c >= 0:
                        u = s.chord[c].unit
                        out.on[there, u >> 6] ^= np.uint64(1) << np.uint64(u & 63)
                        c = s.chord[c].next_twin
                    h.stack[depth] = mate
                    depth += 1
            i = h.half[i].following
            if i == begin:
                break
