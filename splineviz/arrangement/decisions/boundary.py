"""Where the network changes its decision: exact segments and exact pieces of cells.

Both come from the upper envelope of the logits, which are affine on a cell: each class's piece of a cell is
the cell clipped by the half-planes in which the class is at least every other. A scalar output is the second
of two logits, the first being its level.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.decisions.pieces import joined, pieces_of, whole_cells
from splineviz.arrangement.decisions.tied_edges import ties_on_edges
from splineviz.arrangement.decisions.top_logits import affected_cells, logits_of
from splineviz.arrangement.polygons import next_side
from splineviz.geometry.csr import Csr

if TYPE_CHECKING:
    from splineviz.arrangement.proof import Proof

__all__ = ["DecisionRegions", "TiedSegments", "decision_boundary", "decision_regions", "tied_segments"]


class TiedSegments(NamedTuple):
    """Segments along which the two largest logits tie."""

    ends: Float64[np.ndarray, "segment 2 2"]
    """uv"""
    classes: Int64[np.ndarray, "segment 2"]
    """The two logits, ascending, the lowest of those that tie; of a scalar output 0 is the level, 1 the
    output"""
    open: int
    """Number of cells in which it is not proven which classes win, inside and along each edge"""
    cells: Int64[np.ndarray, "segment"]
    """The cell that a segment cuts; -1 where it runs along an edge"""
    edges: Int64[np.ndarray, "segment"]
    """The edge that it runs along; -1 where it cuts a cell"""
    winners: Int64[np.ndarray, "piece 2"]
    """(cell, class) of all classes that win somewhere in a cell, of the cells that may have several"""


@dataclass(frozen=True, eq=False)
class DecisionRegions:
    """The cells, cut by the decision boundary into convex pieces of one class. Coordinates are uv."""

    vertices: Float64[np.ndarray, "vertex 2"]
    pieces: Csr
    """Vertex ids of each piece, counter-clockwise. Pieces share no vertices."""
    edges: Int64[np.ndarray, "side"]
    """Aligned with ``pieces.values``: the edge of the arrangement that the side from this vertex lies on, -1
    on the boundary inside a cell."""
    beyond: Int64[np.ndarray, "side"]
    """Aligned with ``pieces.values``: the class on the other side of the boundary inside a cell, -1
    elsewhere."""
    classes: Int64[np.ndarray, "piece"]
    """Index of the largest logit, the lowest where several are equal. For a scalar output 1 above the level
    and 0 elsewhere."""
    cells: Int64[np.ndarray, "piece"]
    """The cell that a piece lies in; ascending. Each class has one piece in a cell at most."""
    areas: Float64[np.ndarray, "piece"]
    """In squared input distance."""
    open: int
    """Number of cells in which it is not proven which classes win, inside and along each edge."""

    @cached_property
    def regions(self) -> Int64[np.ndarray, "piece"]:
        """(P,) the decision region of each piece: pieces of one class, joined across shared sides, not at
        single points.

        Along an edge each class wins on one stretch at most, so that two pieces of one class with a side on
        one edge share it, wherever rounding has put its ends.
        """
        owner = self.pieces.row_of
        side = np.flatnonzero(self.edges >= 0)
        order = side[np.lexsort((self.classes[owner[side]], self.edges[side]))]
        edge, classes = self.edges[order], self.classes[owner[order]]
        same = (edge[1:] == edge[:-1]) & (classes[1:] == classes[:-1])
        pairs, n = (owner[order][:-1][same], owner[order][1:][same]), len(self.pieces)
        graph = coo_array((np.ones(len(pairs[0]), dtype=np.int8), pairs), shape=(n, n))
        return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def decision_boundary(
    arr: Cells,
    affine: Float64[np.ndarray, "cell output 3"],
    *,
    level: float | None = None,
    window: int | None = None,
    proof: Proof | None = None,
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
    proof
        What can prove which classes win where; estimates of rounding decide where it is left out.

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
    return tied_segments(arr, affine, level=level, window=window, proof=proof).ends


def tied_segments(
    arr: Cells,
    affine: Float64[np.ndarray, "cell output 3"],
    *,
    level: float | None = None,
    window: int | None = None,
    proof: Proof | None = None,
) -> TiedSegments:
    """The segments of `decision_boundary`, each with the two logits that tie along it."""
    logits = logits_of(arr, affine, level, proof)
    affected = affected_cells(arr, logits, window)
    if not len(affected):
        none = np.zeros((0, 2), np.int64)
        return TiedSegments(np.zeros((0, 2, 2)), none, 0, none[:, 0], none[:, 0], none)
    pieces, n_open = pieces_of(arr, logits, affected, level, proof)
    own = pieces.classes[pieces.polygons.row_of]
    # A cut is a side of the pieces on either side of it: taken from the one of the lower class.
    cut = np.flatnonzero(own < pieces.beyond)
    uv = pieces.polygons.values
    inner = np.stack([uv[cut], uv[next_side(pieces.polygons.offsets)[cut]]], axis=1)
    classes = np.stack([own[cut], pieces.beyond[cut]], axis=1)
    longer = (inner[:, 0] != inner[:, 1]).any(1)
    on_edges, tied, edges = ties_on_edges(arr, logits, affected)
    cells = pieces.cells[pieces.polygons.row_of[cut]][longer]
    return TiedSegments(
        np.concatenate([inner[longer], on_edges]),
        np.concatenate([classes[longer], tied]),
        n_open,
        np.concatenate([cells, np.full(len(edges), -1)]),
        np.concatenate([np.full(len(cells), -1), edges]),
        np.stack([pieces.cells, pieces.classes], axis=1),
    )


def decision_regions(
    arr: Cells,
    affine: Float64[np.ndarray, "cell output 3"],
    *,
    level: float | None = None,
    proof: Proof | None = None,
) -> DecisionRegions:
    """The cells, cut by the decision boundary: every cell in pieces of one class, whose areas add up to the
    cell's.

    Ties belong to the lowest class, so that a cell in which two logits are equal everywhere is one piece.
    With a ``proof`` float64 finds the pieces and says where they are proven, and exact arithmetic cuts the
    cells that are left; without one, logits within their estimated rounding tie.

    Raises
    ------
    InputError
        If a level is given and the network has several outputs.
    """
    logits = logits_of(arr, affine, level, proof)
    affected = affected_cells(arr, logits, None)
    whole = np.setdiff1d(np.arange(arr.n_cells), affected, assume_unique=True)
    classes = logits.winner[arr.cells.values[arr.cells.offsets[whole]]]
    found, n_open = pieces_of(arr, logits, affected, level, proof)
    all_ = joined([whole_cells(arr, whole, classes), found])
    polygons = Csr(all_.polygons.offsets, np.arange(len(all_.polygons.values)))
    return DecisionRegions(
        all_.polygons.values,
        polygons,
        all_.edges,
        all_.beyond,
        all_.classes,
        all_.cells,
        all_.areas,
        arr.n_cells if proof is None else n_open,
    )
