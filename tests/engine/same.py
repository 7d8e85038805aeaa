"""When two arrangements of one request are the same."""

from __future__ import annotations

import numpy as np

import splineviz as sv
from splineviz.arrangement.polygons import next_side

__all__ = ["assert_equal_cells", "assert_identical", "states"]


def assert_identical(arr: sv.Arrangement, other: sv.Arrangement) -> None:
    """Bit for bit, in everything but times."""
    for name in (
        "vertices",
        "cell_edges",
        "cell_window",
        "cell_stage",
        "pattern_hash",
        "edges",
        "edge_cells",
    ):
        np.testing.assert_array_equal(getattr(arr, name), getattr(other, name), err_msg=name)
    for name in ("cells", "edge_units"):
        np.testing.assert_array_equal(getattr(arr, name).offsets, getattr(other, name).offsets, err_msg=name)
        np.testing.assert_array_equal(getattr(arr, name).values, getattr(other, name).values, err_msg=name)
    assert_equal_patterns(arr, other)
    assert arr.status is other.status
    counts = ("cells_per_stage", "decisions", "re_evaluated", "undecided", "zeros", "batches")
    assert [getattr(arr.stats, name) for name in counts] == [getattr(other.stats, name) for name in counts]


def states(arr: sv.Arrangement, stage: int) -> np.ndarray:
    """(cells, units) which units of a stage are on, or the winners of its maxima."""
    assert arr.info is not None
    return arr.winners(stage) if arr.info.stages[stage].candidates else arr.pattern_bits(stage)


def assert_equal_patterns(arr: sv.Arrangement, other: sv.Arrangement) -> None:
    assert len(arr.patterns) == len(other.patterns)
    for stage in range(len(arr.patterns)):
        np.testing.assert_array_equal(states(arr, stage), states(other, stage))


def assert_equal_cells(arr: sv.Arrangement, other: sv.Arrangement, tolerance: float = 1e-9) -> None:
    """The same cells in the same order and the same subdivision, but vertices and edges may be numbered in
    another way.

    Rings may begin at another corner. Their corners are matched by place, then every vertex and edge must
    have one partner.
    """
    assert (arr.n_cells, arr.n_vertices, arr.n_edges) == (other.n_cells, other.n_vertices, other.n_edges)
    for name in ("cell_window", "cell_stage", "pattern_hash"):
        np.testing.assert_array_equal(getattr(arr, name), getattr(other, name), err_msg=name)
    assert_equal_patterns(arr, other)
    assert arr.stats.cells_per_stage == other.stats.cells_per_stage
    np.testing.assert_array_equal(arr.cells.lengths, other.cells.lengths)
    place = _matched(arr, other)
    np.testing.assert_allclose(
        arr.vertices[arr.cells.values], other.vertices[other.cells.values[place]], rtol=0, atol=tolerance
    )
    _assert_one_to_one(arr.cells.values, other.cells.values[place])
    edge, partner = arr.cell_edges, other.cell_edges[place]
    _assert_one_to_one(edge, partner)
    twin = np.empty(arr.n_edges, np.int64)
    twin[edge] = partner
    units = other.edge_units.take(twin)
    np.testing.assert_array_equal(arr.edge_units.offsets, units.offsets)
    np.testing.assert_array_equal(arr.edge_units.values, units.values)
    np.testing.assert_array_equal(np.sort(arr.edge_cells, 1), np.sort(other.edge_cells[twin], 1))


def _matched(arr: sv.Arrangement, other: sv.Arrangement) -> np.ndarray:
    """(S,) for each side of ``arr`` the side of ``other`` that begins at the same place of the same cell."""
    start, after = other.cells.offsets[:-1], next_side(other.cells.offsets)
    first = arr.vertices[arr.cells.values[arr.cells.offsets[:-1]]]
    far = np.linalg.norm(
        other.vertices[other.cells.values] - np.repeat(first, other.cells.lengths, axis=0), axis=1
    )
    nearest = np.minimum.reduceat(far, start)
    candidates = np.flatnonzero(far == np.repeat(nearest, other.cells.lengths))
    _, which = np.unique(other.cells.row_of[candidates], return_index=True)
    at = candidates[which]
    place = np.empty(len(arr.cells.values), np.int64)
    for step in range(int(arr.cells.lengths.max(initial=0))):
        longer = arr.cells.lengths > step
        place[arr.cells.offsets[:-1][longer] + step] = at[longer]
        at = after[at]
    return place


def _assert_one_to_one(a: np.ndarray, b: np.ndarray) -> None:
    pairs = np.unique(np.column_stack([a, b]), axis=0)
    assert len(np.unique(pairs[:, 0])) == len(np.unique(pairs[:, 1])) == len(pairs), "not one to one"
