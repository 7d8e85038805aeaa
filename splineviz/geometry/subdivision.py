"""A planar subdivision into convex faces: shared vertices, shared edges, faces as counter-clockwise rings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.csr import Csr

__all__ = ["RIM", "Subdivision", "find_edge_faces"]

RIM = -1
"""Stage and unit of an edge on the rim of a window."""


@dataclass(frozen=True, eq=False)
class Subdivision:
    """Arrays only. Side ``k`` of the faces runs from vertex ``faces.values[k]`` along edge
    ``side_edges[k]``."""

    vertices: np.ndarray
    """(V, 2) float64"""
    faces: Csr
    side_edges: np.ndarray
    """(sides,) int64"""
    edges: np.ndarray
    """(E, 2) int64, vertex ids"""
    edge_source: np.ndarray
    """(E, 2) int32, the stage and unit that drew the edge; RIM twice on the rim of a window"""
    shared: np.ndarray
    """(k, 3) int64, further (edge, stage, unit): units whose state changes across an edge that another unit
    drew"""

    @classmethod
    def from_polygons(cls, polygons: Sequence[np.ndarray]) -> Subdivision:
        """Disjoint faces, one per convex counter-clockwise polygon."""
        sizes = np.array([len(p) for p in polygons], dtype=np.int64)
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        total = int(offsets[-1])
        ids = np.arange(total, dtype=np.int64)
        following = ids + 1
        following[offsets[1:] - 1] = offsets[:-1]
        return cls(
            vertices=np.concatenate(polygons, dtype=np.float64),
            faces=Csr(offsets, ids),
            side_edges=ids.copy(),
            edges=np.stack([ids, following], axis=1),
            edge_source=np.full((total, 2), RIM, dtype=np.int32),
            shared=np.empty((0, 3), dtype=np.int64),
        )

    def edge_faces(self) -> np.ndarray:
        """(E, 2) int64: the face on the left and on the right of each edge, -1 outside."""
        faces: np.ndarray = _edge_faces(self.faces.offsets, self.faces.values, self.side_edges, self.edges)
        return faces

    def edge_units(self) -> Csr:
        """Rows (stage, unit) of every edge: the unit that drew it, unless it is on the rim, then those that
        share it."""
        if len(self.shared) == 0:
            return Csr(*_drawn(self.edge_source))
        drawn = np.flatnonzero(self.edge_source[:, 0] != RIM)
        edge = np.concatenate([drawn, self.shared[:, 0]])
        rows = np.concatenate([self.edge_source[drawn], self.shared[:, 1:].astype(np.int32)])
        order = np.lexsort((rows[:, 1], rows[:, 0], edge))
        offsets = np.concatenate([[0], np.cumsum(np.bincount(edge, minlength=len(self.edges)))])
        return Csr(offsets, rows[order])


@kernel
def _edge_faces(offsets: Any, side_vertex: Any, side_edge: Any, edges: Any) -> Any:
    return find_edge_faces(offsets, side_vertex, side_edge, edges)


@part()
def find_edge_faces(offsets: Any, side_vertex: Any, side_edge: Any, edges: Any) -> Any:
    """(E, 2) the face on the left and on the right of each edge, -1 outside; nothing for no edges."""
    result = np.full((len(edges), 2), -1, np.int64)
    for f in range(len(offsets) - 1 if len(edges) else 0):
        for k in range(offsets[f], offsets[f + 1]):
            e = side_edge[k]
            result[e, 0 if edges[e, 0] == side_vertex[k] else 1] = f
    return result


@kernel
def _drawn(source: Any) -> Any:
    offsets = np.zeros(len(source) + 1, np.int64)
    for e in range(len(source)):
        offsets[e + 1] = offsets[e] + (source[e, 0] >= 0)
    rows = np.empty((offsets[-1], 2), np.int32)
    for e in range(len(source)):
        if source[e, 0] >= 0:
            rows[offsets[e], 0], rows[offsets[e], 1] = source[e, 0], source[e, 1]
    return offsets, rows
