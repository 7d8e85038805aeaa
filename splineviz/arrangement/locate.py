"""Where points of a plane lie in an arrangement: their cell, and their distance to edges and to the decision
boundary."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from fractions import Fraction
from threading import Lock
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.decisions.boundary import decision_boundary
from splineviz.errors import InputError
from splineviz.geometry.box_tree import BoxTree, box_tree, in_strips_of_tree
from splineviz.geometry.nearest_segments import nearest_segments
from splineviz.geometry.point_location import lowest_polygons, polygon_boxes

__all__ = ["distance", "locate"]

T = TypeVar("T")

_KEPT: WeakKeyDictionary[Cells, dict[Hashable, Any]] = WeakKeyDictionary()
_LOCK = Lock()


def locate(arr: Cells, uv: Any, window: int | np.ndarray | None = None) -> Int64[np.ndarray, "*point"]:
    """The cell of each point; -1 outside the window; on an edge or a vertex the lowest of the cells that meet
    there.

    Exact for the float64 coordinates of points and vertices: a sign that rounding could change is decided in
    rational arithmetic, so that every point of a window has a cell. A tree of the cells is built once for an
    arrangement.

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
    tree = _kept(arr, "cells", lambda: _tree_of_cells(arr))
    order = in_strips_of_tree(points, of_point, tree)
    found = np.empty(len(points), dtype=np.int64)
    found[order] = _located(arr, points[order], of_point[order], tree)
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
    edges = _kept(arr, "edges", lambda: _inner_edges(arr))
    asked = np.unique(of_point)
    boundary = _kept(arr, ("boundary", level, *asked.tolist()), lambda: _boundary(arr, affine, level, asked))
    order = in_strips_of_tree(points, of_point, edges.tree)
    points, of_point = points[order], of_point[order]
    found = np.empty((2, len(points)))
    for row, segments in zip(found, (edges, boundary), strict=True):
        row[order] = nearest_segments(points, of_point, segments.ends, segments.tree)
    return found[0].reshape(shape), found[1].reshape(shape)


def _as_points(uv: Any) -> np.ndarray:
    """Points as (..., 2) float64.

    Raises
    ------
    InputError
        If they have another shape.
    """
    points = np.array(uv, dtype=np.float64, order="C")
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
    return np.broadcast_to(given, shape).reshape(-1).astype(np.int64)


def _kept(arr: Cells, name: Hashable, made: Callable[[], T]) -> T:
    """What was made of an arrangement under this name before, by whatever thread; else it is made now."""
    with _LOCK:
        kept = _KEPT.setdefault(arr, {})
        if name not in kept:
            kept[name] = made()
        return cast("T", kept[name])


def _tree_of_cells(arr: Cells) -> BoxTree:
    low, high = polygon_boxes(np.ascontiguousarray(arr.vertices), arr.cells.offsets, arr.cells.values)
    return box_tree(low, high, arr.cell_window)


def _located(arr: Cells, points: np.ndarray, of_point: np.ndarray, tree: BoxTree) -> np.ndarray:
    """(n,) the cell of each point (n, 2) on a window each."""
    cells = np.ascontiguousarray(arr.vertices), arr.cells.offsets, arr.cells.values
    no_answers = np.empty(0, dtype=np.int8)
    found, questions = lowest_polygons(points, of_point, *cells, tree, no_answers)
    if len(questions):
        point, a, b = questions.T
        open_ = np.unique(point)
        answers = _exact_turns(arr.vertices[a], arr.vertices[b], points[point])
        found[open_], _ = lowest_polygons(points[open_], of_point[open_], *cells, tree, answers)
    located: np.ndarray = found
    return located


def _exact_turns(a: np.ndarray, b: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Exact sign of the turn a, b, p, each (n, 2): +1 where p lies left of the line from a to b."""
    sign = np.empty(len(p), dtype=np.int8)
    for i in range(len(p)):
        (ax, ay), (bx, by), (px, py) = (
            (Fraction(q[0]), Fraction(q[1])) for q in (a[i].tolist(), b[i].tolist(), p[i].tolist())
        )
        det = (ax - px) * (by - py) - (ay - py) * (bx - px)
        sign[i] = (det > 0) - (det < 0)
    return sign


@dataclass(frozen=True)
class _Segments:
    """Segments (n, 4), and the tree of their boxes."""

    ends: Float64[np.ndarray, "segment 4"]
    tree: BoxTree

    @classmethod
    def of(cls, segments: Float64[np.ndarray, "segment 2 2"], window: np.ndarray) -> _Segments:
        return cls(segments.reshape(-1, 4), box_tree(segments.min(1), segments.max(1), window))


def _inner_edges(arr: Cells) -> _Segments:
    inner = np.flatnonzero(arr.edge_cells.min(1) >= 0)
    return _Segments.of(arr.vertices[arr.edges[inner]], arr.cell_window[arr.edge_cells[inner, 0]])


def _boundary(arr: Cells, affine: np.ndarray, level: float | None, windows: np.ndarray) -> _Segments:
    of_windows = [decision_boundary(arr, affine, level=level, window=int(index)) for index in windows]
    window = np.repeat(windows, [len(segments) for segments in of_windows])
    return _Segments.of(np.concatenate([np.zeros((0, 2, 2)), *of_windows]), window)
