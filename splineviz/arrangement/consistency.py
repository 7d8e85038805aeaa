"""The check that cells are a watertight subdivision of their windows into distinct convex polygons."""

from __future__ import annotations

import numpy as np

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.polygons import next_side
from splineviz.errors import SplinevizError

__all__ = ["check"]

_AREA = 1e-9
"""Share of a window's area by which the areas of its cells may miss it."""
_STRAIGHT = 1e-12
"""Share of a window's diameter by which a vertex may stand inside the line of its neighbours."""


def check(arr: Cells) -> None:
    """Verify that cells are a watertight subdivision of their windows, distinct and convex.

    Checked, in this order: the sides of the cells and the table of edges agree, every inner edge has exactly
    two cells and lies in opposite directions in them, every rim edge has one; edges are unique; inner edges
    carry units and rim edges none; the rim is closed; patterns are pairwise distinct within a window; cells
    are counter-clockwise and convex within rounding; areas add up to the window's (1e-9 relative); V - E + F
    is the number of windows. The rim, areas and V - E + F are left out for an incomplete arrangement and for
    a batch.

    Raises
    ------
    SplinevizError
        With a sentence for the first violation.
    """
    _check_sides(arr)
    _check_edges(arr)
    _check_patterns(arr)
    _check_shapes(arr)
    if arr.status.covers:
        _check_totals(arr)


def _check_sides(arr: Cells) -> None:
    cells, n_edges = arr.cells, arr.n_edges
    _require(len(arr.cell_edges) == len(cells.values), "cell_edges and cells.values differ in length")
    _forbid(cells.lengths < 3, "cell {} has fewer than three vertices")
    tail, head = cells.values, cells.values[next_side(cells.offsets)]
    ends = arr.edges[arr.cell_edges]
    forward = (ends[:, 0] == tail) & (ends[:, 1] == head)
    backward = (ends[:, 0] == head) & (ends[:, 1] == tail)
    owner = cells.row_of
    _forbid_at(~(forward | backward), owner, "cell {} has a side that is not the edge it names")
    slot = 2 * arr.cell_edges + backward
    named = arr.edge_cells.reshape(-1)[slot]
    _forbid_at(named != owner, owner, "edge_cells does not name cell {} at one of its sides")
    used: np.ndarray = np.bincount(slot, minlength=2 * n_edges).reshape(n_edges, 2)
    _forbid(used.max(1) > 1, "edge {} lies twice in one direction, so it is not watertight")
    _forbid((used != (arr.edge_cells >= 0)).max(1), "edge {} names a cell that it does not bound")
    _forbid(used.max(1) == 0, "edge {} bounds no cell")


def _check_edges(arr: Cells) -> None:
    low, high = arr.edges.min(1), arr.edges.max(1)
    loop: np.ndarray = low == high
    _forbid(loop, "edge {} joins a vertex with itself")
    key = low * arr.n_vertices + high
    order = np.argsort(key, kind="stable")
    _forbid_at(
        np.diff(key[order]) == 0, order[1:], "edge {} joins two vertices that another edge joins already"
    )
    rim = (arr.edge_cells < 0).any(1)
    if arr.status.covers:
        _forbid(rim & (arr.edge_units.lengths > 0), "edge {} lies on the rim of its window and names units")
    _forbid(~rim & (arr.edge_units.lengths == 0), "edge {} separates two cells and names no unit")
    windows = arr.cell_window[arr.edge_cells]
    _forbid(~rim & (windows[:, 0] != windows[:, 1]), "edge {} joins cells of two windows")
    if arr.status.covers:
        degree = np.bincount(arr.edges[rim].reshape(-1), minlength=arr.n_vertices)
        _forbid((degree != 0) & (degree != 2), "the rim is not closed at vertex {}")


def _check_patterns(arr: Cells) -> None:
    order = np.lexsort((arr.pattern_hash[:, 1], arr.pattern_hash[:, 0], arr.cell_window))
    hashes, windows = arr.pattern_hash[order], arr.cell_window[order]
    same = (hashes[1:] == hashes[:-1]).all(1) & (windows[1:] == windows[:-1])
    _forbid_at(same, order[1:], "cell {} has the activation pattern of another cell of its window")


def _check_shapes(arr: Cells) -> None:
    _forbid(~np.isfinite(arr.vertices).all(1), "vertex {} is not finite")
    _forbid(~(arr.areas > 0), "cell {} has no positive area: it is degenerate or clockwise")
    owner, after = arr.cells.row_of, next_side(arr.cells.offsets)
    corner = arr.vertices[arr.cells.values]
    side = corner[after] - corner
    turn = side[:, 0] * side[after, 1] - side[:, 1] * side[after, 0]
    span = np.array([np.linalg.norm(np.ptp(window.vertices, axis=0)) for window in arr.windows])
    length = np.hypot(side[:, 0], side[:, 1])
    slack = _STRAIGHT * span[arr.cell_window[owner]] * (length + length[after])
    _forbid_at(turn < -slack, owner, "cell {} is not convex")


def _check_totals(arr: Cells) -> None:
    total = np.bincount(arr.cell_window, weights=arr.areas, minlength=len(arr.windows))
    expected = np.array([window.area for window in arr.windows])
    _forbid(
        ~(np.abs(total - expected) <= _AREA * expected),
        "the areas of the cells do not add up to the area of window {}",
    )
    euler = arr.n_vertices - arr.n_edges + arr.n_cells
    _require(
        euler == len(arr.windows),
        f"V - E + F is {euler}, and {len(arr.windows)} window(s) demand {len(arr.windows)}",
    )


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise SplinevizError(f"the arrangement is not consistent: {sentence}")


def _forbid(bad: np.ndarray, sentence: str) -> None:
    """Raise with the index of the first True of ``bad``."""
    _forbid_at(bad, np.arange(len(bad)), sentence)


def _forbid_at(bad: np.ndarray, names: np.ndarray, sentence: str) -> None:
    """Raise with the smallest of the ``names`` at which ``bad`` is True."""
    if bad.any():
        raise SplinevizError(f"the arrangement is not consistent: {sentence.format(names[bad].min())}")
