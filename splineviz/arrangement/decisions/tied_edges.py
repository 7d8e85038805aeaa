"""Edges of an arrangement along which the two largest logits tie."""

from __future__ import annotations

import numpy as np

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.decisions.top_logits import Logits, logits_at

__all__ = ["ties_on_edges"]


def ties_on_edges(
    arr: Cells, logits: Logits, affected: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(ends, classes, edges): the parts of edges along which the two largest logits tie, and tie not on all
    of both sides, (K, 2, 2) uv, the lowest two that do, (K, 2), and the edges, (K,).

    Only edges between vertices where some tie is near, at cells that are not plainly of one class.
    """
    edges = np.unique(arr.cell_edges[arr.cells.places(affected).values])
    size = max(1, (32 << 20) // (8 * logits.maps.shape[1] ** 2))
    found = [_ties_on(arr, logits, edges[i : i + size]) for i in range(0, len(edges), size)]
    none = np.zeros((0, 2, 2)), np.zeros((0, 2), np.int64), np.zeros(0, np.int64)
    ends, classes, where = (np.concatenate(column) for column in zip(none, *found, strict=True))
    return ends, classes, where


def _ties_on(arr: Cells, logits: Logits, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ends (K, 2, 2), uv, classes (K, 2) and edges (K,) of the parts of some edges along which the two
    largest logits tie."""
    ends = arr.edges[edges]
    (la, slack_a), (lb, slack_b) = (
        logits_at(logits.maps, logits.cell_of[v], arr.vertices[v], logits.reach) for v in ends.T
    )
    near = (_smallest_gap(la) <= slack_a) & (_smallest_gap(lb) <= slack_b)
    edges, ends, la, lb = edges[near], ends[near], la[near], lb[near]
    slack = np.maximum(slack_a, slack_b)[near][:, None]
    tied = (np.abs(la[:, :, None] - la[:, None]) <= slack[:, None]) & (
        np.abs(lb[:, :, None] - lb[:, None]) <= slack[:, None]
    )
    edge, i, j = np.nonzero(tied & (np.arange(la.shape[1])[:, None] < np.arange(la.shape[1])))
    lowest = tied.argmax(2)[edge, i] == i  # three that tie together are one segment
    edge, i, j = edge[lowest], i[lowest], j[lowest]
    differs = ~_identical(arr, logits, edges[edge], i, j)
    edge, i, j = edge[differs], i[differs], j[differs]
    (edge, i), first = np.unique(np.stack([edge, i]), axis=1, return_index=True)
    j = j[first]  # rows ascend, so that it is the lowest
    lead_a, lead_b = la[edge, i][:, None] - la[edge], lb[edge, i][:, None] - lb[edge]
    lead_a[np.abs(lead_a) <= slack[edge]], lead_b[np.abs(lead_b) <= slack[edge]] = 0.0, 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        root = lead_a / (lead_a - lead_b)
    low = np.where((lead_a < 0) & (lead_b > 0), root, np.where((lead_a < 0) & (lead_b <= 0), 2.0, 0.0)).max(1)
    high = np.where((lead_b < 0) & (lead_a > 0), root, np.where((lead_b < 0) & (lead_a <= 0), -1.0, 1.0)).min(
        1
    )
    edge, i, j, low, high = (x[low < high] for x in (edge, i, j, low, high))
    a, b = arr.vertices[ends[edge, 0]], arr.vertices[ends[edge, 1]]
    found = np.stack([a + low[:, None] * (b - a), b - (1.0 - high)[:, None] * (b - a)], axis=1)
    return found, np.stack([i, j], axis=1), edges[edge]


def _smallest_gap(values: np.ndarray) -> np.ndarray:
    """(n,) the smallest difference of two of the values (n, C) of each row."""
    gap: np.ndarray = np.diff(np.sort(values, axis=1), axis=1).min(1, initial=np.inf)
    return gap


def _identical(arr: Cells, logits: Logits, edges: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """(n,) bool: at which edges two logits are one function on every cell."""
    same = np.ones(len(edges), dtype=bool)
    for side in (0, 1):
        cell = arr.edge_cells[edges, side]
        one, other = logits.maps[cell, i], logits.maps[cell, j]
        inside = cell >= 0
        # Two functions that tie along an edge differ on the cell at the vertex that is farthest from it.
        polygons = arr.cells.take(np.maximum(cell, 0))
        uv, lengths = arr.vertices[polygons.values], polygons.lengths
        pair = np.stack([np.repeat(one, lengths, axis=0), np.repeat(other, lengths, axis=0)], axis=1)
        values, slack = logits_at(pair, np.arange(len(pair)), uv, logits.reach)
        equal = (
            np.logical_and.reduceat(np.abs(values[:, 0] - values[:, 1]) <= slack, polygons.offsets[:-1])
            if len(cell)
            else inside
        )
        same &= equal | ~inside
    return same
