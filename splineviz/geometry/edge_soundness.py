"""Rules that the edges of a subdivision keep: they fit their cells, their units and each other."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64, UInt8

from splineviz.geometry.compiled import part

__all__ = ["euler_numbers", "mark_doubles", "mark_edges", "mark_rims"]

EDGE_TWICE, EDGE_ASTRAY, EDGE_UNUSED, EDGE_LOOP = 1, 2, 4, 8
EDGE_DOUBLE, EDGE_RIM, EDGE_NAMELESS, EDGE_WINDOWS = 16, 32, 64, 128
VERTEX_RIM = 2


@part()
def mark_edges(
    edges: Int64[np.ndarray, "edge 2"],
    edge_cells: Int64[np.ndarray, "edge 2"],
    unit_offsets: Int64[np.ndarray, "edge+1"],
    window_of: Int64[np.ndarray, "cell"],
    uses: UInt8[np.ndarray, "edge 2"],
    covers: bool,
    edge: UInt8[np.ndarray, "edge"],
) -> None:
    """Mark edges that do not fit their cells or their units; ``uses`` counts their sides, left and right."""
    for e in range(len(edges)):
        left, right = edge_cells[e]
        if uses[e, 0] > 1 or uses[e, 1] > 1:
            edge[e] |= EDGE_TWICE
        if (uses[e, 0] > 0) != (left >= 0) or (uses[e, 1] > 0) != (right >= 0):
            edge[e] |= EDGE_ASTRAY
        if uses[e, 0] == 0 and uses[e, 1] == 0:
            edge[e] |= EDGE_UNUSED
        if edges[e, 0] == edges[e, 1]:
            edge[e] |= EDGE_LOOP
        named = unit_offsets[e + 1] > unit_offsets[e]
        if left >= 0 and right >= 0:
            if not named:
                edge[e] |= EDGE_NAMELESS
            if window_of[left] != window_of[right]:
                edge[e] |= EDGE_WINDOWS
        elif covers and named:
            edge[e] |= EDGE_RIM


@part()
def mark_rims(
    edges: Int64[np.ndarray, "edge 2"],
    edge_cells: Int64[np.ndarray, "edge 2"],
    vertex: UInt8[np.ndarray, "vertex"],
) -> None:
    """Mark vertices at which a rim is not closed: with other than none or two edges of one cell."""
    count = np.zeros(len(vertex), np.int64)
    for e in range(len(edges)):
        if edge_cells[e, 0] < 0 or edge_cells[e, 1] < 0:
            count[edges[e, 0]] += 1
            count[edges[e, 1]] += 1
    for v in range(len(vertex)):
        if count[v] != 0 and count[v] != 2:
            vertex[v] |= VERTEX_RIM


@part()
def mark_doubles(
    edges: Int64[np.ndarray, "edge 2"],
    n_vertices: int,
    edge: UInt8[np.ndarray, "edge"],
) -> None:
    """Mark edges that join the same two vertices: those of each lower vertex are put side by side."""
    first = np.zeros(n_vertices + 1, np.int64)
    for e in range(len(edges)):
        first[min(edges[e, 0], edges[e, 1]) + 1] += 1
    for v in range(n_vertices):
        first[v + 1] += first[v]
    place, at, seen = first.copy(), np.empty(len(edges), np.int64), np.full(n_vertices, -1, np.int64)
    for e in range(len(edges)):
        low = min(edges[e, 0], edges[e, 1])
        at[place[low]] = e
        place[low] += 1
    for v in range(n_vertices):
        for i in range(first[v], first[v + 1]):
            high = max(edges[at[i], 0], edges[at[i], 1])
            other = seen[high]
            if other >= first[v]:  # written for this vertex, not for an earlier one
                edge[at[i]] |= EDGE_DOUBLE
                edge[at[other]] |= EDGE_DOUBLE
            seen[high] = i


@part()
def euler_numbers(
    window_of: Int64[np.ndarray, "cell"],
    window_at: Int64[np.ndarray, "vertex"],
    edge_cells: Int64[np.ndarray, "edge 2"],
    n_cells: int,
    n_windows: int,
) -> Int64[np.ndarray, "window"]:
    """V - E + F of each window; a vertex of no cell counts in all."""
    euler = np.zeros(n_windows, np.int64)
    for f in range(n_cells):
        euler[window_of[f]] += 1
    for e in range(len(edge_cells)):
        f = max(edge_cells[e, 0], edge_cells[e, 1])
        if f >= 0:
            euler[window_of[f]] -= 1
    for v in range(len(window_at)):
        if window_at[v] >= 0:
            euler[window_at[v]] += 1
        else:
            euler += 1
    return euler
