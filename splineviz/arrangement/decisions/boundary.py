"""Where the network changes its decision: exact segments and exact pieces of cells.

Both come from the upper envelope of the logits, which are affine on a cell: each class's piece of a cell is
the cell clipped by the half-planes in which the class is at least every other. A scalar output is the second
of two logits, the first being its level.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int64
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.decisions.tied_edges import ties_on_edges
from splineviz.arrangement.decisions.top_logits import affected_cells, logits_of
from splineviz.arrangement.decisions.upper_envelope import RIM, envelope
from splineviz.arrangement.polygons import next_side, polygon_areas
from splineviz.geometry.csr import Csr

__all__ = ["DecisionRegions", "decision_boundary", "decision_regions"]


@dataclass(frozen=True, eq=False)
class DecisionRegions:
    """The cells, cut by the decision boundary into convex pieces of one class. Coordinates are uv."""

    vertices: Float64[np.ndarray, "vertex 2"]
    pieces: Csr
    """Vertex ids of each piece, counter-clockwise. Pieces share no vertices."""
    classes: Int64[np.ndarray, "piece"]
    """Index of the largest logit, the lowest where several are equal. For a scalar output 1 above the level
    and 0 elsewhere."""
    cells: Int64[np.ndarray, "piece"]
    """The cell that a piece lies in; ascending."""

    @property
    def areas(self) -> Float64[np.ndarray, "piece"]:
        """(P,) area of each piece."""
        return polygon_areas(self.vertices, self.pieces)

    @cached_property
    def regions(self) -> Int64[np.ndarray, "piece"]:
        """(P,) the decision region of each piece: pieces of one class, joined across shared sides, not at
        single points."""
        after = next_side(self.pieces.offsets)
        a, b = self.vertices[self.pieces.values], self.vertices[self.pieces.values[after]]
        # Pieces find the ends of a side that they share bit for bit.
        turned = (a[:, 0] > b[:, 0]) | ((a[:, 0] == b[:, 0]) & (a[:, 1] > b[:, 1]))
        low, high = np.where(turned[:, None], b, a), np.where(turned[:, None], a, b)
        order = np.lexsort((high[:, 1], high[:, 0], low[:, 1], low[:, 0]))
        ends, owner = np.concatenate([low, high], axis=1)[order], self.pieces.row_of[order]
        same = (ends[1:] == ends[:-1]).all(1) & (ends[1:, :2] != ends[1:, 2:]).any(1)
        same &= self.classes[owner[1:]] == self.classes[owner[:-1]]
        pairs, n = (owner[:-1][same], owner[1:][same]), len(self.pieces)
        graph = coo_array((np.ones(len(pairs[0]), dtype=np.int8), pairs), shape=(n, n))
        return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def decision_boundary(
    arr: Cells,
    affine: Float64[np.ndarray, "cell output 3"],
    *,
    level: float | None = None,
    window: int | None = None,
) -> Float64[np.ndarray, "segment 2 2"]:
    """Segments along which the two largest logits tie, or on which a scalar output equals ``level``.

    Ties below the top are left out. A boundary that runs along an edge of the arrangement is one segment.
    Where the two largest logits tie on a whole area, its outline within the window is given.

    Parameters
    ----------
    arr
        The cells.
    affine
        The network's map on each of them.
    level
        For a scalar output; 0 where it is left out.
    window
        Only the segments in this window; all where it is left out.

    Returns
    -------
    (K, 2, 2) uv of the ends.

    Raises
    ------
    InputError
        If a level is given and the network has several outputs.

    Examples
    --------
    >>> import splineviz as sv, torch
    >>> model = torch.nn.Linear(2, 1, bias=False)
    >>> _ = torch.nn.init.ones_(model.weight)
    >>> arr = sv.arrange(sv.load_program(model), sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1))
    >>> sorted(decision_boundary(arr, arr.affine).tolist()[0])
    [[-1.0, 1.0], [1.0, -1.0]]
    """
    logits = logits_of(arr, affine, level)
    affected = affected_cells(arr, logits, window)
    inner = np.zeros((0, 2, 2))
    if len(affected):
        pieces, candidates = envelope(arr, logits, affected)
        owner = np.repeat(np.arange(len(pieces.parent)), np.diff(pieces.offsets))
        beyond = candidates[pieces.parent[owner], np.maximum(pieces.beyond, 0)]
        own = candidates[pieces.parent, pieces.own][owner]
        # A cut is a side of the pieces on either side of it: taken from the one of the lower class.
        cut = np.flatnonzero((pieces.beyond != RIM) & (own < beyond))
        inner = np.stack([pieces.uv[cut], pieces.uv[next_side(pieces.offsets)[cut]]], axis=1)
        inner = inner[(inner[:, 0] != inner[:, 1]).any(1)]
    return np.concatenate([inner, ties_on_edges(arr, logits, affected)])


def decision_regions(
    arr: Cells, affine: Float64[np.ndarray, "cell output 3"], *, level: float | None = None
) -> DecisionRegions:
    """The cells, cut by the decision boundary: every cell in pieces of one class, whose areas add up to the
    cell's.

    Ties belong to the lowest class, so that a cell in which two logits are equal everywhere is one piece.

    Raises
    ------
    InputError
        If a level is given and the network has several outputs.
    """
    logits = logits_of(arr, affine, level)
    affected = affected_cells(arr, logits, None)
    whole = np.setdiff1d(np.arange(arr.n_cells), affected, assume_unique=True)
    polygons = arr.cells.take(whole)
    classes = logits.winner[polygons.values[polygons.offsets[:-1]]]
    parts = [(arr.vertices[polygons.values], polygons.lengths, classes, whole)]
    if len(affected):
        pieces, candidates = envelope(arr, logits, affected)
        parts.append(
            (
                pieces.uv,
                np.diff(pieces.offsets),
                candidates[pieces.parent, pieces.own],
                affected[pieces.parent],
            )
        )
    uv, lengths, classes, cells = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(cells, kind="stable")
    in_order = Csr(np.concatenate([[0], np.cumsum(lengths)]), uv).take(order)
    polygons = Csr(in_order.offsets, np.arange(len(uv)))
    return DecisionRegions(in_order.values, polygons, classes[order], cells[order])
