"""Faces that are thin."""

from __future__ import annotations

from typing import Any

import numpy as np

from splineviz.geometry.compiled import kernel

__all__ = ["thin_faces"]


@kernel
def thin_faces(vertices: Any, offsets: Any, side_vertex: Any, thickness: Any) -> Any:
    """The faces whose area is at most their longest side from the first corner times their ``thickness``
    (F,)."""
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
