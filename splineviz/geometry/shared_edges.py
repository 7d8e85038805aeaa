"""Edges that several units share: the first draws an edge, the others change state across it too."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64, UInt64

from splineviz.geometry.compiled import part
from splineviz.geometry.intrinsics import popcount, trailing_zeros
from splineviz.geometry.predicates import Signs

__all__ = ["shared_edges", "vanishing_edges"]


@part()
def shared_edges(
    known: Int64[np.ndarray, "row 3"],
    vanishing: Int64[np.ndarray, "row 2"],
    drawn: np.ndarray,
    first_part: Int64[np.ndarray, "edge+1"],
    stage: int,
) -> Int64[np.ndarray, "row 3"]:
    """Rows (edge, stage, unit) after a refinement.

    Those known before, on every part of their edge; older edges along which units of this stage vanish, as
    `vanishing_edges` has them; chords ``drawn`` by several units, rows of `records.SHARED`.
    """
    total = len(drawn)
    for k in range(len(known)):
        total += first_part[known[k, 0] + 1] - first_part[known[k, 0]]
    for k in range(len(vanishing)):
        total += first_part[vanishing[k, 0] + 1] - first_part[vanishing[k, 0]]
    rows = np.empty((total, 3), np.int64)
    n = 0
    for k in range(len(known)):
        n = _put(rows, n, first_part, known[k, 0], known[k, 1], known[k, 2])
    for k in range(len(vanishing)):
        n = _put(rows, n, first_part, vanishing[k, 0], stage, vanishing[k, 1])
    for k in range(len(drawn)):
        rows[n, 0], rows[n, 1], rows[n, 2] = drawn[k].edge, stage, drawn[k].unit
        n += 1
    return rows


@part()
def vanishing_edges(
    edges: Int64[np.ndarray, "edge 2"],
    edge_faces: Int64[np.ndarray, "edge 2"],
    signs: Signs,
    on: UInt64[np.ndarray, "face word"],
    first: int,
    last: int,
) -> Int64[np.ndarray, "row 2"]:
    """Rows (edge, unit) where a unit in words first .. last - 1 vanishes along an edge and differs in state
    between its two faces. ``edge_faces`` is empty where no unit is zero anywhere."""
    positive, negative = signs.positive, signs.negative
    total = 0
    for e in range(len(edge_faces)):
        for w in range(first, last):
            total += popcount(_vanishing(e, w, edges, edge_faces, positive, negative, on))
    rows = np.empty((total, 2), np.int64)
    n = 0
    for e in range(len(edge_faces) if total > 0 else 0):
        for w in range(first, last):
            word = _vanishing(e, w, edges, edge_faces, positive, negative, on)
            while word != np.uint64(0):
                rows[n, 0], rows[n, 1] = e, 64 * w + trailing_zeros(word)
                word &= word - np.uint64(1)
                n += 1
    return rows


@part()
def _vanishing(
    e: int,
    w: int,
    edges: Int64[np.ndarray, "edge 2"],
    edge_faces: Int64[np.ndarray, "edge 2"],
    positive: UInt64[np.ndarray, "vertex word"],
    negative: UInt64[np.ndarray, "vertex word"],
    on: UInt64[np.ndarray, "face word"],
) -> np.uint64:
    """Units of word w that are zero at both ends of an edge and differ in state between its two faces."""
    left, right = edge_faces[e, 0], edge_faces[e, 1]
    if left < 0 or right < 0:
        return np.uint64(0)
    a, b = edges[e, 0], edges[e, 1]
    strict = positive[a, w] | negative[a, w] | positive[b, w] | negative[b, w]
    units: np.uint64 = (on[left, w] ^ on[right, w]) & ~strict
    return units


@part()
def _put(
    rows: Int64[np.ndarray, "row 3"],
    n: int,
    first_part: Int64[np.ndarray, "edge+1"],
    edge: int,
    stage: int,
    unit: int,
) -> int:
    """Write rows from the n-th on, one for each part of an edge; returns where they end."""
    for e in range(first_part[edge], first_part[edge + 1]):
        rows[n, 0], rows[n, 1], rows[n, 2] = e, stage, unit
        n += 1
    return n
