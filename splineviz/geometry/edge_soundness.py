"""Rules that the edges of a subdivision keep: they fit their cells, their units and each other.

Two numbers of an edge, its vertices, its cells or how often it lies in each direction, stand side by side in
flat arrays: those of edge e at 2 e and 2 e + 1.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64, UInt8

from splineviz.geometry.compiled import part

__all__ = ["mark_doubles", "mark_edges", "mark_rims"]

EDGE_TWICE, EDGE_ASTRAY, EDGE_UNUSED, EDGE_LOOP = 1, 2, 4, 8
EDGE_DOUBLE, EDGE_RIM, EDGE_NAMELESS, EDGE_WINDOWS = 16, 32, 64, 128
VERTEX_RIM = 2

U = np.uint64
"""Of indices: nothing asks then whether they count from the end, and kernels take half of the time."""


@part()
def mark_edges(
    ends: Int64[np.ndarray, "2*edge"],
    cells_at: Int64[np.ndarray, "2*edge"],
    unit_offsets: Int64[np.ndarray, "edge+1"],
    window_of: Int64[np.ndarray, "cell"],
    uses: UInt8[np.ndarray, "2*edge"],
    covers: bool,
    edge: UInt8[np.ndarray, "edge"],
) -> None:
    """Mark edges that do not fit their cells or their units; ``uses`` counts their sides, left and right."""
    for e in range(len(edge)):
        left, right = cells_at[U(2 * e)], cells_at[U(2 * e + 1)]
        on_left, on_right = uses[U(2 * e)], uses[U(2 * e + 1)]
        found = EDGE_LOOP if ends[U(2 * e)] == ends[U(2 * e + 1)] else 0
        if (on_left != (left >= 0)) | (on_right != (right >= 0)) | (on_left + on_right == 0):
            found |= EDGE_TWICE if max(on_left, on_right) > 1 else 0
            found |= EDGE_ASTRAY if (on_left > 0) != (left >= 0) or (on_right > 0) != (right >= 0) else 0
            found |= EDGE_UNUSED if on_left + on_right == 0 else 0
        named = unit_offsets[U(e + 1)] > unit_offsets[U(e)]
        if (left >= 0) & (right >= 0):
            found |= 0 if named else EDGE_NAMELESS
            found |= EDGE_WINDOWS if window_of[U(left)] != window_of[U(right)] else 0
        elif covers & named:
            found |= EDGE_RIM
        if found:
            edge[U(e)] = found


@part()
def mark_rims(
    ends: Int64[np.ndarray, "2*edge"],
    cells_at: Int64[np.ndarray, "2*edge"],
    vertex: UInt8[np.ndarray, "vertex"],
) -> None:
    """Mark vertices at which a rim is not closed: with other than none or two edges of one cell."""
    count = np.zeros(len(vertex), np.int64)
    for e in range(len(ends) // 2):
        if min(cells_at[U(2 * e)], cells_at[U(2 * e + 1)]) < 0:
            count[ends[U(2 * e)]] += 1
            count[ends[U(2 * e + 1)]] += 1
    for v in range(len(vertex)):
        if count[U(v)] != 0 and count[U(v)] != 2:
            vertex[U(v)] |= VERTEX_RIM


@part()
def mark_doubles(ends: Int64[np.ndarray, "2*edge"], edge: UInt8[np.ndarray, "edge"]) -> None:
    """Mark edges that join the same two vertices, by a table with open addressing."""
    bits = 1
    while (1 << bits) < 2 * len(edge):
        bits += 1
    table, mask = np.full(1 << bits, -1, np.int32), U((1 << bits) - 1)
    for e in range(len(edge)):
        low = min(ends[U(2 * e)], ends[U(2 * e + 1)])
        high = ends[U(2 * e)] + ends[U(2 * e + 1)] - low
        mixed = U(low) * U(0x9E3779B97F4A7C15) + U(high) * U(0xC2B2AE3D27D4EB4F)
        slot = (mixed >> U(32)) & mask
        while table[slot] >= 0:
            i = table[slot]
            if (
                min(ends[U(2 * i)], ends[U(2 * i + 1)]) == low
                and max(ends[U(2 * i)], ends[U(2 * i + 1)]) == high
            ):
                edge[U(e)] |= EDGE_DOUBLE
                edge[U(i)] |= EDGE_DOUBLE
                break
            slot = (slot + U(1)) & mask
        else:
            table[slot] = e
