"""Planar subdivisions into convex faces: shared vertices and edges, faces as counter-clockwise rings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int32, Int64

from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.csr import Csr

__all__ = ["RIM", "Arrays", "Subdivision", "find_edge_faces"]

RIM = -1
"""Stage and unit of an edge on the rim of a window."""


class Arrays(NamedTuple):
    """Arrays of a `Subdivision`, as kernels take and return them."""

    vertices: Float64[np.ndarray, "vertex 2"]
    offsets: Int64[np.ndarray, "face+1"]
    side_vertex: Int64[np.ndarray, "side"]
    side_edge: Int64[np.ndarray, "side"]
    edges: Int64[np.ndarray, "edge 2"]
    source: Int32[np.ndarray, "edge 2"]
    shared: Int64[np.ndarray, "row 3"]
    rivals: Int32[np.ndarray, "edge 2"]
    stray: Float64[np.ndarray, "edge 4"]
    rounding: float


@dataclass(frozen=True, eq=False)
class Subdivision:
    """Planar subdivision into convex faces, as arrays only.

    Side ``k`` of the faces runs from vertex ``faces.values[k]`` along edge ``side_edges[k]``.
    """

    vertices: Float64[np.ndarray, "vertex 2"]
    """uv"""
    faces: Csr
    side_edges: Int64[np.ndarray, "side"]
    edges: Int64[np.ndarray, "edge 2"]
    """Vertices at the ends"""
    edge_source: Int32[np.ndarray, "edge 2"]
    """The stage and unit that drew the edge; RIM twice on the rim of a window"""
    shared: Int64[np.ndarray, "row 3"]
    """Further (edge, stage, unit): units whose state changes across an edge that another unit drew"""
    rivals: Int32[np.ndarray, "edge 2"]
    """Of an edge drawn by a maximum the places in its window of the two candidates that tie along it, of one
    on the rim the two corners that it lies between; -1 for others"""
    stray: Float64[np.ndarray, "edge 4"]
    """Distances in uv of the nominal places of both ends of each edge from the exact line that it lies on:
    two that are estimated, two that are proven; see `geometry.places`"""
    rounding: float = 0.0
    """Bound of the distance of ``vertices`` from the nominal places that they stand for, in uv"""

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
            # Of arrays in another order kernels would be compiled anew.
            vertices=np.ascontiguousarray(np.concatenate(polygons, dtype=np.float64)),
            faces=Csr(offsets, ids),
            side_edges=ids.copy(),
            edges=np.stack([ids, following], axis=1),
            edge_source=np.full((total, 2), RIM, dtype=np.int32),
            shared=np.empty((0, 3), dtype=np.int64),
            rivals=(np.stack([ids, following], axis=1) - np.repeat(offsets[:-1], sizes)[:, None]).astype(
                np.int32
            ),
            stray=np.zeros((total, 4)),
        )

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Subdivision:
        """Subdivision that a kernel returned."""
        return cls(
            arrays.vertices,
            Csr(arrays.offsets, arrays.side_vertex),
            arrays.side_edge,
            arrays.edges,
            arrays.source,
            arrays.shared,
            arrays.rivals,
            arrays.stray,
            arrays.rounding,
        )

    def arrays(self) -> Arrays:
        """Arrays for kernels."""
        return Arrays(
            self.vertices,
            self.faces.offsets,
            self.faces.values,
            self.side_edges,
            self.edges,
            self.edge_source,
            self.shared,
            self.rivals,
            self.stray,
            self.rounding,
        )

    def edge_faces(self) -> Int64[np.ndarray, "edge 2"]:
        """The face on the left and on the right of each edge, -1 outside."""
        return _edge_faces(self.faces.offsets, self.faces.values, self.side_edges, self.edges)

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
def _edge_faces(
    offsets: Int64[np.ndarray, "face+1"],
    side_vertex: Int64[np.ndarray, "side"],
    side_edge: Int64[np.ndarray, "side"],
    edges: Int64[np.ndarray, "edge 2"],
) -> Int64[np.ndarray, "edge 2"]:
    return find_edge_faces(offsets, side_vertex, side_edge, edges)


@part()
def find_edge_faces(
    offsets: Int64[np.ndarray, "face+1"],
    side_vertex: Int64[np.ndarray, "side"],
    side_edge: Int64[np.ndarray, "side"],
    edges: Int64[np.ndarray, "edge 2"],
) -> Int64[np.ndarray, "edge 2"]:
    """The face on the left and on the right of each edge, -1 outside; nothing for no edges."""
    result = np.full((len(edges), 2), -1, np.int64)
    for f in range(len(offsets) - 1 if len(edges) else 0):
        for k in range(offsets[f], offsets[f + 1]):
            e = side_edge[k]
            result[e, 0 if edges[e, 0] == side_vertex[k] else 1] = f
    return result


@kernel
def _drawn(
    source: Int32[np.ndarray, "edge 2"],
) -> tuple[Int64[np.ndarray, "edge+1"], Int32[np.ndarray, "row 2"]]:
    """CSR rows of the edges that are not on a rim: their source."""
    offsets = np.zeros(len(source) + 1, np.int64)
    for e in range(len(source)):
        offsets[e + 1] = offsets[e] + (source[e, 0] >= 0)
    rows = np.empty((offsets[-1], 2), np.int32)
    for e in range(len(source)):
        if source[e, 0] >= 0:
            rows[offsets[e], 0], rows[offsets[e], 1] = source[e, 0], source[e, 1]
    return offsets, rows
