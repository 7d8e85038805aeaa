"""Cuts of all faces along their chords."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64, UInt64

from splineviz.geometry.chord_crossings import order_chords
from splineviz.geometry.chords import find_chords
from splineviz.geometry.compiled import part
from splineviz.geometry.face_tracing import (
    spread_patterns,
    trace_cycles,
    write_halves,
    write_uncut,
    write_whole,
)
from splineviz.geometry.half_edges import has_double_edge, make_half_edges, make_nodes
from splineviz.geometry.intrinsics import borrowed, popcount
from splineviz.geometry.predicates import Signs
from splineviz.geometry.questions import Dialogue
from splineviz.geometry.workspace import (
    DROPPED,
    EDGES,
    FACES,
    OPEN,
    SHARE,
    SIDES,
    VANISH,
    VERTICES,
    Given,
    Links,
    Pieces,
    Scratch,
)

__all__ = ["choose_words", "cut_faces", "face_signs"]


@part()
def face_signs(
    offsets: Int64[np.ndarray, "face+1"], side_vertex: Int64[np.ndarray, "side"], signs: Signs
) -> tuple[UInt64[np.ndarray, "face word"], UInt64[np.ndarray, "face word"]]:
    """(on, cut): units that are positive somewhere on each face, and those that cut it."""
    positive, negative = signs.positive, signs.negative
    n_faces, n_words = len(offsets) - 1, positive.shape[1]
    on, cut = np.empty((n_faces, n_words), np.uint64), np.empty((n_faces, n_words), np.uint64)
    for f in range(n_faces):
        for w in range(n_words):
            above = np.uint64(0)
            below = np.uint64(0)
            for k in range(offsets[f], offsets[f + 1]):
                above |= positive[side_vertex[k], w]
                below |= negative[side_vertex[k], w]
            on[f, w] = above
            cut[f, w] = above & below
    return on, cut


@part()
def choose_words(
    cut: UInt64[np.ndarray, "face word"], first: int, room: int
) -> tuple[int, Int64[np.ndarray, "face"]]:
    """(last, n_cut): words of units from ``first`` to before ``last`` that can cut at once, and how many cut
    each face.

    The pieces that pairs of units may leave are reckoned in bytes, and half of the words are put off until
    these fit into ``room``; a single word is never put off. Units that are put off, or have cut before, are
    taken out of ``cut``.
    """
    n_faces, n_words = cut.shape
    n_cut = np.zeros(n_faces, np.int64)
    last = n_words
    while True:
        needed = 0.0
        for f in range(n_faces):
            n = 0
            for w in range(first, last):
                n += popcount(cut[f, w])
            n_cut[f] = n
            needed += 0.5 * n * (n + 1) * (8 * n_words + 256)
        if needed <= room or last - first <= 1:
            break
        last = first + (last - first) // 2
    if first > 0 or last < n_words:
        for f in range(n_faces):
            for w in range(n_words):
                if w < first or w >= last:
                    cut[f, w] = np.uint64(0)
    return last, n_cut


@part()
def cut_faces(
    given: Given,
    n_cut: Int64[np.ndarray, "face"],
    scratch: Scratch,
    links: Links,
    pieces: Pieces,
    dialogue: Dialogue,
) -> None:
    """Cut every face along the chords of the ``n_cut`` units that cut it; fills ``pieces``."""
    g, s, h, out = borrowed(given), borrowed(scratch), borrowed(links), borrowed(pieces)
    out.offsets[0] = 0
    for f in range(len(g.offsets) - 1):
        if n_cut[f] == 0:
            write_uncut(f, g, out)
            continue
        n_ring, n_chords, dropped = find_chords(f, g, s)
        out.n[DROPPED] += dropped
        if n_chords == 0:
            write_whole(f, g.on, s, n_ring, out)
        elif n_chords == 1:
            write_halves(f, g.on, s, n_ring, out)
        else:
            _divide(f, g, s, h, n_ring, n_chords, out, dialogue)


@part(forceinline=True)
def _divide(
    f: int, g: Given, s: Scratch, h: Links, n_ring: int, n_chords: int, out: Pieces, dialogue: Dialogue
) -> None:
    """Divide face f along two or more chords."""
    n = out.n
    n_pairs, n_joined, n_open = order_chords(f, g, s, n_chords, dialogue)
    n[OPEN] += n_open
    faces, sides, edges, vertices, vanishing, shared = (
        n[FACES],
        n[SIDES],
        n[EDGES],
        n[VERTICES],
        n[VANISH],
        n[SHARE],
    )
    n_nodes = make_nodes(g, s, n_chords, n_pairs, n_ring, out)
    n_half = make_half_edges(g, s, h, n_ring, n_chords, n_nodes, out)
    trace_cycles(f, h, n_ring, n_half, out)
    # Euler's formula for this face: every chord adds one face, every node of k chords k - 1 more.
    expected = 1
    for c in range(n_chords):
        expected += s.chord[c].twin == c
    for v in range(n_ring, n_nodes):
        expected += h.node[v].n_spokes // 2 - 1
    if n[FACES] - faces == expected and not (n_joined and has_double_edge(h, n_nodes)):
        spread_patterns(f, g.on, s, h, n_ring, n_chords, faces, out)
        return
    # Orders that rounding decided contradict each other: no planar drawing has them. The face stays whole,
    # and is reported.
    n[FACES], n[SIDES], n[EDGES], n[VERTICES], n[VANISH], n[SHARE] = (
        faces,
        sides,
        edges,
        vertices,
        vanishing,
        shared,
    )
    n[DROPPED] += n_chords
    write_whole(f, g.on, s, n_ring, out)
