"""Faces that cutting leaves, traced along their half-edges; each gets its ring and its pattern."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt64

from splineviz.geometry.compiled import part
from splineviz.geometry.workspace import EDGES, FACES, SIDES, Given, Links, Pieces, Scratch

__all__ = ["spread_patterns", "trace_cycles", "write_halves", "write_uncut", "write_whole"]


@part(forceinline=True)
def write_uncut(f: int, g: Given, out: Pieces) -> None:
    """Write a face that no unit cuts: its edges have one part each."""
    m = out.n[SIDES]
    for k in range(g.offsets[f], g.offsets[f + 1]):
        out.side_vertex[m] = g.side_vertex[k]
        out.side_edge[m] = g.first_part[g.side_edge[k]]
        m += 1
    _close_face(f, m, out)
    _copy_words(out.on, out.n[FACES] - 1, g.on, f)


@part(forceinline=True)
def write_whole(f: int, on: UInt64[np.ndarray, "parent word"], s: Scratch, n_ring: int, out: Pieces) -> None:
    """Write a face that stays whole, with the new vertices on its ring."""
    _write_ring(f, s, n_ring, 0, n_ring, -1, out)
    _copy_words(out.on, out.n[FACES] - 1, on, f)


@part(forceinline=True)
def write_halves(f: int, on: UInt64[np.ndarray, "parent word"], s: Scratch, n_ring: int, out: Pieces) -> None:
    """Write the two faces on the sides of a single chord, the common case."""
    p, q, unit = s.chord[0].p, s.chord[0].q, s.chord[0].unit
    e = out.n[EDGES]
    out.n[EDGES] += 1
    out.edges[e, 0], out.edges[e, 1] = s.ring[p].vertex, s.ring[q].vertex
    out.edge_unit[e] = unit
    _write_ring(f, s, n_ring, p, q - p, e, out)
    _write_ring(f, s, n_ring, q, p + n_ring - q, e, out)
    for side in range(2):
        row = out.n[FACES] - 2 + side
        _copy_words(out.on, row, on, f)
        if s.chord[0].rising != (side == 0):
            out.on[row, unit >> 6] &= ~(np.uint64(1) << np.uint64(unit & 63))


@part(forceinline=True)
def trace_cycles(f: int, h: Links, n_ring: int, n_half: int, out: Pieces) -> None:
    """Write the faces into which face f falls: the cycles of ``following``."""
    for k in range(n_half):
        h.half[k].face = -1
    for k in range(n_half):
        if h.half[k].face >= 0 or (n_ring <= k < n_ring + (n_ring & 1)):
            continue
        m = out.n[SIDES]
        i = k
        while h.half[i].face < 0:
            h.half[i].face = out.n[FACES]
            out.side_vertex[m], out.side_edge[m] = h.half[i].origin, h.half[i].edge
            m += 1
            i = h.half[i].following
        _close_face(f, m, out)


@part(forceinline=True)
def spread_patterns(
    f: int,
    on: UInt64[np.ndarray, "parent word"],
    s: Scratch,
    h: Links,
    n_ring: int,
    n_chords: int,
    before: int,
    out: Pieces,
) -> None:
    """Patterns of the faces from ``before`` on, into which face f fell.

    That of the face at the start of the ring is known from the chords' sides; each edge that is crossed flips
    its units.
    """
    home = h.half[0].face
    _copy_words(out.on, home, on, f)
    for c in range(n_chords):
        if s.chord[c].rising != (s.chord[c].p == 0):
            u = s.chord[c].unit
            out.on[home, u >> 6] &= ~(np.uint64(1) << np.uint64(u & 63))
    first_chord = n_ring + (n_ring & 1)
    # `key` is free by now: it marks the faces that have their pattern.
    for face in range(out.n[FACES] - before):
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


@part(forceinline=True)
def _write_ring(f: int, s: Scratch, n_ring: int, first: int, length: int, closing: int, out: Pieces) -> None:
    """Write the face of ``length`` ring edges from position first on, closed by an edge unless it goes all
    round."""
    m = out.n[SIDES]
    j = first
    # The wrap of j is carried from step to step on purpose: rings are short, and vectorising this loop made
    # it slower.
    for _ in range(length):
        out.side_vertex[m], out.side_edge[m] = s.ring[j].vertex, s.ring[j].edge
        m += 1
        j += 1
        if j == n_ring:
            j = 0
    if closing >= 0:
        out.side_vertex[m], out.side_edge[m] = s.ring[j].vertex, closing
        m += 1
    _close_face(f, m, out)


@part(forceinline=True)
def _close_face(f: int, m: int, out: Pieces) -> None:
    """End a face, cut from face f, at side m."""
    n = out.n
    out.parent[n[FACES]] = f
    n[FACES] += 1
    n[SIDES] = m
    out.offsets[n[FACES]] = m


@part(forceinline=True)
def _copy_words(
    target: UInt64[np.ndarray, "face word"], i: int, source: UInt64[np.ndarray, "parent word"], j: int
) -> None:
    for w in range(target.shape[1]):
        target[i, w] = source[j, w]
