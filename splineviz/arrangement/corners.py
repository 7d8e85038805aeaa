"""How far the coordinates of vertices are from where the lines of their cells' sides meet, proven."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from splineviz.arrangement.affine_maps import BoundedMaps
from splineviz.arrangement.cells import Cells
from splineviz.arrangement.polygons import next_side
from splineviz.arrangement.rim import rim_sides
from splineviz.geometry.rounding import FLOOR, SAFE, UNIT_ROUNDOFF

__all__ = ["displacements"]


def displacements(arr: Cells, bounded: BoundedMaps) -> Float64[np.ndarray, "vertex"]:
    """(V,) proven distance of each vertex from its exact place, at most, in uv; infinite where none is
    proven.

    A corner of a cell is where the lines of two sides meet. With unit normals in the rows of N, and r how far
    the stored vertex is from either line, errors of the lines included, it is at most |N^-1| |r| from there;
    and |N^-1| is at most sqrt(2) / |det N|. A vertex has a bound from each of its cells, the least of which
    counts, and one from the walk (`Stats.largest_displacement`).
    """
    lines, errors = _all_lines(arr, bounded)
    with np.errstate(all="ignore"):
        size = np.hypot(lines[:, 0], lines[:, 1])
        slant = np.hypot(errors[:, 0], errors[:, 1]) / size + 4 * UNIT_ROUNDOFF
        normal = lines[:, :2] / size[:, None]
        after = next_side(arr.cells.offsets)
        vertex = arr.cells.values[after]  # where a side and the next one meet
        place = np.concatenate([arr.vertices[vertex], np.ones((len(vertex), 1))], axis=1)
        off = [_distance(lines[k], errors[k], size[k], place) for k in (np.arange(len(lines)), after)]
        det = np.abs(normal[:, 0] * normal[after, 1] - normal[:, 1] * normal[after, 0])
        det -= 2.0 * (slant + slant[after]) + 4 * UNIT_ROUNDOFF
        far = np.where((det > 0) & (slant < 0.25), SAFE * 1.5 * np.hypot(*off) / det, np.inf)
        bound = np.full(arr.n_vertices, np.inf)
        np.fmin.at(bound, vertex, far)
    if arr.stats.largest_displacement is not None:
        bound = np.minimum(bound, arr.stats.largest_displacement)
    return bound


def _distance(line: np.ndarray, error: np.ndarray, size: np.ndarray, place: np.ndarray) -> np.ndarray:
    """(n,) distance of a place from a line each, errors of the lines included."""
    terms = line * place
    wrong = (error * np.abs(place)).sum(1) + 4 * UNIT_ROUNDOFF * np.abs(terms).sum(1)
    distance: np.ndarray = SAFE * (np.abs(terms.sum(1)) + wrong) / size * (1.0 + 1e-3) + FLOOR
    return distance


def _all_lines(arr: Cells, bounded: BoundedMaps) -> tuple[np.ndarray, np.ndarray]:
    """Lines of all sides and their errors; where a cell cannot see the unit of an edge, its neighbour's
    line."""
    lines, errors = bounded.lines.copy(), bounded.line_errors.copy()
    with np.errstate(invalid="ignore"):
        blind = np.flatnonzero(~(np.abs(lines[:, :2]).max(1) > errors[:, :2].max(1)))
    order = np.argsort(arr.cell_edges, kind="stable")
    both = np.flatnonzero(np.diff(arr.cell_edges[order]) == 0)
    twin = np.arange(len(order))
    twin[order[both]], twin[order[both + 1]] = order[both + 1], order[both]
    lines[blind], errors[blind] = bounded.lines[twin[blind]], bounded.line_errors[twin[blind]]
    of_edge = rim_sides(arr)
    rim = np.flatnonzero(of_edge[arr.cell_edges] >= 0)
    window = arr.cell_window[arr.cells.row_of[rim]]
    for w in np.unique(window):
        mine = rim[window == w]
        corners = arr.windows[w].vertices
        start = of_edge[arr.cell_edges[mine]]
        p, q = corners[start], corners[(start + 1) % len(corners)]
        step = q - p
        lines[mine] = np.stack([-step[:, 1], step[:, 0], step[:, 1] * p[:, 0] - step[:, 0] * p[:, 1]], axis=1)
        rounding = UNIT_ROUNDOFF * (np.abs(p) + np.abs(q))
        errors[mine, 0], errors[mine, 1] = rounding[:, 1], rounding[:, 0]
        errors[mine, 2] = 4 * UNIT_ROUNDOFF * (np.abs(step[:, ::-1]) * np.abs(p)).sum(1) + (
            rounding[:, ::-1] * np.abs(p)
        ).sum(1)
    return lines, errors
