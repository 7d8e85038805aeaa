"""Faces that are too thin for their rounded coordinates."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.geometry.compiled import kernel

__all__ = ["thin_faces"]


@kernel
def thin_faces(
    vertices: Float64[np.ndarray, "vertex 2"],
    offsets: Int64[np.ndarray, "face+1"],
    side_vertex: Int64[np.ndarray, "side"],
    thickness: Float64[np.ndarray, "face"],
) -> Int64[np.ndarray, "thin"]:
    """Faces whose area is at most their ``thickness`` times their longest side from the first corner."""
    thin = np.zeros(len(offsets) - 1, np.bool_)
    for f in range(len(offsets) - 1):
        first = side_vertex[offsets[f]]
        twice, reach = 0.0, 0.0
        for k in range(offsets[f] + 1, offsets[f + 1]):
            v, w = side_vertex[k], side_vertex[k + 1 if k + 1 < offsets[f + 1] else offsets[f]]
            x, y = vertices[v, 0] - vertices[first, 0], vertices[v, 1] - vertices[first, 1]
            twice += x * (vertices[w, 1] - vertices[first, 1]) - y * (vertices[w, 0] - vertices[first, 0])
            reach = max(reach, abs(x), abs(y))
        thin[f] = 0.5 * twice <= reach * thickness[f]
    return np.flatnonzero(thin)
