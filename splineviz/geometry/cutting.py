"""Cut every face along its chords."""

from __future__ import annotations

from typing import Any

import numpy as np

from splineviz.geometry.chord_crossings import order_chords
from splineviz.geometry.chords import find_chords
from splineviz.geometry.compiled import part
from splineviz.geometry.face_tracing import emit_copy, emit_cycles, emit_halves, emit_whole, spread_patterns
from splineviz.geometry.half_edges import has_double_edge, make_half_edges, make_nodes
from splineviz.geometry.intrinsics import borrowed, popcount
from splineviz.geometry.workspace import DROPPED, EDGES, FACES, OPEN, SHARE, SIDES, VANISH, VERTICES

__all__ = ["choose_words", "cut_faces", "face_signs"]


@part()
def face_signs(offsets: Any, side_vertex: Any, positive: Any, negative: Any) -> Any:
    """(on, cut): units that are positive somewhere on each face, and those that cut it."""
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
def choose_words(cut: Any, first: Any, room: Any) -> Any:
    """(last, n_cut): words of units from ``first`` to before ``last`` that can cut at once, and how many cut
    each face.

    The pieces that pairs of units may leave are reckoned in bytes, and half of the words are put off until
    these fit into ``room``; a single word is never put off. What is put off, or was cut before, is taken out
    of ``cut``.
    """
    n_faces, n_words = cut.shape
    n_cut = np.zeros(n_faces, np.int64)
    last = n_words
    while True:
        needed = 0.0
        for f in range(n_faces):
            n = np.int64(0)
            for w in range(first, last):
                n += np.int64(popcount(cut[f, w]))
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
    given: Any,
    n_cut: Any,
    on: Any,
    scratch: Any,
    links: Any,
    pieces: Any,
    n: Any,
    answers: Any,
    questions: Any,
) -> None:
    """Cut every face; fills ``pieces`` and counts in ``n`` what it filled."""
    g, s, h, out = borrowed(given), borrowed(scratch), borrowed(links), borrowed(pieces)
    out.offsets[0] = 0
    for f in range(len(g.offsets) - 1):
        if n_cut[f] == 0:
            emit_copy(f, g, on, out, n)
            continue
        n_ring, n_chords, dropped = find_chords(f, g, s)
        n[DROPPED] += dropped
        if n_chords == 0:
            emit_whole(f, s, n_ring, on, out, n)
        elif n_chords == 1:
            emit_halves(f, g, s, n_ring, on, out, n)
        else:
            n_pairs, n_joined, n_open = order_chords(f, g, s, n_chords, answers, questions)
            n[OPEN] += n_open
            _arrange_chords(f, g, s, h, n_ring, n_chords, n_pairs, n_joined, on, out, n)


@part(forceinline=True)
def _arrange_chords(
    f: Any,
    g: Any,
    s: Any,
    h: Any,
    n_ring: Any,
    n_chords: Any,
    n_pairs: Any,
    n_joined: Any,
    on: Any,
    out: Any,
    n: Any,
) -> None:
    faces, sides, edges, vertices, vanishing, shared = (
        n[FACES],
        n[SIDES],
        n[EDGES],
        n[VERTICES],
        n[VANISH],
        n[SHARE],
    )
    n_nodes = make_nodes(g, s, n_chords, n_pairs, n_ring, out, n)
    n_half = make_half_edges(g, s, h, n_ring, n_chords, n_nodes, out, n)
    emit_cycles(f, s, h, n_ring, n_half, out, n)
    # Euler's formula for this face: every chord adds one face, every node of k chords k - 1 more.
    expected = 1
    for c in range(n_chords):
        expected += s.chord[c].twin == c
    for v in range(n_ring, n_nodes):
        expected += h.node[v].n_spokes // 2 - 1
    if n[FACES] - faces == expected and not (n_joined and has_double_edge(h, n_nodes)):
        spread_patterns(f, s, h, n_ring, n_chords, faces, n[FACES], on, out)
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
    emit_whole(f, s, n_ring, on, out, n)
