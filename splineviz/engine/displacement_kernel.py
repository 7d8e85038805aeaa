"""Distances of rounded coordinates of vertices from the exact ones."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from splineviz.geometry.compiled import kernel
from splineviz.geometry.rounding import SAFE, UNIT_ROUNDOFF

__all__ = ["displaced"]


@kernel
def displaced(
    points: Float64[np.ndarray, "old 2"],
    estimate: Float64[np.ndarray, "old"],
    proof: Float64[np.ndarray, "old"],
    birth: np.ndarray,
) -> tuple[Float64[np.ndarray, "vertex"], Float64[np.ndarray, "vertex"]]:
    """(estimate, proof) of all vertices of a refinement, from those of the old ones at ``points`` (uv).

    A vertex at t between a and b is moved by what both are, by the error of t times the way between them, and
    by rounding.
    """
    n_old, n_all = len(points), len(points) + len(birth)
    uv, guess, bound = np.empty((n_all, 2)), np.empty(n_all), np.empty(n_all)
    for v in range(n_old):  # slices take seconds to compile
        uv[v, 0], uv[v, 1], guess[v], bound[v] = points[v, 0], points[v, 1], estimate[v], proof[v]
    for k in range(len(birth)):
        a, b, t, v = birth[k].a, birth[k].b, birth[k].t, n_old + k
        x, y = uv[b, 0] - uv[a, 0], uv[b, 1] - uv[a, 1]
        uv[v, 0], uv[v, 1] = uv[a, 0] + t * x, uv[a, 1] + t * y
        way = np.sqrt(x * x + y * y)
        rounded = UNIT_ROUNDOFF * (abs(uv[v, 0]) + abs(uv[v, 1]) + way)
        guess[v] = (1.0 - t) * guess[a] + t * guess[b] + birth[k].bound * way + 2.0 * rounded
        # It is between the exact places that the exact t counts.
        moved = birth[k].proof * (way + bound[a] + bound[b])
        bound[v] = SAFE * (max(bound[a], bound[b]) + moved + 4.0 * rounded)
    return guess, bound
