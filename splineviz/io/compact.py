"""Arrays of an arrangement as a file holds them: edges told from the sides of cells, integers no wider than
they have to be."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Int64

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.polygons import next_side
from splineviz.geometry.csr import Csr

__all__ = ["edges_from", "edges_of_sides", "narrow", "packed_edges", "ragged", "rows_of", "wide"]


def packed_edges(arr: Cells) -> dict[str, np.ndarray]:
    """Vertices and cells of edges, as far as they do not follow from the sides of cells."""
    first = _first_sides(arr.cell_edges, arr.n_edges)
    if (first >= 0).all():
        against = arr.edges[:, 0] != arr.cells.values[first]
        told = edges_of_sides(arr.cells, arr.cell_edges, against)
        if all(
            np.array_equal(one, other) for one, other in zip(told, (arr.edges, arr.edge_cells), strict=True)
        ):
            return {"edge_against": np.packbits(against)}
    return {"edges": arr.edges, "edge_cells": arr.edge_cells}  # of cells that are in doubt


def edges_from(
    content: Mapping[str, np.ndarray], cells: Csr, n_edges: int
) -> tuple[Int64[np.ndarray, "edge 2"], Int64[np.ndarray, "edge 2"]]:
    """Vertices and cells of edges, whichever of both `packed_edges` or an earlier version wrote.

    Raises
    ------
    ValueError
        If the content does not fit the cells.
    """
    if "edge_against" not in content:
        return content["edges"], content["edge_cells"]
    bits = content["edge_against"]
    if bits.dtype != np.uint8 or bits.shape != (-(-n_edges // 8),):
        raise ValueError("edge_against does not fit the edges")
    return edges_of_sides(cells, content["cell_edges"], np.unpackbits(bits, count=n_edges).astype(bool))


def edges_of_sides(
    cells: Csr, side_edge: Int64[np.ndarray, "side"], against: Bool[np.ndarray, "edge"]
) -> tuple[Int64[np.ndarray, "edge 2"], Int64[np.ndarray, "edge 2"]]:
    """Vertices of each edge, and the cells on its left and right, -1 outside.

    An edge leads as the first of its sides does, or ``against`` it. The cell whose side leads as the edge
    does lies on its left.
    """
    start, end = cells.values, cells.values[next_side(cells.offsets)]
    first = _first_sides(side_edge, len(against))
    if (first < 0).any():
        raise ValueError("an edge belongs to no cell")
    edges = np.column_stack([start[first], end[first]])
    edges[against] = edges[against, ::-1]
    edge_cells = np.full((len(edges), 2), -1)
    edge_cells[side_edge, (start != edges[side_edge, 0]).astype(np.int64)] = cells.row_of
    return edges, edge_cells


def _first_sides(side_edge: np.ndarray, n_edges: int) -> np.ndarray:
    """(E,) the first side of each edge, -1 where it has none."""
    first = np.full(n_edges, -1)
    first[side_edge[::-1]] = np.arange(len(side_edge))[::-1]  # what is assigned last stays
    return first


def ragged(name: str, csr: Csr) -> dict[str, np.ndarray]:
    """Rows of unequal length as two arrays of a file."""
    return {f"{name}_lengths": csr.lengths, f"{name}_values": csr.values}


def rows_of(content: Mapping[str, np.ndarray], name: str) -> Csr:
    """Rows of unequal length, whose lengths are given, or, by earlier versions, offsets.

    Raises
    ------
    ValueError
        If they do not fit the values.
    """
    values, lengths = content[f"{name}_values"], content.get(f"{name}_lengths")
    offsets = content[f"{name}_offsets"] if lengths is None else np.concatenate([[0], np.cumsum(lengths)])
    if offsets[0] != 0 or offsets[-1] != len(values) or (np.diff(offsets) < 0).any():
        raise ValueError(f"the rows of {name} do not fit")
    return Csr(offsets, values)


def narrow(array: np.ndarray) -> np.ndarray:
    """Signed integers in the smallest type that holds them all; other arrays as they are."""
    if array.dtype.kind != "i" or not array.size:
        return array
    low, high = int(array.min()), int(array.max())
    return array.astype(np.result_type(np.min_scalar_type(min(low, -1 - high)), np.int8))


def wide(array: np.ndarray) -> np.ndarray:
    """Signed integers as int64; other arrays as they are."""
    return array.astype(np.int64, copy=False) if array.dtype.kind == "i" else array
