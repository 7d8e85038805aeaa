"""Conversions at the edge of the package: polygons for shapely, the dual graph for networkx."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from splineviz.arrangement.dual_graph import dual_graph
from splineviz.arrangement.polygons import interior_points, next_side, rows_between

if TYPE_CHECKING:
    import networkx as nx

    from splineviz.arrangement.result import Arrangement

__all__ = ["cell_attributes", "cell_class", "centroids", "closed_rings", "to_networkx", "to_shapely"]


def to_shapely(arr: Arrangement) -> np.ndarray:
    """(F,) shapely polygons of the cells, counter-clockwise, in uv."""
    import shapely

    coordinates, offsets = closed_rings(arr, slice(0, arr.n_cells))
    polygons: np.ndarray = shapely.from_ragged_array(
        shapely.GeometryType.POLYGON, coordinates, (offsets, np.arange(arr.n_cells + 1, dtype=np.int64))
    )
    return polygons


def to_networkx(arr: Arrangement) -> nx.Graph:
    """The dual graph: a node per cell, an edge where two cells share a side.

    Nodes carry ``area``, ``window``, ``stage`` and, where they are known, ``linear_region`` and ``class``
    (predicted); ``in_doubt`` where any cell is. Edges carry ``length``, ``stage`` (the first one that cuts
    there) and ``units``, (stage, unit) pairs.
    """
    import networkx as nx

    columns = cell_attributes(arr, slice(0, arr.n_cells))
    graph = nx.Graph()
    names, rows = list(columns), zip(*(column.tolist() for column in columns.values()), strict=True)
    graph.add_nodes_from((cell, dict(zip(names, row, strict=True))) for cell, row in enumerate(rows))

    dual, offsets = dual_graph(arr), arr.edge_units.offsets
    stage = arr.edge_stage[dual.edges]
    units = list(map(tuple, arr.edge_units.values.tolist()))
    spans = np.stack([offsets[dual.edges], offsets[dual.edges + 1]], axis=1).tolist()
    graph.add_edges_from(
        (a, b, {"length": size, "stage": born, "units": tuple(units[low:high])})
        for (a, b), size, born, (low, high) in zip(
            dual.pairs.tolist(), dual.lengths.tolist(), stage.tolist(), spans, strict=True
        )
    )
    return graph


def cell_attributes(arr: Arrangement, part: slice) -> dict[str, np.ndarray]:
    """Columns that describe some cells; only what is there or costs next to nothing."""
    columns = {"area": arr.areas[part], "window": arr.cell_window[part], "stage": arr.cell_stage[part]}
    if len(arr.in_doubt):
        columns["in_doubt"] = np.isin(np.arange(part.start, part.stop), arr.in_doubt)
    known = vars(arr)
    if "linear_regions" in known:
        columns["linear_region"] = arr.linear_regions[part]
    if "affine" in known:
        columns["class"] = cell_class(arr, part)
    return columns


def cell_class(arr: Arrangement, part: slice) -> np.ndarray:
    """Largest output of some cells at the mean of their corners, the lowest of equals; for one output 1 where
    it is positive, else 0."""
    corners = interior_points(arr.vertices, rows_between(arr.cells, part))
    points = np.column_stack([corners, np.ones(len(corners))])
    outputs = np.einsum("fcd,fd->fc", arr.affine[part], points)
    classes: np.ndarray = (outputs[:, 0] > 0).astype(np.int64) if outputs.shape[1] == 1 else outputs.argmax(1)
    return classes


def centroids(arr: Arrangement, part: slice) -> np.ndarray:
    """(n, 2) uv of the centroid of the area of some cells, formed relative to their first corners."""
    cells = rows_between(arr.cells, part)
    if not len(cells):
        return np.zeros((0, 2))
    start, after = cells.offsets[:-1], next_side(cells.offsets)
    base = arr.vertices[cells.values[start]]
    offset = arr.vertices[cells.values] - np.repeat(base, cells.lengths, axis=0)
    weight = offset[:, 0] * offset[after, 1] - offset[:, 1] * offset[after, 0]
    moments = np.add.reduceat(weight[:, None] * (offset + offset[after]), start)
    centres: np.ndarray = base + moments / (6.0 * arr.areas[part, None])
    return centres


def closed_rings(arr: Arrangement, part: slice) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of some cells, each ring closed by its first vertex, and the rings' offsets (n + 1,)."""
    cells = rows_between(arr.cells, part)
    offsets = cells.offsets + np.arange(len(cells) + 1)
    index = np.empty(offsets[-1], dtype=np.int64)
    last = offsets[1:] - 1
    open_part = np.ones(len(index), dtype=bool)
    open_part[last] = False
    index[open_part] = cells.values
    index[last] = cells.values[cells.offsets[:-1]]
    return arr.vertices[index], offsets
