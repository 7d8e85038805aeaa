"""How far rounded coordinates of vertices are from where these are exactly."""

from __future__ import annotations

from typing import Any

import numpy as np

from splineviz.geometry.compiled import kernel
from splineviz.geometry.predicates import EPS
from splineviz.values.linear_error_bounds import SAFE

__all__ = ["displaced"]


@kernel
def displaced(points: Any, estimate: Any, proof: Any, birth: Any) -> Any:
    """(estimate, proof), (V + new,) each, of the vertices of a refinement, from those before, (V,) each, at
    ``points`` (V, 2).

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
        rounded = EPS * (abs(uv[v, 0]) + abs(uv[v, 1]) + way)
        guess[v] = (1.0 - t) * guess[a] + t * guess[b] + birth[k].bound * way + 2.0 * rounded
        moved = birth[k].proof * (
            way + bound[a] + bound[b]
        )  # it is between the exact places that the exact t counts
        bound[v] = SAFE * (max(bound[a], bound[b]) + moved + 4.0 * rounded)
    return guess, bound
