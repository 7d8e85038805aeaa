"""Polygons stored as rows of vertex ids: the order of their sides, areas and points inside."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from splineviz.geometry.csr import Csr

__all__ = ["interior_points", "next_side", "polygon_areas", "rows_between"]


def rows_between(polygons: Csr, part: slice) -> Csr:
    """Some polygons, one after the other; their vertex ids are a view."""
    offsets = polygons.offsets[part.start : part.stop + 1]
    return Csr(offsets - offsets[0], polygons.values[offsets[0] : offsets[-1]])


def next_side(offsets: np.ndarray) -> np.ndarray:
    """(S,) for each side of a CSR of polygons the index of the side that follows it round its polygon."""
    following = np.arange(1, offsets[-1] + 1)
    filled = np.diff(offsets) > 0
    following[offsets[1:][filled] - 1] = offsets[:-1][filled]
    return following


def polygon_areas(vertices: Float64[np.ndarray, "vertex 2"], polygons: Csr) -> Float64[np.ndarray, "polygon"]:
    """(P,) area of each counter-clockwise polygon, by the shoelace formula relative to its first vertex.

    Taken from that vertex, a small polygon far from the origin keeps its digits.
    """
    start = polygons.offsets[:-1]
    if not len(start):
        return np.zeros(0)
    first = np.repeat(polygons.values[start], polygons.lengths)
    x, y = (vertices[polygons.values] - vertices[first]).T
    after = next_side(polygons.offsets)
    areas: np.ndarray = 0.5 * np.add.reduceat(x * y[after] - y * x[after], start)
    return areas


def interior_points(
    vertices: Float64[np.ndarray, "vertex 2"], polygons: Csr
) -> Float64[np.ndarray, "polygon 2"]:
    """(P, 2) a point strictly inside each convex polygon of positive area: the mean of its vertices.

    The mean has positive weight on every vertex, so it lies inside. It is formed relative to the first
    vertex; a polygon thinner than the spacing of float64 numbers there can still lose it to rounding.
    """
    start = polygons.offsets[:-1]
    if not len(start):
        return np.zeros((0, 2))
    base = vertices[polygons.values[start]]
    offset = vertices[polygons.values] - np.repeat(base, polygons.lengths, axis=0)
    centre: np.ndarray = base + np.add.reduceat(offset, start) / polygons.lengths[:, None]
    return centre
