"""Where points of a plane lie in an arrangement: their cell, and their distance to edges and to the decision
boundary."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import shapely
from jaxtyping import Float64, Int64

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.decisions.boundary import decision_boundary
from splineviz.arrangement.polygons import next_side
from splineviz.errors import InputError
from splineviz.geometry.rounding import UNIT_ROUNDOFF

__all__ = ["distance", "locate"]

# Shewchuk's bound for the sign of a 2 x 2 orientation determinant, relative to the sum of its two products.
_ORIENTATION = (3.0 + 16.0 * UNIT_ROUNDOFF) * UNIT_ROUNDOFF
_UNDERFLOW = 2.0**-1000


@dataclass(frozen=True)
class _Index:
    """The cells of one window and a search tree over their bounding boxes."""

    cells: np.ndarray
    tree: shapely.STRtree


_INDICES: WeakKeyDictionary[Cells, dict[int, _Index]] = WeakKeyDictionary()


def locate(arr: Cells, uv: Any, window: int | np.ndarray | None = None) -> Int64[np.ndarray, "*point"]:
    """The cell of each point; -1 outside the window; on an edge or a vertex the lowest of the cells that meet
    there.

    Exact for the float64 coordinates of points and vertices: a sign that rounding could change is decided in
    rational arithmetic, so that every point of a window has a cell. The search tree is built once for each
    window of an arrangement.

    Parameters
    ----------
    arr
        The cells.
    uv
        (..., 2) points, plane coordinates.
    window
        The window that the points are looked up in, or (...) one for each point. Windows may overlap in uv,
        since each has its own plane, so it can be left out only where there is one.

    Returns
    -------
    (...) int64 cell ids.

    Raises
    ------
    InputError
        If the points are not (..., 2), or the window is missing or does not exist.

    Examples
    --------
    >>> import splineviz as sv, torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    >>> arr = sv.arrange(sv.load_program(model), sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1))
    >>> locate(arr, [[5.0, 0.0]]).tolist()
    [-1]
    """
    points = _as_points(uv)
    shape = points.shape[:-1]
    points = points.reshape(-1, 2)
    of_point = _windows_of(arr, window, shape)
    found = np.full(len(points), -1, dtype=np.int64)
    for index in np.unique(of_point):  # windows, not cells: each has its own tree
        rows = np.flatnonzero((of_point == index) & np.isfinite(points).all(1))
        found[rows] = _locate_in(arr, int(index), points[rows])
    return found.reshape(shape)


def distance(
    arr: Cells,
    affine: Float64[np.ndarray, "cell output 3"],
    uv: Any,
    window: int | np.ndarray | None = None,
    *,
    level: float | None = None,
) -> tuple[Float64[np.ndarray, "*point"], Float64[np.ndarray, "*point"]]:
    """Distance of each point to the nearest edge, and to the decision boundary, both in input distance.

    The rim of the window is no edge. Only what lies in the window is known: a distance larger than the
    distance to the rim is an upper bound of what the whole plane would give. Where there is no edge, or no
    boundary, the distance is infinite.

    Parameters
    ----------
    arr
        The cells.
    affine
        The network's map on each of them.
    uv
        (..., 2) points, plane coordinates; they may lie outside the window.
    window
        As for :func:`locate`.
    level
        As for :func:`splineviz.arrangement.decisions.boundary.decision_boundary`.

    Returns
    -------
    Two (...) float64 arrays.

    Raises
    ------
    InputError
        If the points are not finite or not (..., 2), or the window is missing or does not exist.
    """
    points = _as_points(uv)
    if not np.isfinite(points).all():
        raise InputError(
            "the points hold NaN or infinite values", hint="leave those out: uv[np.isfinite(uv).all(-1)]"
        )
    shape = points.shape[:-1]
    points = points.reshape(-1, 2)
    of_point = _windows_of(arr, window, shape)
    inner = (arr.edge_cells >= 0).all(1)
    edge_window = arr.cell_window[arr.edge_cells[:, 0]]
    to_edge, to_boundary = np.full(len(points), np.inf), np.full(len(points), np.inf)
    for index in np.unique(of_point):
        rows = np.flatnonzero(of_point == index)
        to_edge[rows] = _nearest(arr.vertices[arr.edges[inner & (edge_window == index)]], points[rows])
        to_boundary[rows] = _nearest(
            decision_boundary(arr, affine, level=level, window=int(index)), points[rows]
        )
    return to_edge.reshape(shape), to_boundary.reshape(shape)


def _as_points(uv: Any) -> np.ndarray:
    """Points as (..., 2) float64.

    Raises
    ------
    InputError
        If they have another shape.
    """
    points = np.asarray(uv, dtype=np.float64)
    if points.ndim < 1 or points.shape[-1] != 2:
        raise InputError(
            f"points on a plane have shape (..., 2), got {points.shape}",
            hint="Plane.project takes input points to uv",
        )
    return points


def _windows_of(arr: Cells, window: int | np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    """The window of each point, flat."""
    n_windows = len(arr.windows)
    if window is None:
        if n_windows != 1:
            raise InputError(
                f"the arrangement has {n_windows} windows, so it must be said which", hint="pass window=INDEX"
            )
        window = 0
    given = np.asarray(window)
    if given.dtype.kind not in "iu" or not ((given >= 0) & (given < n_windows)).all():
        raise InputError(f"a window is an index from 0 to {n_windows - 1}, got {window}")
    if given.ndim and given.shape != shape:
        raise InputError(
            f"expected one window, or one for each of the points {shape}, got shape {given.shape}"
        )
    return np.broadcast_to(given, shape).reshape(-1)


def _index_of(arr: Cells, window: int) -> _Index:
    indices = _INDICES.setdefault(arr, {})
    if window not in indices:
        cells = np.flatnonzero(arr.cell_window == window)
        rows = arr.cells.take(cells)
        corners, start = arr.vertices[rows.values], rows.offsets[:-1]
        low, high = np.minimum.reduceat(corners, start), np.maximum.reduceat(corners, start)
        indices[window] = _Index(
            cells, shapely.STRtree(shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1]))
        )
    return indices[window]


def _locate_in(arr: Cells, window: int, points: np.ndarray) -> np.ndarray:
    """(n,) the lowest cell of one window that each point (n, 2) lies in, or -1."""
    found = np.full(len(points), -1, dtype=np.int64)
    if not len(points) or not (arr.cell_window == window).any():
        return found
    index = _index_of(arr, window)
    point, row = index.tree.query(shapely.points(points))  # bounding boxes only
    cell = index.cells[row]
    inside = _contains(arr, cell, points[point])
    point, cell = point[inside], cell[inside]
    order = np.lexsort((cell, point))
    first = order[np.diff(point[order], prepend=-1) != 0]
    found[point[first]] = cell[first]
    return found


def _contains(arr: Cells, cell: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n,) bool: which points (n, 2) lie in a closed cell each.

    By the parity of crossings, not by half-planes: rounding leaves cells that are not quite convex, and
    half-planes would lose the slivers between neighbours.
    """
    if not len(cell):
        return np.zeros(0, dtype=bool)
    rows = arr.cells.take(cell)
    start = rows.offsets[:-1]
    p = np.repeat(points, rows.lengths, axis=0)
    a, b = (arr.vertices[ends] for ends in (rows.values, rows.values[next_side(rows.offsets)]))
    upward = b[:, 1] > a[:, 1]
    spans = (np.minimum(a[:, 1], b[:, 1]) <= p[:, 1]) & (p[:, 1] <= np.maximum(a[:, 1], b[:, 1]))
    turn = np.zeros(len(p), dtype=np.int8)
    turn[spans] = _orientation(a[spans], b[spans], p[spans])
    between = spans & (np.minimum(a[:, 0], b[:, 0]) <= p[:, 0]) & (p[:, 0] <= np.maximum(a[:, 0], b[:, 0]))
    on_side = between & (turn == 0)
    half_open = spans & (p[:, 1] < np.maximum(a[:, 1], b[:, 1]))
    right_of_point = half_open & (turn == np.where(upward, 1, -1))
    odd: np.ndarray = np.add.reduceat(right_of_point.astype(np.int64), start) % 2 == 1
    return odd | (np.add.reduceat(on_side.astype(np.int64), start) > 0)


