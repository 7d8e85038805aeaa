"""Carry values that are affine on every face to the vertices of its refinement."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from splineviz.geometry.predicates import EPS

__all__ = ["extend_values", "pin"]


@njit(cache=True, nogil=True)
def extend_values(values: Any, birth: Any, out: Any, scale: Any, slack: Any, errors: Any, dead_below_zero: Any) -> Any:
    """Fill ``out`` (V + new, n) from ``values`` (V, n), old rows first, new rows by interpolation between their ends.

    Returns the errors (V + new,) of its rows: inherited from both ends (the smaller of the norm-wise ``errors`` (V,) and the
    entry-wise ``scale`` (n,) times ``slack`` (V,)), moved by the error of t, and rounded. With ``dead_below_zero`` entries at
    or below 0 are about to become exactly 0 and count in none of these.
    """
    n_old, n_all = len(values), len(out)
    spread, size, scales = np.empty(len(birth)), np.empty(len(birth)), np.empty(n_all)
    _interpolate(values, birth, out, scale, dead_below_zero, spread, size, scales)
    error, entry = np.empty(n_all), np.empty(n_all)
    for v in range(n_old):
        error[v], entry[v] = min(errors[v], scales[v] * slack[v]), slack[v]
    for k in range(len(birth)):
        a, b, t, v = birth[k].a, birth[k].b, birth[k].t, n_old + k
        entry[v] = (1.0 - t) * entry[a] + t * entry[b]
        inherited = min((1.0 - t) * error[a] + t * error[b], scales[v] * entry[v])
        error[v] = np.hypot(inherited, birth[k].bound * spread[k]) + EPS * (size[k] + spread[k])
    return error


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _interpolate(values: Any, birth: Any, out: Any, scale: Any, dead_below_zero: Any, spread: Any, size: Any, scales: Any) -> None:
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
def pin(values: Any, rows: Any, kinks: Any) -> None:
    """Set entries to their breakpoint where their unit vanishes by construction: rows of (vertex, unit), kinks (K, n)."""
    n = values.shape[1]
    for k in range(len(rows)):
        unit = rows[k].unit
        values[rows[k].vertex, unit % n] = kinks[unit // n, unit % n]
