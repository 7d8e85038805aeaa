"""Proof that the pieces of cells are right, in float64: by the values of the logits at the pieces'
corners."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Bool

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.decisions.top_logits import Logits, beats, logits_at
from splineviz.arrangement.decisions.upper_envelope import RIM, EnvelopePieces
from splineviz.arrangement.polygons import interior_points, next_side
from splineviz.geometry.csr import Csr
from splineviz.geometry.rounding import UNIT_ROUNDOFF

if TYPE_CHECKING:
    from splineviz.arrangement.proof import Proof

__all__ = ["proven_cells"]

_CHUNK = 32 << 20


class _Bounds(NamedTuple):
    """What is proven of maps and vertices."""

    errors: np.ndarray
    """(F, 3) of the coefficients of maps"""
    displacement: np.ndarray
    """(V,) of vertices, where they are corners of the cells that are asked about"""


def proven_cells(
    arr: Cells,
    logits: Logits,
    proof: Proof,
    cells: np.ndarray,
    pieces: EnvelopePieces,
    candidates: np.ndarray,
) -> Bool[np.ndarray, "cell"]:
    """(cells,) bool: in which cells exactly these classes win, inside and along each edge.

    A class wins somewhere if it beats all others at one point, for which the mean of its piece's corners is
    taken, and on an edge the mean of two. It wins nowhere if at every corner of every piece the piece's own
    class beats it: logits are affine on a piece, and pieces cover the cell. Neither asks whether pieces have
    been cut at the right places.
    """
    classes = candidates[pieces.parent, pieces.own]
    bounds = _Bounds(proof.errors, proof.displacement_at(arr.cells.take(cells).values))
    listed = np.zeros((len(cells), logits.maps.shape[1]), dtype=bool)
    listed[pieces.parent, classes] = True
    right = np.ones(len(cells), dtype=bool)
    lengths = np.diff(pieces.offsets)
    size = max(1, int(_CHUNK / (24 * logits.maps.shape[1] * max(1, lengths.max(initial=1)))))
    for start in range(0, len(lengths), size):
        rows = np.arange(start, min(start + size, len(lengths)))
        failed = _failed(arr, logits, bounds, cells, pieces, classes, listed, rows)
        right[pieces.parent[rows[failed]]] = False
    right &= _sides_are_right(arr, logits, bounds, cells, pieces, classes)
    return right


def _lead(
    arr: Cells, logits: Logits, proven: _Bounds, cell: np.ndarray, uv: np.ndarray, own: np.ndarray, m: int
) -> np.ndarray:
    """(n, C) bool: which classes a class ``own`` (n,) beats at a point (n, 2) of a cell (n,) each."""
    from splineviz.arrangement.logit_bounds import logit_bounds

    corners = arr.cells.take(cell)
    far = np.maximum.reduceat(proven.displacement[corners.values], corners.offsets[:-1])
    moved: np.ndarray = far + 16 * m * UNIT_ROUNDOFF * logits.reach[:2].max()
    values, _ = logits_at(logits.maps, cell, uv, logits.reach)
    bounds = logit_bounds(logits.maps, proven.errors, cell, uv, moved, 4 + 4 * m)
    ahead: np.ndarray = beats(values, bounds, own)
    return ahead


def _failed(
    arr: Cells,
    logits: Logits,
    bounds: _Bounds,
    cells: np.ndarray,
    pieces: EnvelopePieces,
    classes: np.ndarray,
    listed: np.ndarray,
    rows: np.ndarray,
) -> np.ndarray:
    """(rows,) bool: which pieces have an unlisted class win at a corner, or do not win at their middle."""
    m = listed.shape[1]
    polygons = Csr(pieces.offsets, pieces.uv).take(rows)
    cell = cells[pieces.parent[rows]]
    owner = polygons.row_of
    ahead = _lead(arr, logits, bounds, cell[owner], polygons.values, classes[rows[owner]], m)
    well = (ahead | listed[pieces.parent[rows[owner]]]).all(1)
    middle = interior_points(polygons.values, Csr(polygons.offsets, np.arange(len(polygons.values))))
    wins = _lead(arr, logits, bounds, cell, middle, classes[rows], m).sum(1) == m - 1
    failed: np.ndarray = ~(np.logical_and.reduceat(well, polygons.offsets[:-1]) & wins)
    return failed


def _sides_are_right(
    arr: Cells,
    logits: Logits,
    bounds: _Bounds,
    cells: np.ndarray,
    pieces: EnvelopePieces,
    classes: np.ndarray,
) -> np.ndarray:
    """(cells,) bool: whether the classes along every inner edge are those of the pieces that have a side on
    it."""
    owner = np.repeat(np.arange(len(classes)), np.diff(pieces.offsets))
    inner = (pieces.beyond == RIM) & (arr.edge_cells[pieces.edge] >= 0).all(1)
    side = np.flatnonzero(inner)
    right = np.ones(len(cells), dtype=bool)
    parent = pieces.parent[owner[side]]
    keys, of_edge = np.unique(parent * arr.n_edges + pieces.edge[side], return_inverse=True)
    m = logits.maps.shape[1]
    listed = np.zeros((len(keys), m), dtype=bool)
    listed[of_edge, classes[owner[side]]] = True
    after = next_side(pieces.offsets)
    size = max(1, _CHUNK // (24 * m))
    for start in range(0, len(side), size):
        part = slice(start, start + size)
        here, own, cell = side[part], classes[owner[side[part]]], cells[parent[part]]
        ends = pieces.uv[here], pieces.uv[after[here]]
        well = np.ones(len(here), dtype=bool)
        for uv in ends:
            well &= (_lead(arr, logits, bounds, cell, uv, own, m) | listed[of_edge[part]]).all(1)
        middle = 0.5 * (ends[0] + ends[1])
        well &= _lead(arr, logits, bounds, cell, middle, own, m).sum(1) == m - 1
        right[parent[part][~well]] = False
    return right
