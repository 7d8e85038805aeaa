"""Proven bounds of the errors of logits at points, by the maps of cells."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.geometry.compiled import kernel
from splineviz.geometry.rounding import FLOOR, SAFE, UNIT_ROUNDOFF

__all__ = ["logit_bounds"]


@kernel
def logit_bounds(
    maps: Float64[np.ndarray, "cell output 3"],
    errors: Float64[np.ndarray, "cell 3"],
    cells: Int64[np.ndarray, "point"],
    uv: Float64[np.ndarray, "point 2"],
    displacement: Float64[np.ndarray, "point"],
    roundings: int,
) -> Float64[np.ndarray, "point output"]:
    """(n, C) proven bounds of the errors of logits of a cell's map each at points (n, 2).

    ``errors`` (F, 3) are those of the coefficients, ``displacement`` (n,) how far the points may be from
    where they belong; ``roundings`` are those of products and sums, and of what else is made of them.
    """
    n, n_out = len(cells), maps.shape[1]
    bounds = np.empty((n, n_out))
    for i in range(n):
        own, error, far = maps[cells[i]], errors[cells[i]], displacement[i]
        u, v = abs(uv[i, 0]), abs(uv[i, 1])
        inherited = error[0] * u + error[1] * v + error[2] + far * (error[0] + error[1])
        for k in range(n_out):
            a, b, c = abs(own[k, 0]), abs(own[k, 1]), abs(own[k, 2])
            steep = a + b
            moved = far * steep if steep > 0.0 else 0.0  # a constant is so anywhere
            size = a * u + b * v + c
            bounds[i, k] = SAFE * (inherited + moved + roundings * UNIT_ROUNDOFF * size) + FLOOR
    return bounds
