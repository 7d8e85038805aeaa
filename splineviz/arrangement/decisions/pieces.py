"""All pieces of cells in which one class wins: found in float64, proven, and exact where that does not do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.decisions.exact_pieces import exact_pieces
from splineviz.arrangement.decisions.proven_pieces import proven_cells
from splineviz.arrangement.decisions.top_logits import Logits
from splineviz.arrangement.decisions.upper_envelope import RIM, EnvelopePieces, envelope
from splineviz.arrangement.exact_polygon import ratio
from splineviz.arrangement.polygons import polygon_areas
from splineviz.geometry.csr import Csr

if TYPE_CHECKING:
    from splineviz.arrangement.proof import Proof

__all__ = ["Pieces", "joined", "pieces_of", "whole_cells"]


@dataclass(frozen=True)
class Pieces:
    """Convex parts of cells, sides flat."""

    polygons: Csr
    """uv of the corners of each piece, counter-clockwise"""
    edges: Int64[np.ndarray, "side"]
    """Edge of the arrangement that a side lies on; -1 on a cut"""
    beyond: Int64[np.ndarray, "side"]
    """Class on the other side of a cut; -1 elsewhere"""
    classes: Int64[np.ndarray, "piece"]
    cells: Int64[np.ndarray, "piece"]
    areas: Float64[np.ndarray, "piece"]


def joined(parts: Sequence[Pieces]) -> Pieces:
    """The pieces of several parts, by cell."""
    lengths = np.concatenate([part.polygons.lengths for part in parts])
    columns = zip(
        *((p.polygons.values, p.edges, p.beyond, p.classes, p.cells, p.areas) for p in parts), strict=True
    )
    uv, edges, beyond, classes, cells, areas = (np.concatenate(column) for column in columns)
    sides = Csr(np.concatenate([[0], np.cumsum(lengths)]), np.arange(len(uv)))
    order = np.argsort(cells, kind="stable")
    sides = sides.take(order)
    at = sides.values
    return Pieces(
        Csr(sides.offsets, uv[at]), edges[at], beyond[at], classes[order], cells[order], areas[order]
    )


def whole_cells(arr: Cells, cells: np.ndarray, classes: np.ndarray) -> Pieces:
    """Cells of one class each."""
    sides = arr.cells.places(cells)
    at = sides.values
    return Pieces(
        Csr(sides.offsets, arr.vertices[arr.cells.values[at]]),
        arr.cell_edges[at],
        np.full(len(at), -1),
        classes,
        cells,
        arr.areas[cells] if len(cells) else np.zeros(0),  # thin cells have exact ones, which take their time
    )


def pieces_of(
    arr: Cells, logits: Logits, cells: np.ndarray, level: float | None, proof: Proof | None
) -> tuple[Pieces, int]:
    """The pieces of cells that may be of several classes, and in how many of these cells they are not proven.

    Without a proof, and where exact arithmetic would take too long, logits that differ by no more than their
    estimated rounding tie.
    """
    parts, left = [whole_cells(arr, cells[:0], cells[:0])], cells
    finite = np.isfinite(logits.maps[cells]).all((1, 2))
    if proof is not None:
        found, candidates = (
            envelope(arr, logits, cells[finite], tolerant=False) if finite.any() else (None, cells)
        )
        right = np.zeros(len(cells), dtype=bool)
        if found is not None:
            right[finite] = proven_cells(arr, logits, proof, cells[finite], found, candidates)
            rows = np.flatnonzero(right[finite])
            parts.append(_of(cells[finite], found, candidates, rows))
        exact = _exactly(arr, proof, cells[~right], level)
        parts.append(exact)
        left = np.setdiff1d(cells[~right], exact.cells)
    finite = np.isfinite(logits.maps[left]).all((1, 2))
    if finite.any():
        found, candidates = envelope(arr, logits, left[finite])
        parts.append(_of(left[finite], found, candidates, np.arange(int(finite.sum()))))
    odd = left[~finite]
    parts.append(whole_cells(arr, odd, logits.winner[arr.cells.values[arr.cells.offsets[odd]]]))
    return joined(parts), len(left)


def _of(cells: np.ndarray, found: EnvelopePieces, candidates: np.ndarray, rows: np.ndarray) -> Pieces:
    """The pieces found for some of the cells that were cut."""
    which = np.flatnonzero(np.isin(found.parent, rows))
    sides = Csr(found.offsets, np.arange(len(found.uv))).take(which)
    at, parent = sides.values, found.parent[which]
    cut = found.beyond[at] != RIM
    beyond = candidates[parent[sides.row_of], np.maximum(found.beyond[at], 0)]
    polygons = Csr(sides.offsets, found.uv[at])
    areas = polygon_areas(found.uv[at], Csr(sides.offsets, np.arange(len(at))))
    return Pieces(
        polygons,
        np.where(cut, -1, found.edge[at]),
        np.where(cut, beyond, -1),
        candidates[parent, found.own[which]],
        cells[parent],
        areas,
    )


def _exactly(arr: Cells, proof: Proof, cells: np.ndarray, level: float | None) -> Pieces:
    """The pieces of those cells that exact arithmetic can tell."""
    uv: list[tuple[float, float]] = []
    edges: list[int] = []
    beyond: list[int] = []
    rows: list[tuple[int, int, int, float]] = []
    for number, cell in proof.cells(cells).items():
        around = arr.cell_edges[arr.cells.offsets[number] : arr.cells.offsets[number + 1]].tolist()
        for own, piece in exact_pieces(cell, level):
            uv += [(ratio(x, w), ratio(y, w)) for x, y, w in piece.corners]
            edges += [around[name] if name >= 0 else -1 for name in piece.names]
            beyond += [-1 if name >= 0 else -1 - name for name in piece.names]
            area = piece.area
            rows.append((len(piece.corners), own, number, ratio(area.numerator, area.denominator)))
    lengths, classes, owners, areas = (np.array(c) for c in zip(*rows, strict=True)) if rows else ((),) * 4
    return Pieces(
        Csr(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), np.array(uv).reshape(-1, 2)),
        np.array(edges, dtype=np.int64),
        np.array(beyond, dtype=np.int64),
        np.array(classes, dtype=np.int64),
        np.array(owners, dtype=np.int64),
        np.array(areas, dtype=np.float64),
    )
