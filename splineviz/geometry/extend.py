"""Carry values that are affine on every face to the vertices of its refinement."""

from __future__ import annotations

from typing import Any

import numpy as np

from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.predicates import EPS
from splineviz.geometry.rounding import SAFE

__all__ = ["extend_slack", "extend_values", "pin"]


@kernel
def extend_values(
    values: Any, rows: Any, birth: Any, out: Any, scale: Any, slack: Any, errors: Any, relu: Any, proven_slack: Any, proofs: Any
) -> Any:
    """Fill ``out`` (R + new, n) from rows of ``values`` (V, n), these R rows first, new ones by interpolation between their ends.

    With ``relu`` the rows are cut off at 0 on the way, which saves a pass through memory. Returns (error, norm, proof), (R + new,)
    each: the norms of the rows of ``out``, and their errors: inherited from both ends (the smaller of the norm-wise ``errors``
    (V,) and the entry-wise ``scale`` (n,) times ``slack`` (V,)), moved by the error of t, and rounded. Entries cut off have none.
    ``proof`` is the same of ``proofs`` and ``proven_slack``, in the worst case; all three are empty where there are no proofs.
    """
    n_old, n_all = len(rows), len(out)
    error, entry, norm, scales = np.empty(n_all), np.empty(n_all), np.empty(n_all), np.empty(n_all)
    proof = np.empty(n_all if len(proofs) else 0)
    spread = np.empty(len(birth))
    _interpolate(values, rows, birth, out, scale, relu, spread, norm, scales)
    for v in range(n_old):
        error[v], entry[v] = min(errors[rows[v]], scales[v] * slack[rows[v]]), slack[rows[v]]
    for k in range(len(birth)):
        a, b, t, v = birth[k].a, birth[k].b, birth[k].t, n_old + k
        entry[v] = (1.0 - t) * entry[a] + t * entry[b]
        inherited = min((1.0 - t) * error[a] + t * error[b], scales[v] * entry[v])
        error[v] = np.hypot(inherited, birth[k].bound * spread[k]) + 2.0 * EPS * (norm[v] + spread[k])
    if len(proofs):
        _prove(rows, birth, scale, proven_slack, proofs, scales, spread, norm, proof)
    return error, norm, proof


@part()
def _prove(rows: Any, birth: Any, scale: Any, slack: Any, proofs: Any, scales: Any, spread: Any, norm: Any, proof: Any) -> None:
    """Worst cases. What is cut off at an end still takes part in what is interpolated from there: ``whole`` counts it."""
    n_old = len(rows)
    every, whole = np.sqrt((scale * scale).sum()), np.empty(len(proof))
    for v in range(n_old):
        whole[v] = min(proofs[rows[v]], SAFE * every * slack[rows[v]])
        proof[v] = min(whole[v], SAFE * scales[v] * slack[rows[v]])
    for k in range(len(birth)):
        v = n_old + k
        inherited = max(whole[birth[k].a], whole[birth[k].b])
        whole[v] = SAFE * (inherited + birth[k].proof * spread[k] + 4.0 * EPS * (norm[v] + spread[k]))
        proof[v] = whole[v]


@part(fastmath={"reassoc", "contract"})
def _interpolate(values: Any, rows: Any, birth: Any, out: Any, scale: Any, relu: Any, spread: Any, norm: Any, scales: Any) -> None:
    n_old, width = len(rows), values.shape[1]
    floor = 0.0 if relu else -np.inf
    for v in range(n_old):
        source, target = values[rows[v]], out[v]
        total = 0.0
        squares = 0.0
        for i in range(width):
            x = max(source[i], floor)
            target[i] = x
            squares += x * x
            total += scale[i] * scale[i] if x > floor else 0.0
        norm[v], scales[v] = np.sqrt(squares), np.sqrt(total)
    # Rows between old ones, on edges, come first. Those that are ends of later rows are cut off only after these.
    is_end = np.zeros(len(birth), np.bool_)
    for k in range(len(birth)):
        for end in (birth[k].a, birth[k].b):
            if end >= n_old:
                is_end[end - n_old] = True
    for k in range(len(birth)):
        a = values[rows[birth[k].a]] if birth[k].a < n_old else out[birth[k].a]
        b = values[rows[birth[k].b]] if birth[k].b < n_old else out[birth[k].b]
        row, s = out[n_old + k], birth[k].t
        least = -np.inf if is_end[k] else floor
        total = 0.0
        squares = 0.0
        steps = 0.0
        for i in range(width):
            step = b[i] - a[i]
            x = a[i] + s * step
            row[i] = max(x, least)
            total += scale[i] * scale[i] if x > floor else 0.0
            squares += x * x if x > floor else 0.0
            steps += step * step if x > least else 0.0
        norm[n_old + k], scales[n_old + k], spread[k] = np.sqrt(squares), np.sqrt(total), np.sqrt(steps)
    if relu:
        for k in range(len(birth)):
            if is_end[k]:
                for i in range(width):
                    out[n_old + k, i] = max(out[n_old + k, i], 0.0)


@kernel
def extend_slack(values: Any, birth: Any, scale: Any, before: Any, proven_before: Any) -> Any:
    """(slack, proof), (V,) each, of values (V, n) that `extend_values` has made without relu, from those of the rows before.

    ``scale`` times ``slack`` is then right for every entry. Sharper than the error of the whole row, by up to sqrt(n), and a pass
    of its own. ``proof`` is the worst case, empty where there are no proofs.
    """
    n_old, proven = len(before), len(proven_before) > 0
    slack, proof = np.empty(len(values)), np.empty(len(values) if proven else 0)
    slack[:n_old] = before
    if proven:
        proof[:n_old] = proven_before
    for k in range(len(birth)):
        a, b, t, row = values[birth[k].a], values[birth[k].b], birth[k].t, values[n_old + k]
        worst, farthest, largest = 0.0, 0.0, 0.0
        for i in range(len(scale)):
            step = abs(b[i] - a[i])
            if scale[i] > 0.0:
                worst = max(worst, (birth[k].bound * step + 2.0 * EPS * (abs(row[i]) + step)) / scale[i])
                farthest, largest = max(farthest, step / scale[i]), max(largest, abs(row[i]) / scale[i])
        slack[n_old + k] = (1.0 - t) * slack[birth[k].a] + t * slack[birth[k].b] + worst
        if proven:
            inherited = max(proof[birth[k].a], proof[birth[k].b])
            proof[n_old + k] = SAFE * (inherited + birth[k].proof * farthest + 4.0 * EPS * (largest + farthest))
    return slack, proof


@kernel
def pin(values: Any, rows: Any, kinks: Any) -> None:
    """Set entries to their breakpoint where their unit vanishes by construction: rows of (vertex, unit), kinks (K, n)."""
    n = values.shape[1]
    for k in range(len(rows)):
        unit = rows[k].unit
        values[rows[k].vertex, unit % n] = kinks[unit // n, unit % n]
