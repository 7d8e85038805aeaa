"""Carry values that are affine on every face to the vertices of its refinement."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from splineviz.geometry.predicates import EPS

__all__ = ["extend_errors", "extend_values"]


def extend_values(values: np.ndarray, ends: np.ndarray, t: np.ndarray, out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fill ``out`` (V + new, n) from ``values`` (V, n), old rows first, new rows by interpolation between their ends.

    Returns (new,) the norms of value(b) - value(a) and of value(a), which bound the error of a new row.
    """
    spread, size = np.empty(len(t)), np.empty(len(t))
    _interpolate(values, ends, t, out, spread, size)
    return spread, size


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _interpolate(values: Any, ends: Any, t: Any, out: Any, spread: Any, size: Any) -> None:
    n_old, width = values.shape
    out[:n_old] = values
    for k in range(len(t)):
        a, b, s = out[ends[k, 0]], out[ends[k, 1]], t[k]
        row = out[n_old + k]
        steps = 0.0
        starts = 0.0
        for i in range(width):
            start = a[i]
            step = b[i] - start
            row[i] = start + s * step
            steps += step * step
            starts += start * start
        spread[k], size[k] = np.sqrt(steps), np.sqrt(starts)


@njit(cache=True, nogil=True)
def extend_errors(errors: Any, ends: Any, bound: Any, spread: Any, size: Any) -> Any:
    """Errors (V + new,) of the extended rows: inherited from both ends, moved by the error of t, and rounded."""
    n_old = len(errors)
    out = np.empty(n_old + len(bound))
    out[:n_old] = errors
    for k in range(len(bound)):
        inherited = max(out[ends[k, 0]], out[ends[k, 1]])
        out[n_old + k] = inherited + bound[k] * spread[k] + 4.0 * EPS * (size[k] + spread[k])
    return out
