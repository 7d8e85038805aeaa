"""Faces that are too thin for their rounded coordinates."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.geometry.compiled import kernel, part

__all__ = ["corners_too_far_off", "thin_faces"]

_TIMES = 8.0
"""An area is at least so many times what coordinates may change it by, or else its face is too thin"""


@kernel
def thin_faces(
    vertices: Float64[np.ndarray, "vertex 2"],
    offsets: Int64[np.ndarray, "face+1"],
    side_vertex: Int64[np.ndarray, "side"],
    thickness: Float64[np.ndarray, "face"],
    off: Float64[np.ndarray, "vertex"],
) -> Int64[np.ndarray, "thin"]:
    """Faces whose area is at most their ``thickness`` times their longest side from the first corner, or
    little more than what it changes by when each vertex moves as far as it may be ``off``."""
    thin = np.zeros(len(offsets) - 1, np.bool_)
    for f in range(len(offsets) - 1):
        start, stop = offsets[f], offsets[f + 1]
        first, reach, changed = side_vertex[start], 0.0, 0.0
        for k in range(start, stop):
            v = side_vertex[k]
            reach = max(reach, abs(vertices[v, 0] - vertices[first, 0]))
            reach = max(reach, abs(vertices[v, 1] - vertices[first, 1]))
            changed += _change(vertices, side_vertex, start, stop, k, off)
        area = _area(vertices, side_vertex, start, stop)
        thin[f] = not area > max(reach * thickness[f], _TIMES * changed)
    return np.flatnonzero(thin)


@kernel
def corners_too_far_off(
    vertices: Float64[np.ndarray, "vertex 2"],
    offsets: Int64[np.ndarray, "face+1"],
    side_vertex: Int64[np.ndarray, "side"],
    off: Float64[np.ndarray, "vertex"],
) -> Int64[np.ndarray, "far"]:
    """Vertices without which no face would be too thin for what its corners may be ``off``: those by which
    an area changes by more than the share of one of its corners."""
    far = np.zeros(len(vertices), np.bool_)
    for f in range(len(offsets) - 1):
        start, stop = offsets[f], offsets[f + 1]
        allowed = _area(vertices, side_vertex, start, stop) / (_TIMES * (stop - start))
        for k in range(start, stop):
            if not _change(vertices, side_vertex, start, stop, k, off) < allowed:
                far[side_vertex[k]] = True
    return np.flatnonzero(far)


@part(forceinline=True)
def _area(
    vertices: Float64[np.ndarray, "vertex 2"], side_vertex: Int64[np.ndarray, "side"], start: int, stop: int
) -> float:
    first, twice = side_vertex[start], 0.0
    for k in range(start + 1, stop - 1):
        v, w = side_vertex[k], side_vertex[k + 1]
        x, y = vertices[v, 0] - vertices[first, 0], vertices[v, 1] - vertices[first, 1]
        twice += x * (vertices[w, 1] - vertices[v, 1]) - y * (vertices[w, 0] - vertices[v, 0])
    return 0.5 * twice


@part(forceinline=True)
def _change(
    vertices: Float64[np.ndarray, "vertex 2"],
    side_vertex: Int64[np.ndarray, "side"],
    start: int,
    stop: int,
    k: int,
    off: Float64[np.ndarray, "vertex"],
) -> float:
    """Share of the k-th corner in what an area may change by.

    Moving corners p_k by d_k adds half of the sum of d_k x (p_(k+1) - p_(k-1)) + d_k x d_(k+1).
    """
    before = side_vertex[k - 1 if k > start else stop - 1]
    v, after = side_vertex[k], side_vertex[k + 1 if k + 1 < stop else start]
    x, y = vertices[after, 0] - vertices[before, 0], vertices[after, 1] - vertices[before, 1]
    return float(0.5 * off[v] * (np.sqrt(x * x + y * y) + off[after]))
