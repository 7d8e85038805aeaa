"""Rules that a subdivision into distinct convex cells keeps, and the cells, edges, vertices and windows that
break them.

Rules are bits: of a cell those that begin with ``CELL_``, and so on (those of edges: `edge_soundness`). All
is seen in a few passes over sides and edges; nothing is sorted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, UInt8, UInt64

from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.edge_soundness import U, mark_doubles, mark_edges, mark_rims

__all__ = ["Broken", "broken_rules"]

CELL_FEW, CELL_STRAY, CELL_UNNAMED, CELL_AREA, CELL_DENT, CELL_PATTERN = 1, 2, 4, 8, 16, 32
VERTEX_FINITE = 1
WINDOW_AREA = 1

_AREA = 1e-9
"""Share of a window's area by which the areas of its cells may miss it."""


class Broken(NamedTuple):
    """Rules that are broken, as bits; 0 where all are kept."""

    cells: UInt8[np.ndarray, "cell"]
    edges: UInt8[np.ndarray, "edge"]
    vertices: UInt8[np.ndarray, "vertex"]
    windows: UInt8[np.ndarray, "window"]


@kernel
def broken_rules(
    vertices: Float64[np.ndarray, "vertex 2"],
    offsets: Int64[np.ndarray, "cell+1"],
    corners: Int64[np.ndarray, "side"],
    side_edges: Int64[np.ndarray, "side"],
    ends: Int64[np.ndarray, "2*edge"],
    cells_at: Int64[np.ndarray, "2*edge"],
    unit_offsets: Int64[np.ndarray, "edge+1"],
    window_of: Int64[np.ndarray, "cell"],
    hashes: UInt64[np.ndarray, "cell 2"],
    thin_cells: Int64[np.ndarray, "thin"],
    thin_areas: Float64[np.ndarray, "thin"],
    areas: Float64[np.ndarray, "window"],
    slack: Float64[np.ndarray, "window"],
    covers: bool,
) -> Broken:
    """Rules that cells break, their coordinates uv. No id may point outside.

    Areas of thin cells are given, where coordinates do not tell them. ``areas`` are those of the windows, and
    by ``slack`` a vertex may stand inside the line of its neighbours. What holds of whole windows only (rims,
    sums of areas) is asked if the cells ``covers`` them.
    """
    cell, edge = np.zeros(len(offsets) - 1, np.uint8), np.zeros(len(ends) // 2, np.uint8)
    vertex, window = np.zeros(len(vertices), np.uint8), np.zeros(len(areas), np.uint8)
    uses = np.zeros(len(ends), np.uint8)
    for v in range(len(vertices)):
        if not (np.isfinite(vertices[v, 0]) and np.isfinite(vertices[v, 1])):
            vertex[v] |= VERTEX_FINITE
    _sides(offsets, corners, side_edges, ends, cells_at, uses, cell)
    total = _shapes(vertices, offsets, corners, window_of, thin_cells, thin_areas, slack, cell)
    _patterns(hashes, window_of, cell)
    mark_edges(ends, cells_at, unit_offsets, window_of, uses, covers, edge)
    if not covers:  # else cells on both sides of two such edges overlap, and areas or the rim tell
        mark_doubles(ends, edge)
    else:
        mark_rims(ends, cells_at, vertex)
        for w in range(len(areas)):
            if not abs(total[w] - areas[w]) <= _AREA * areas[w]:
                window[w] |= WINDOW_AREA
    return Broken(cell, edge, vertex, window)


@part()
def _sides(
    offsets: Int64[np.ndarray, "cell+1"],
    corners: Int64[np.ndarray, "side"],
    side_edges: Int64[np.ndarray, "side"],
    ends: Int64[np.ndarray, "2*edge"],
    cells_at: Int64[np.ndarray, "2*edge"],
    uses: UInt8[np.ndarray, "2*edge"],
    cell: UInt8[np.ndarray, "cell"],
) -> None:
    """Mark cells whose sides are not the edges that they name; count how often an edge lies in each
    direction, up to twice."""
    for f in range(len(cell)):
        start, stop = offsets[U(f)], offsets[U(f + 1)]
        if stop - start < 3:
            cell[U(f)] |= CELL_FEW
            continue
        tail, e, stray, unnamed = corners[U(stop - 1)], side_edges[U(stop - 1)], False, False
        for k in range(start, stop):
            head, slot = corners[U(k)], 2 * e + (ends[U(2 * e)] != tail)
            fits = (ends[U(slot)] == tail) & (ends[U(slot ^ 1)] == head)
            stray |= not fits
            unnamed |= fits & (cells_at[U(slot)] != f)
            uses[U(slot)] = fits + (uses[U(slot)] > 0)
            tail, e = head, side_edges[U(k)]
        if stray:
            cell[U(f)] |= CELL_STRAY
        if unnamed:
            cell[U(f)] |= CELL_UNNAMED


@part()
def _shapes(
    vertices: Float64[np.ndarray, "vertex 2"],
    offsets: Int64[np.ndarray, "cell+1"],
    corners: Int64[np.ndarray, "side"],
    window_of: Int64[np.ndarray, "cell"],
    thin_cells: Int64[np.ndarray, "thin"],
    thin_areas: Float64[np.ndarray, "thin"],
    slack: Float64[np.ndarray, "window"],
    cell: UInt8[np.ndarray, "cell"],
) -> Float64[np.ndarray, "window"]:
    """Sums of the areas of each window's cells; marks cells that have none or are not convex."""
    known, total = np.full(len(cell), np.nan), np.zeros(len(slack))
    for i in range(len(thin_cells)):
        known[thin_cells[i]] = thin_areas[i]
    one = U(1)
    for f in range(len(cell)):
        start, stop, w = offsets[U(f)], offsets[U(f + 1)], U(window_of[U(f)])
        if stop - start < 3:
            continue
        allowed, twice, least = slack[w], 0.0, 0.0
        a, h, g = U(corners[U(start)]), U(corners[U(stop - 1)]), U(corners[U(stop - 2)])
        ax, ay, hx, hy = vertices[a, U(0)], vertices[a, one], vertices[h, U(0)], vertices[h, one]
        x0, y0 = hx - vertices[g, U(0)], hy - vertices[g, one]
        for k in range(start, stop):
            v = U(corners[U(k)])
            x1, y1 = vertices[v, U(0)] - hx, vertices[v, one] - hy
            # The sum of two lengths is at most that of the absolute values of their coordinates.
            turn = x0 * y1 - y0 * x1 + allowed * (abs(x0) + abs(y0) + abs(x1) + abs(y1))
            least, twice = min(least, turn), twice + (hx - ax) * y1 - (hy - ay) * x1
            x0, y0, hx, hy = x1, y1, vertices[v, U(0)], vertices[v, one]
        area = 0.5 * twice if np.isnan(known[U(f)]) else known[U(f)]
        total[w] += area
        if least < 0.0:
            cell[U(f)] |= CELL_DENT
        if area <= 0.0:
            cell[U(f)] |= CELL_AREA
    return total


@part()
def _patterns(
    hashes: UInt64[np.ndarray, "cell 2"],
    window_of: Int64[np.ndarray, "cell"],
    cell: UInt8[np.ndarray, "cell"],
) -> None:
    """Mark the cells of a window that have one pattern, by a table with open addressing."""
    bits = 1
    while (1 << bits) < 2 * len(cell):
        bits += 1
    table, mask = np.full(1 << bits, -1, np.int32), U((1 << bits) - 1)
    for f in range(len(cell)):
        mixed = hashes[U(f), U(0)] ^ (U(window_of[U(f)]) * U(0x9E3779B97F4A7C15))
        slot = (mixed ^ (mixed >> U(32))) & mask
        while table[slot] >= 0:
            g = U(table[slot])
            alike = hashes[g, U(0)] == hashes[U(f), U(0)] and hashes[g, U(1)] == hashes[U(f), U(1)]
            if alike and window_of[g] == window_of[U(f)]:
                cell[U(f)] |= CELL_PATTERN
                cell[g] |= CELL_PATTERN
                break
            slot = (slot + U(1)) & mask
        else:
            table[slot] = f
