"""The scale from which on a window that grows about a point meets a segment."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from jaxtyping import Float64

from splineviz.plane import Window

__all__ = ["least_scale"]


def least_scale(
    window: Window,
    about: Float64[np.ndarray, "2"],
    a: Float64[np.ndarray, "segment 2"],
    b: Float64[np.ndarray, "segment 2"],
) -> Float64[np.ndarray, "segment"]:
    """The least scale t at which the window, scaled by t about a point inside it, meets the segments from a
    to b (uv).

    A point x lies in the scaled window where t is at least

        g(x) = max_i n_i . (x - about) / n_i . (c_i - about),

    over the sides, with outer normals n_i and corners c_i: along a segment the largest of some linear
    functions. Its least value is at an end, or where two of them cross.
    """
    corners = window.vertices
    along = np.roll(corners, -1, 0) - corners
    normals = np.column_stack([along[:, 1], -along[:, 0]])
    heights = np.einsum("ij,ij->i", normals, corners - about)
    at_a, at_b = ((ends - about) @ (normals / heights[:, None]).T for ends in (a, b))
    least: np.ndarray = np.minimum(at_a.max(1), at_b.max(1))
    rise = at_b - at_a
    for i, j in combinations(range(len(corners)), 2):
        step = rise[:, i] - rise[:, j]
        t = np.divide(at_a[:, j] - at_a[:, i], step, out=np.zeros(len(a)), where=step != 0)
        t = np.clip(t, 0.0, 1.0)[:, None]
        least = np.minimum(least, (at_a + t * rise).max(1))
    scale: np.ndarray = np.maximum(least, 0.0)
    return scale
