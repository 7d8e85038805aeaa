"""Carry values that are affine on every face to the vertices of its refinement."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from splineviz.geometry.predicates import EPS

__all__ = ["extend_errors", "extend_values"]


def extend_values(
    values: np.ndarray, birth: np.ndarray, out: np.ndarray, scale: np.ndarray, dead_below_zero: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fill ``out`` (V + new, n) from ``values`` (V, n), old rows first, new rows by interpolation between their ends.

    Returns what the errors of the rows depend on: (new,) the norms of value(b) - value(a) and of value(a), and (V + new,) the
    norm of ``scale`` (n,). With ``dead_below_zero`` entries at or below 0 count in none of them.
    """
    spread, size, scales = np.empty(len(birth)), np.empty(len(birth)), np.empty(len(out))
    _interpolate(values, birth, out, scale, dead_below_zero, spread, size, scales)
    return spread, size, scales


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _interpolate(
    values: Any, birth: Any, out: Any, scale: Any, dead_below_zero: Any, spread: Any, size: Any, scales: Any
) -> None:
    n_old, width = values.shape
    floor = 0.0 if dead_below_zero else -np.inf
    for v in range(n_old):
        total = 0.0
        for i in range(width):
            x = values[v, i]
            out[v, i] = x
            total += scale[i] * scale[i] if x > floor else 0.0
        scales[v] = np.sqrt(total)
    for k in range(len(birth)):
        a, b, s = out[birth[k].a], out[birth[k].b], birth[k].t
        row = out[n_old + k]
        total = 0.0
        steps = 0.0
        starts = 0.0
        for i in range(width):
            start = a[i]
            step = b[i] - start
            x = start + s * step
            row[i] = x
            total += scale[i] * scale[i] if x > floor else 0.0
            steps += step * step if x > floor else 0.0
            starts += start * start if x > floor else 0.0
        spread[k], size[k], scales[n_old + k] = np.sqrt(steps), np.sqrt(starts), np.sqrt(total)


@njit(cache=True, nogil=True)
def extend_errors(errors: Any, slack: Any, birth: Any, spread: Any, size: Any, scales: Any) -> Any:
    """Errors (V + new,) of the extended rows: inherited from both ends, moved by the error of t, and rounded.

    What is inherited is the smaller of the norm-wise error and the entry-wise one, ``scales * slack``.
    """
    n_old = len(errors)
    out, entry = np.empty(len(scales)), np.empty(len(scales))
    for v in range(n_old):
        out[v], entry[v] = min(errors[v], scales[v] * slack[v]), slack[v]
    for k in range(len(birth)):
        a, b, t, v = birth[k].a, birth[k].b, birth[k].t, n_old + k
        entry[v] = (1.0 - t) * entry[a] + t * entry[b]
        inherited = min((1.0 - t) * out[a] + t * out[b], scales[v] * entry[v])
        out[v] = np.hypot(inherited, birth[k].bound * spread[k]) + EPS * (size[k] + spread[k])
    return out
