"""Edges that several units share: the first draws an edge, the others change state across it too."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from splineviz.geometry.compiled import part
from splineviz.geometry.intrinsics import borrowed, popcount, trailing_zeros
from splineviz.geometry.workspace import Given

__all__ = ["shared_edges"]


@part()
def shared_edges(
    known: Int64[np.ndarray, "row 3"],
    given: Given,
    edge_faces: Int64[np.ndarray, "edge 2"],
    first: int,
    last: int,
    drawn: np.ndarray,
    stage: int,
) -> Int64[np.ndarray, "row 3"]:
    """Rows (edge, stage, unit) after a refinement.

    Those known before, on every part of their edge; older edges along which units of this stage (words first
    .. last - 1 of them) vanish while their state differs between the two faces; chords ``drawn`` by several
    units, rows of `records.SHARED`. ``edge_faces`` is empty where no unit is zero anywhere.
    """
    g = borrowed(given)
    first_part = given.first_part
    total = len(drawn)
    for k in range(len(known)):
        total += first_part[known[k, 0] + 1] - first_part[known[k, 0]]
    for e in range(len(edge_faces)):
        for w in range(first, last):
            n_parts = first_part[e + 1] - first_part[e]
            total += n_parts * popcount(_vanishing(e, w, g, edge_faces))
    rows = np.empty((total, 3), np.int64)
    n = 0
    for k in range(len(known)):
        n = _put(rows, n, first_part, known[k, 0], known[k, 1], known[k, 2])
    for e in range(len(edge_faces)):
        for w in range(first, last):
            word = _vanishing(e, w, g, edge_faces)
            while word != np.uint64(0):
                n = _put(rows, n, first_part, e, stage, 64 * w + trailing_zeros(word))
                word &= word - np.uint64(1)
    for k in range(len(drawn)):
        rows[n, 0], rows[n, 1], rows[n, 2] = drawn[k].edge, stage, drawn[k].unit
        n += 1
    return rows


@part()
def _vanishing(e: int, w: int, g: Given, edge_faces: Int64[np.ndarray, "edge 2"]) -> np.uint64:
    """Units of word w that are zero at both ends of an edge and differ in state between its two
    faces."""
    left, right = edge_faces[e, 0], edge_faces[e, 1]
    if left < 0 or right < 0:
        return np.uint64(0)
    a, b = g.edges[e, 0], g.edges[e, 1]
    strict = g.positive[a, w] | g.negative[a, w] | g.positive[b, w] | g.negative[b, w]
    units: np.uint64 = (g.on[left, w] ^ g.on[right, w]) & ~strict
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
