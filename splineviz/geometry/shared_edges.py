"""Edges that several units share: the first draws an edge, the others change state across it too."""

from __future__ import annotations

from typing import Any

import numpy as np

from splineviz.geometry.compiled import part
from splineviz.geometry.intrinsics import popcount, trailing_zeros

__all__ = ["shared_edges"]


@part()
def shared_edges(
    known: Any,
    edges: Any,
    edge_faces: Any,
    signs: Any,
    on: Any,
    first: Any,
    last: Any,
    first_part: Any,
    drawn: Any,
    stage: Any,
) -> Any:
    """(k, 3) rows (edge, stage, unit) after a refinement.

    Those known before, on every part of their edge; older edges along which units of this stage (words first
    .. last - 1 of them) vanish while their state differs between the two faces; chords ``drawn`` by several
    units. ``edge_faces`` is empty where no unit is zero anywhere.
    """
    total = len(drawn)
    for k in range(len(known)):
        total += first_part[known[k, 0] + 1] - first_part[known[k, 0]]
    for e in range(len(edge_faces)):
        for w in range(first, last):
            n_parts = first_part[e + 1] - first_part[e]
            total += n_parts * np.int64(
                popcount(_vanishing(e, w, edges, edge_faces, signs.positive, signs.negative, on))
            )
    rows = np.empty((total, 3), np.int64)
    n = 0
    for k in range(len(known)):
        n = _put(rows, n, first_part, known[k, 0], known[k, 1], known[k, 2])
    for e in range(len(edge_faces)):
        for w in range(first, last):
            word = _vanishing(e, w, edges, edge_faces, signs.positive, signs.negative, on)
            while word != np.uint64(0):
                n = _put(rows, n, first_part, e, stage, 64 * w + np.int64(trailing_zeros(word)))
                word &= word - np.uint64(1)
    for k in range(len(drawn)):
        rows[n, 0], rows[n, 1], rows[n, 2] = drawn[k].edge, stage, drawn[k].unit
        n += 1
    return rows


@part()
def _vanishing(e: Any, w: Any, edges: Any, edge_faces: Any, positive: Any, negative: Any, on: Any) -> Any:
    """The units of one word that are zero at both ends of an edge and differ in state between its two
    faces."""
    left, right = edge_faces[e, 0], edge_faces[e, 1]
    if left < 0 or right < 0:
        return np.uint64(0)
    a, b = edges[e, 0], edges[e, 1]
    return (on[left, w] ^ on[right, w]) & ~(positive[a, w] | negative[a, w] | positive[b, w] | negative[b, w])


@part()
def _put(rows: Any, n: Any, first_part: Any, edge: Any, stage: Any, unit: Any) -> Any:
    for e in range(first_part[edge], first_part[edge + 1]):
        rows[n, 0], rows[n, 1], rows[n, 2] = e, stage, unit
        n += 1
    return n
