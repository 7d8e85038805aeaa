"""Arrays of an arrangement as a file holds them: edges told from the sides of cells, integers no wider than
they have to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from jaxtyping import Bool, Int64

from splineviz.arrangement.blocks import blocks
from splineviz.arrangement.cells import Cells
from splineviz.arrangement.polygons import next_side, rows_between
from splineviz.geometry.csr import Csr

__all__ = ["edges_from", "edges_of_sides", "narrow", "packed_edges", "ragged", "rows_of", "wide"]

_CELLS = 1 << 15
"""Whose sides are looked at at a time"""


def packed_edges(arr: Cells) -> Iterator[tuple[str, np.ndarray]]:
    """Names and arrays: vertices and cells of edges, as far as they do not follow from the sides of cells."""
    against = _directions(arr)
    if against is not None:
        yield "edge_against", np.packbits(against)
    else:  # of cells that are in doubt
        yield "edges", narrow(arr.edges)
        yield "edge_cells", narrow(arr.edge_cells)


def _directions(arr: Cells) -> Bool[np.ndarray, "edge"] | None:
    """(E,) whether each edge leads against the first of its sides; None where `edges_of_sides` would not make
    the edges of these."""
    against = np.zeros(arr.n_edges, dtype=bool)
    met = np.zeros(2 * arr.n_edges, dtype=bool)
    for part in reversed([*blocks(arr.n_cells, _CELLS)]):
        cells = rows_between(arr.cells, part)
        edge = arr.cell_edges[arr.cells.offsets[part.start] : arr.cells.offsets[part.stop]]
        start, end = cells.values, cells.values[next_side(cells.offsets)]
        one, other = np.take(arr.edges, edge, axis=0).T
        turned = start != one
        place = 2 * edge + turned
        fits = np.take(arr.edge_cells.ravel(), place) == part.start + cells.row_of
        if not (fits & (np.where(turned, one, other) == end) & (~turned | (start == other))).all():
            return None
        against[edge[::-1]] = turned[::-1]  # what is assigned last, the first side, stays
        met[place] = True
    covered = (met[::2] | met[1::2]).all() and np.array_equal(met, arr.edge_cells.ravel() >= 0)
    return against if covered else None


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


def ragged(name: str, csr: Csr) -> Iterator[tuple[str, np.ndarray]]:
    """Names and arrays of a file that hold rows of unequal length."""
    yield f"{name}_lengths", narrow(csr.lengths)
    yield f"{name}_values", narrow(csr.values)


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
