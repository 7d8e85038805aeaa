"""The rim of the windows: on which side of its window each edge of the rim lies, decided by order alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Int64

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.exact_polygon import Triple, cross
from splineviz.geometry.rounding import SAFE, UNIT_ROUNDOFF

__all__ = ["rim_line", "rim_sides"]


Chosen = Callable[[Sequence[int], Triple], int | None]
"""Of some vertices the one that lies at a point; None if that cannot be told"""


def rim_sides(arr: Cells, chosen: Chosen | None = None) -> Int64[np.ndarray, "edge"]:
    """(E,) for each edge of the rim the side of its window, named by the corner that it begins at; -1 for
    other edges, and where it is not known.

    The edges of the rim follow each other round the window, and a side begins at each of its corners. A
    corner is known by its coordinates, which are those of the window bit for bit. Where several vertices have
    rounded to one corner, it is the one at which no other edge ends; if there is none, ``chosen`` tells, and
    without it the sides that meet there are not known. Where the cells do not cover the window, an edge
    lies on the only side that its ends are not away from, by more than they may be off.
    """
    sides = np.full(arr.n_edges, -1, dtype=np.int64)
    if not arr.status.covers:
        return _by_distance(arr, sides)
    rim = np.flatnonzero((arr.edge_cells < 0).any(1))
    turned = arr.edge_cells[rim, 0] < 0  # counter-clockwise has the cell on the left
    tail = np.where(turned, arr.edges[rim, 1], arr.edges[rim, 0])
    head = np.where(turned, arr.edges[rim, 0], arr.edges[rim, 1])
    window = arr.cell_window[arr.edge_cells[rim].max(1)]
    after = {t: (h, e) for t, h, e in zip(tail.tolist(), head.tolist(), rim.tolist(), strict=True)}
    degree = np.bincount(arr.edges.reshape(-1), minlength=arr.n_vertices)
    order = np.argsort(window, kind="stable")
    present, first = np.unique(window[order], return_index=True)
    for w, begins in zip(present.tolist(), np.split(tail[order], first[1:]), strict=True):
        corners = _corners(arr.windows[w].vertices, begins, arr.vertices[begins], degree[begins], chosen)
        _go_round(sides, corners, len(arr.windows[w].vertices), after)
    return sides


def _by_distance(arr: Cells, sides: np.ndarray) -> np.ndarray:
    """Fill in the sides of edges without units of which all but one are ruled out."""
    rim = np.flatnonzero((arr.edge_units.lengths == 0) & (arr.edge_cells.max(1, initial=-1) >= 0))
    off = arr.stats.largest_displacement
    if off is None:
        return sides
    owner = arr.cell_window[arr.edge_cells[rim].max(1)]
    for w in np.unique(owner).tolist():
        mine, corners = rim[owner == w], arr.windows[w].vertices
        ways = np.roll(corners, -1, axis=0) - corners
        normals = np.stack([-ways[:, 1], ways[:, 0]], axis=1) / np.linalg.norm(ways, axis=1)[:, None]
        ends = arr.vertices[arr.edges[mine]][:, :, None] - corners
        slack = 64.0 * UNIT_ROUNDOFF * np.abs(corners).max()
        near = (np.abs((ends * normals).sum(3)) <= SAFE * off + slack).all(1)
        alone = near.sum(1) == 1
        sides[mine[alone]] = near[alone].argmax(1)
    return sides


def rim_line(arr: Cells, window: int, side: int) -> Triple:
    """The exact line of a side of a window."""
    corners = arr.windows[window].vertices
    return cross(_point(corners[side]), _point(corners[(side + 1) % len(corners)]))


def _point(uv: np.ndarray) -> Triple:
    (p, q), (r, s) = (x.as_integer_ratio() for x in uv.tolist())
    one = max(q, s)  # powers of two
    return p * (one // q), r * (one // s), one


def _corners(
    corners: np.ndarray, begins: np.ndarray, uv: np.ndarray, degree: np.ndarray, chosen: Chosen | None
) -> dict[int, int]:
    """Vertices of a rim that are corners of the window, as far as that can be told, and which ones."""
    found = {}
    for k, corner in enumerate(corners):
        here = np.flatnonzero((uv == corner).all(1))
        alone = here if len(here) == 1 else here[degree[here] == 2]
        vertex = int(begins[alone[0]]) if len(alone) == 1 else None
        if vertex is None and chosen is not None:
            vertex = chosen(begins[here].tolist(), _point(corner))
        if vertex is not None:
            found[vertex] = k
    return found


def _go_round(
    sides: np.ndarray, corner_of: dict[int, int], n_corners: int, after: dict[int, tuple[int, int]]
) -> None:
    """Fill in the sides of the edges between corners that are known and follow each other."""
    for start, k in corner_of.items():
        vertex, edge = after[start]
        path = [edge]
        while vertex not in corner_of:
            vertex, edge = after[vertex]
            path.append(edge)
        if corner_of[vertex] == (k + 1) % n_corners:
            sides[path] = k
