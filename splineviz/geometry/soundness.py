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
from splineviz.geometry.edge_soundness import euler_numbers, mark_doubles, mark_edges, mark_rims

__all__ = ["Broken", "broken_rules"]

CELL_FEW, CELL_STRAY, CELL_UNNAMED, CELL_AREA, CELL_DENT, CELL_PATTERN = 1, 2, 4, 8, 16, 32
VERTEX_FINITE = 1
WINDOW_AREA, WINDOW_EULER = 1, 2

_AREA = 1e-9
"""Share of a window's area by which the areas of its cells may miss it."""
_STRAIGHT = 1e-12
"""Share of a window's diameter by which a vertex may stand inside the line of its neighbours; and"""
_ROUNDING = 2.0**-44
"""that of the largest numbers between uv and input space, whose rounding no coordinate escapes."""


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
    edges: Int64[np.ndarray, "edge 2"],
    edge_cells: Int64[np.ndarray, "edge 2"],
    unit_offsets: Int64[np.ndarray, "edge+1"],
    window_of: Int64[np.ndarray, "cell"],
    hashes: UInt64[np.ndarray, "cell 2"],
    thin_cells: Int64[np.ndarray, "thin"],
    thin_areas: Float64[np.ndarray, "thin"],
    areas: Float64[np.ndarray, "window"],
    reaches: Float64[np.ndarray, "window"],
    covers: bool,
) -> Broken:
    """Rules that cells break, their coordinates uv. No id may point outside.

    Areas of thin cells are given, where coordinates do not tell them. ``areas`` are those of the windows,
    ``reaches`` the distances of their planes' origins from 0. What holds of whole windows only (rims, sums
    of areas, V - E + F) is asked if the cells ``covers`` them.
    """
    n_windows = len(areas)
    cell, edge = np.zeros(len(offsets) - 1, np.uint8), np.zeros(len(edges), np.uint8)
    vertex, window = np.zeros(len(vertices), np.uint8), np.zeros(n_windows, np.uint8)
    uses = np.zeros((len(edges), 2), np.uint8)
    window_at = np.full(len(vertices), -1, np.int64)
    for v in range(len(vertices)):
        if not (np.isfinite(vertices[v, 0]) and np.isfinite(vertices[v, 1])):
            vertex[v] |= VERTEX_FINITE
    for f in range(len(cell)):
        for k in range(offsets[f], offsets[f + 1]):
            after = k + 1 if k + 1 < offsets[f + 1] else offsets[f]
            v, e = corners[k], side_edges[k]
            window_at[v] = window_of[f]
            side = 0 if edges[e, 0] == v else 1
            if edges[e, side] != v or edges[e, 1 - side] != corners[after]:
                cell[f] |= CELL_STRAY
                continue
            if edge_cells[e, side] != f:
                cell[f] |= CELL_UNNAMED
            uses[e, side] = min(2, uses[e, side] + 1)
        if offsets[f + 1] - offsets[f] < 3:
            cell[f] |= CELL_FEW
    total = _shapes(vertices, offsets, corners, window_of, thin_cells, thin_areas, reaches, n_windows, cell)
    _patterns(hashes, window_of, cell)
    mark_edges(edges, edge_cells, unit_offsets, window_of, uses, covers, edge)
    mark_doubles(edges, len(vertices), edge)
    if covers:
        mark_rims(edges, edge_cells, vertex)
        euler = euler_numbers(window_of, window_at, edge_cells, len(cell), n_windows)
        for w in range(n_windows):
            if not abs(total[w] - areas[w]) <= _AREA * areas[w]:
                window[w] |= WINDOW_AREA
            if euler[w] != 1:
                window[w] |= WINDOW_EULER
    return Broken(cell, edge, vertex, window)


@part()
def _shapes(
    vertices: Float64[np.ndarray, "vertex 2"],
    offsets: Int64[np.ndarray, "cell+1"],
    corners: Int64[np.ndarray, "side"],
    window_of: Int64[np.ndarray, "cell"],
    thin_cells: Int64[np.ndarray, "thin"],
    thin_areas: Float64[np.ndarray, "thin"],
    reaches: Float64[np.ndarray, "window"],
    n_windows: int,
    cell: UInt8[np.ndarray, "cell"],
) -> Float64[np.ndarray, "window"]:
    """Sums of the areas of each window's cells; marks cells that are not convex or have no area."""
    slack, total, own = np.empty(n_windows), np.zeros(n_windows), np.full(len(cell), np.nan)
    for i in range(len(thin_cells)):
        own[thin_cells[i]] = thin_areas[i]
    box = np.empty((n_windows, 4))
    box[:, :2], box[:, 2:] = np.inf, -np.inf
    for f in range(len(cell)):
        b = box[window_of[f]]
        for k in range(offsets[f], offsets[f + 1]):
            x, y = vertices[corners[k], 0], vertices[corners[k], 1]
            b[0], b[1], b[2], b[3] = min(b[0], x), min(b[1], y), max(b[2], x), max(b[3], y)
    for w in range(n_windows):
        far = max(abs(box[w, 0]), abs(box[w, 1]), abs(box[w, 2]), abs(box[w, 3]))
        span = np.hypot(box[w, 2] - box[w, 0], box[w, 3] - box[w, 1])
        slack[w] = _STRAIGHT * span + _ROUNDING * (reaches[w] + far)
    for f in range(len(cell)):
        n, start = offsets[f + 1] - offsets[f], offsets[f]
        if n < 3:
            continue
        first = vertices[corners[start]]
        before = corners[start + n - 1]
        x0, y0 = first[0] - vertices[before, 0], first[1] - vertices[before, 1]
        long0, twice = abs(x0) + abs(y0), 0.0
        for k in range(start, start + n):
            here, after = vertices[corners[k]], vertices[corners[k + 1 if k + 1 < start + n else start]]
            x1, y1 = after[0] - here[0], after[1] - here[1]
            long1 = abs(x1) + abs(y1)
            if x0 * y1 - y0 * x1 < -slack[window_of[f]] * (long0 + long1):
                cell[f] |= CELL_DENT
            twice += (here[0] - first[0]) * y1 - (here[1] - first[1]) * x1
            x0, y0, long0 = x1, y1, long1
        area = 0.5 * twice if np.isnan(own[f]) else own[f]
        total[window_of[f]] += area
        if area <= 0.0:
            cell[f] |= CELL_AREA
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
    mask = np.uint64((1 << bits) - 1)
    table = np.full(1 << bits, -1, np.int64)
    for f in range(len(cell)):
        mixed = hashes[f, 0] ^ (np.uint64(window_of[f]) * np.uint64(0x9E3779B97F4A7C15))
        slot = np.int64((mixed ^ (mixed >> np.uint64(32))) & mask)
        while table[slot] >= 0:
            g = table[slot]
            alike = hashes[g, 0] == hashes[f, 0] and hashes[g, 1] == hashes[f, 1]
            if alike and window_of[g] == window_of[f]:
                cell[f] |= CELL_PATTERN
                cell[g] |= CELL_PATTERN
                break
            slot = (slot + 1) & np.int64(mask)
        else:
            table[slot] = f
