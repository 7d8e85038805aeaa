"""How far the coordinates of vertices are from where the lines of their cells' sides meet, proven."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.arrangement.affine_maps import BoundedMaps
from splineviz.arrangement.cells import Cells
from splineviz.arrangement.polygons import next_side
from splineviz.arrangement.rim import rim_sides
from splineviz.geometry.csr import Csr
from splineviz.geometry.rounding import FLOOR, SAFE, UNIT_ROUNDOFF

__all__ = ["displacements", "lines_of_sides"]


def displacements(
    arr: Cells, bounded: BoundedMaps, vertices: Int64[np.ndarray, "some"] | None = None
) -> Float64[np.ndarray, "vertex"]:
    """(V,) proven distance of each vertex from its exact place, at most, in uv; infinite where none is
    proven.

    A corner of a cell is where the lines of two sides meet. With unit normals in the rows of N, and r how far
    the stored vertex is from either line, errors of the lines included, it is at most |N^-1| |r| from there;
    and |N^-1| is at most sqrt(2) / |det N|. A vertex has a bound from each of its cells, the least of which
    counts, and one from the walk (`Stats.largest_displacement`). Where only some ``vertices`` are asked for,
    cells that have none of them are left out.
    """
    polygons, sides = arr.cells, np.arange(len(arr.cell_edges))
    if vertices is not None:
        wanted = np.zeros(arr.n_vertices, dtype=bool)
        wanted[vertices] = True
        places = arr.cells.places(np.unique(arr.cells.row_of[wanted[arr.cells.values]]))
        polygons, sides = Csr(places.offsets, arr.cells.values[places.values]), places.values
    lines, errors = lines_of_sides(arr, bounded, sides)
    with np.errstate(all="ignore"):
        size = np.hypot(lines[:, 0], lines[:, 1])
        slant = np.hypot(errors[:, 0], errors[:, 1]) / size + 4 * UNIT_ROUNDOFF
        normal = lines[:, :2] / size[:, None]
        after = next_side(polygons.offsets)
        vertex = polygons.values[after]  # where a side and the next one meet
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


def lines_of_sides(
    arr: Cells, bounded: BoundedMaps, sides: Int64[np.ndarray, "side"]
) -> tuple[Float64[np.ndarray, "side 3"], Float64[np.ndarray, "side 3"]]:
    """Lines (a, b, c), a u + b v + c = 0, of some sides of cells, rows of ``cell_edges``, and their errors.

    Where a cell cannot see the unit of an edge, the line is its neighbour's; NaN where neither does.
    """
    lines, errors, edges = bounded.lines[sides], bounded.line_errors[sides], arr.cell_edges[sides]
    with np.errstate(invalid="ignore"):
        blind = np.flatnonzero(~(np.abs(lines[:, :2]).max(1) > errors[:, :2].max(1)))
    blind = blind[(arr.edge_cells[edges[blind]] >= 0).all(1)]
    beyond = arr.edge_cells[edges[blind]].sum(1) - arr.cells.row_of[sides[blind]]
    around = arr.cells.places(beyond)
    twin = around.values[arr.cell_edges[around.values] == edges[blind][around.row_of]]
    lines[blind], errors[blind] = bounded.lines[twin], bounded.line_errors[twin]
    of_edge = rim_sides(arr)
    rim = np.flatnonzero(of_edge[edges] >= 0)
    window = arr.cell_window[arr.edge_cells[edges[rim]].max(1)]
    for w in np.unique(window):
        mine = rim[window == w]
        corners = arr.windows[w].vertices
        start = of_edge[edges[mine]]
        p, q = corners[start], corners[(start + 1) % len(corners)]
        step = q - p
        lines[mine] = np.stack([-step[:, 1], step[:, 0], step[:, 1] * p[:, 0] - step[:, 0] * p[:, 1]], axis=1)
        rounding = UNIT_ROUNDOFF * (np.abs(p) + np.abs(q))
        errors[mine, 0], errors[mine, 1] = rounding[:, 1], rounding[:, 0]
        errors[mine, 2] = 4 * UNIT_ROUNDOFF * (np.abs(step[:, ::-1]) * np.abs(p)).sum(1) + (
            rounding[:, ::-1] * np.abs(p)
        ).sum(1)
    return lines, errors
