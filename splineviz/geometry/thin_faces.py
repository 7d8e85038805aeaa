"""Faces that are too thin for their rounded coordinates."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.geometry.compiled import kernel

__all__ = ["thin_faces"]

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
    little more than what it changes by when each vertex moves as far as it may be ``off``.

    Moving n corners by d changes an area by d times the perimeter and n d^2, at most.
    """
    thin = np.zeros(len(offsets) - 1, np.bool_)
    for f in range(len(offsets) - 1):
        start, stop = offsets[f], offsets[f + 1]
        first = side_vertex[start]
        twice, reach, perimeter, moved = 0.0, 0.0, 0.0, 0.0
        for k in range(start, stop):
            v, w = side_vertex[k], side_vertex[k + 1 if k + 1 < stop else start]
            x, y = vertices[v, 0] - vertices[first, 0], vertices[v, 1] - vertices[first, 1]
            step_x, step_y = vertices[w, 0] - vertices[v, 0], vertices[w, 1] - vertices[v, 1]
            twice += x * step_y - y * step_x
            reach = max(reach, abs(x), abs(y))
            perimeter += abs(step_x) + abs(step_y)
            moved = max(moved, off[v])
        changed = moved * (perimeter + (stop - start) * moved)
        thin[f] = not 0.5 * twice > max(reach * thickness[f], _TIMES * changed)
    return np.flatnonzero(thin)
