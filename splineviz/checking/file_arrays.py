"""Arrays of a file, whatever schema it has, by the names of the first one: rows by offsets, edges with their
vertices and cells."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

__all__ = ["in_full"]


def in_full(content: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays with what schema 3 leaves out, because it follows from others.

    Raises
    ------
    KeyError, TypeError, ValueError, IndexError
        If an array that is needed is missing, of another kind, or does not fit the others.
    """
    full = {
        name: array.astype(np.int64) if array.dtype.kind == "i" else array for name, array in content.items()
    }
    for name in [name for name in full if name.endswith("_lengths")]:
        lengths = full.pop(name)
        if lengths.ndim != 1 or lengths.dtype.kind != "i" or (lengths < 0).any():
            raise ValueError(f"{name} are no lengths")
        full[f"{name.removesuffix('_lengths')}_offsets"] = np.append(0, lengths).cumsum()
    if "edge_against" in full:
        full["edges"], full["edge_cells"] = _edges(full)
    return full


def _edges(content: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Vertices of each edge, and the cells on its left and right.

    The lowest side of an edge leads from its first vertex to its second, unless the edge's bit in
    ``edge_against`` is set (the first edge has the highest bit of the first byte). On the left is the cell
    whose side leads as the edge does, on the right the other one; none is -1.
    """
    side_edge, corner = content["cell_edges"], content["cells_values"]
    offsets, n_edges = content["cells_offsets"], len(content["edge_units_offsets"]) - 1
    if offsets[-1] != len(corner) or (np.diff(offsets) < 1).any() or side_edge.shape != corner.shape:
        raise ValueError("the rows of cells do not fit")
    bits = content["edge_against"]
    if bits.dtype != np.uint8 or bits.shape != ((n_edges + 7) // 8,):
        raise ValueError("edge_against does not fit the edges")
    against = (bits[np.arange(n_edges) // 8] >> (7 - np.arange(n_edges) % 8)) & 1
    found, lowest = np.unique(side_edge, return_index=True)
    if not np.array_equal(found, np.arange(n_edges)):
        raise ValueError("cell_edges points outside, or leaves an edge out")
    last = np.zeros(len(corner), dtype=bool)
    last[offsets[1:] - 1] = True
    cell = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    leads_to = np.where(last, corner[offsets[:-1]][cell], np.append(corner[1:], -1))
    ends = np.stack([corner, leads_to])[:, lowest]
    edges = np.where(against, ends[::-1], ends).T
    right = (corner != edges[side_edge, 0]).astype(np.int64)
    edge_cells = np.full((n_edges, 2), -1)
    edge_cells[side_edge, right] = cell
    return edges, edge_cells