def _orientation(a: np.ndarray, b: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Exact sign of the turn a, b, p, each (n, 2): +1 where p lies left of the line from a to b."""
    left, right = (a[:, 0] - p[:, 0]) * (b[:, 1] - p[:, 1]), (a[:, 1] - p[:, 1]) * (b[:, 0] - p[:, 0])
    size = np.abs(left) + np.abs(right)
    sign: np.ndarray = np.sign(left - right).astype(np.int8)
    vanishes = ((a == p).all(1) | (b == p).all(1)) | ((a == p) & (b == p)).any(
        1
    )  # both products hold a factor zero
    doubtful = (np.abs(left - right) <= _ORIENTATION * size + _UNDERFLOW) & ~vanishes
    sign[vanishes] = 0
    for i in np.flatnonzero(doubtful):
        (ax, ay), (bx, by), (px, py) = (
            (Fraction(q[0]), Fraction(q[1])) for q in (a[i].tolist(), b[i].tolist(), p[i].tolist())
        )
        det = (ax - px) * (by - py) - (ay - py) * (bx - px)
        sign[i] = (det > 0) - (det < 0)
    return sign


def _nearest(segments: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Distance of each point to the nearest of the segments (n, 2, 2); infinite where there is none."""
    nearest = np.full(len(points), np.inf)
    if len(segments) and len(points):
        tree = shapely.STRtree(shapely.linestrings(segments))
        (row, _), found = tree.query_nearest(shapely.points(points), return_distance=True, all_matches=False)
        nearest[row] = found
    return nearest
