"""Proven bounds of the errors of logits at points, by the maps of cells, and where one logit is proven the
largest."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float64, Int64

from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.rounding import FLOOR, SAFE, UNIT_ROUNDOFF

__all__ = ["logit_bounds", "proven_largest"]


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
        inherited = _inherited(error, u, v, far)
        for k in range(n_out):
            bounds[i, k] = _bound(own[k], u, v, far, inherited, roundings)
    return bounds


@kernel
def proven_largest(
    maps: Float64[np.ndarray, "cell output 3"],
    errors: Float64[np.ndarray, "cell 3"],
    cells: Int64[np.ndarray, "point"],
    uv: Float64[np.ndarray, "point 2"],
    displacement: Float64[np.ndarray, "point"],
    roundings: int,
) -> tuple[Int64[np.ndarray, "point"], Bool[np.ndarray, "point"]]:
    """(n,) the largest logit at each point, by a cell's map each, the lowest of equal ones, and (n,) whether
    it is proven that it exceeds every other.

    The arguments are those of `logit_bounds`, whose bounds prove it. A logit that is no number counts as the
    largest, as it does for `numpy.argmax`, and proves nothing.
    """
    n, n_out = len(cells), maps.shape[1]
    winner, proven = np.empty(n, np.int64), np.empty(n, np.bool_)
    values = np.empty(n_out)
    for i in range(n):
        own, error, far = maps[cells[i]], errors[cells[i]], displacement[i]
        u, v = uv[i, 0], uv[i, 1]
        best = 0
        for k in range(n_out):
            values[k] = own[k, 0] * u + own[k, 1] * v + own[k, 2]
            if values[k] > values[best] or (np.isnan(values[k]) and not np.isnan(values[best])):
                best = k
        u, v = abs(u), abs(v)
        inherited = _inherited(error, u, v, far)
        least = values[best] - _bound(own[best], u, v, far, inherited, roundings)
        clear = True
        for k in range(n_out):
            if k != best and not least > values[k] + _bound(own[k], u, v, far, inherited, roundings):
                clear = False
                break
        winner[i], proven[i] = best, clear
    return winner, proven


@part(forceinline=True)
def _inherited(error: Float64[np.ndarray, "3"], u: float, v: float, far: float) -> float:
    """Error of any logit at a point, |u| and |v|, that the errors of a map's coefficients leave."""
    inherited: float = error[0] * u + error[1] * v + error[2] + far * (error[0] + error[1])
    return inherited


@part(forceinline=True)
def _bound(
    form: Float64[np.ndarray, "3"], u: float, v: float, far: float, inherited: float, roundings: int
) -> float:
    """Bound of the error of one logit at a point, |u| and |v|, that may be off by ``far``."""
    a, b, c = abs(form[0]), abs(form[1]), abs(form[2])
    steep = a + b
    moved = far * steep if steep > 0.0 else 0.0  # a constant is so anywhere
    size = a * u + b * v + c
    bound: float = SAFE * (inherited + moved + roundings * UNIT_ROUNDOFF * size) + FLOOR
    return bound
