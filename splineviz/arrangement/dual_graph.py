"""The dual graph of an arrangement: cells as nodes, and an edge for each pair of cells that share a side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.arrangement.cells import Cells

__all__ = ["DualGraph", "dual_graph"]


@dataclass(frozen=True, eq=False)
class DualGraph:
    """Pairs of cells that share a side, in the order of their ids.

    Attributes
    ----------
    pairs
        (P, 2) cells, the lower id first.
    lengths
        (P,) length of the common side, in input distance.
    edges
        (P,) an edge of the arrangement on it; a vertex in the middle makes several, of the same units.
    """

    pairs: Int64[np.ndarray, "pair 2"]
    lengths: Float64[np.ndarray, "pair"]
    edges: Int64[np.ndarray, "pair"]


def dual_graph(arr: Cells) -> DualGraph:
    """The pairs of cells that share a side."""
    inner = np.flatnonzero((arr.edge_cells >= 0).all(1))
    ends = arr.vertices[arr.edges[inner]]
    length = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    low, high = np.sort(arr.edge_cells[inner], axis=1).T
    # one number for a pair: sorting rows takes ten times as long
    keys, first, which = np.unique(low * arr.n_cells + high, return_index=True, return_inverse=True)
    total = np.bincount(which, weights=length, minlength=len(keys)).astype(np.float64)  # of nothing int64
    return DualGraph(np.stack(np.divmod(keys, max(1, arr.n_cells)), axis=1), total, inner[first])
