"""Extend values that are affine on every face to the vertices of its refinement."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.predicates import TINY
from splineviz.geometry.rounding import FLOOR, SAFE, UNIT_ROUNDOFF

__all__ = ["TensorErrors", "extend_slack", "extend_values", "pin"]


class TensorErrors(NamedTuple):
    """Errors of a live tensor at all vertices."""

    scale: Float64[np.ndarray, "entry"]
    slack: Float64[np.ndarray, "vertex"]
    """Estimated, times the scale of an entry"""
    whole: Float64[np.ndarray, "vertex"]
    """Estimated, of all entries as one vector"""
    proven_slack: Float64[np.ndarray, "vertex"]
    """Proven, times the scale of an entry; empty where nothing is"""
    proof: Float64[np.ndarray, "vertex"]
    """Proven, of all entries as one vector; likewise"""
    shift: Float64[np.ndarray, "vertex"]
    """Proven change of an entry from the nominal place to the exact one; likewise"""


class _Rows(NamedTuple):
    """Norms and errors of the rows of the result, or of its new ones."""

    norm: Float64[np.ndarray, "row"]
    scales: Float64[np.ndarray, "row"]
    """Norm of the scales of the entries that are not cut off"""
    proof: Float64[np.ndarray, "row"]
    """Proven error at the nominal place, nothing being cut off; empty where there are no proofs"""
    doubt: Float64[np.ndarray, "row"]
    """Proven error of an entry at the exact place; likewise"""
    spread: Float64[np.ndarray, "new"]
    """Distance between the two ends"""


@kernel
def extend_values(
    values: Float64[np.ndarray, "vertex entry"],
    rows: Int64[np.ndarray, "old"],
    birth: np.ndarray,
    out: Float64[np.ndarray, "row entry"],
    errors: TensorErrors,
    relu: bool,
    switches: bool,
) -> tuple[Float64[np.ndarray, "row"], Float64[np.ndarray, "row"], Float64[np.ndarray, "row"]]:
    """Fill ``out`` with some rows of ``values``, then new ones by interpolation between their ends.

    With ``relu`` the rows are cut off at 0 on the way, which saves a pass through memory. Returns (error,
    norm, proof) of the rows of ``out``: estimated errors at the nominal places (`geometry.places`), inherited
    from both ends (the smaller of the whole and the entry-wise) and rounded; norms; and the same errors in
    the worst case, empty where there are no proofs. Entries cut off have no error. Where it is these values
    that switch there, what the new vertices have ``moved`` counts, too. With proofs, a new entry is 0.0 only
    if it is zero at both ends, or surely cut off at the exact place: what may be something else is `TINY`.
    """
    scale, slack, proven_slack, proofs = errors.scale, errors.slack, errors.proven_slack, errors.proof
    n_old, n_all = len(rows), len(out)
    error, entry, norm, scales = np.empty(n_all), np.empty(n_all), np.empty(n_all), np.empty(n_all)
    spread = np.empty(len(birth))
    whole, doubt = np.empty(n_all if len(proofs) else 0), np.empty(n_all if len(proofs) else 0)
    squares = 0.0
    for i in range(len(scale)):
        squares += scale[i] * scale[i]
    every = np.sqrt(squares) + FLOOR
    for v in range(n_old if len(proofs) else 0):
        whole[v] = min(proofs[rows[v]], SAFE * every * proven_slack[rows[v]])
        doubt[v] = whole[v] + errors.shift[rows[v]]
    _interpolate(values, rows, birth, out, scale, relu, switches, _Rows(norm, scales, whole, doubt, spread))
    for v in range(n_old):
        error[v], entry[v] = min(errors.whole[rows[v]], scales[v] * slack[rows[v]]), slack[rows[v]]
        if len(proofs):
            # Only now: what is cut off at an end still takes part in what is interpolated from there.
            whole[v] = min(whole[v], SAFE * (scales[v] + FLOOR) * proven_slack[rows[v]])
    for k in range(len(birth)):
        a, b, t, v = birth[k].a, birth[k].b, birth[k].t, n_old + k
        moved, share = (2.0 * birth[k].moved, 2.0 * birth[k].share) if switches else (0.0, 0.0)
        entry[v] = (1.0 - t) * entry[a] + t * entry[b] + share
        inherited = min((1.0 - t) * error[a] + t * error[b], scales[v] * entry[v])
        error[v] = np.hypot(inherited, moved) + 2.0 * UNIT_ROUNDOFF * (norm[v] + spread[k])
    return error, norm, whole


@part(fastmath={"reassoc", "contract"})
def _interpolate(
    values: Float64[np.ndarray, "vertex entry"],
    rows: Int64[np.ndarray, "old"],
    birth: np.ndarray,
    out: Float64[np.ndarray, "row entry"],
    scale: Float64[np.ndarray, "entry"],
    relu: bool,
    switches: bool,
    known: _Rows,
) -> None:
    """Fill all rows of ``out``; the proofs of the old ones are there, those of the new ones are filled in."""
    norm, scales, whole, doubt, spread = known
    n_old, width, proven = len(rows), values.shape[1], len(whole) > 0
    floor = 0.0 if relu else -np.inf
    _copy(values, rows, out, scale, floor, norm, scales)
    # Rows between old ones, on edges, come first. Those that are ends of later rows are cut off only after
    # these.
    is_end = np.zeros(len(birth), np.bool_)
    for k in range(len(birth)):
        for end in (birth[k].a, birth[k].b):
            if end >= n_old:
                is_end[end - n_old] = True
    # Only entries that are 0.0 at both ends are to be 0.0 here.
    tiny = TINY if proven else 0.0
    on = tiny if relu else -np.inf
    for k in range(len(birth)):
        a = values[rows[birth[k].a]] if birth[k].a < n_old else out[birth[k].a]
        b = values[rows[birth[k].b]] if birth[k].b < n_old else out[birth[k].b]
        row, s = out[n_old + k], birth[k].t
        least = -np.inf if is_end[k] else floor
        inherited, moved, fresh = _doubt(birth[k], doubt, n_old) if proven else (0.0, 0.0, False)
        total = 0.0
        squares = 0.0
        steps = 0.0
        all_steps = 0.0
        for i in range(width):
            step = b[i] - a[i]
            x = a[i] + s * step
            x = tiny if x == 0.0 and (a[i] != 0.0 or b[i] != 0.0) else x
            x = x if x > least else _cut_off(x, a[i], b[i], inherited, moved, fresh, tiny)
            row[i] = x
            total += scale[i] * scale[i] if x > on else 0.0
            squares += x * x if x > on else 0.0
            steps += step * step if x > on else 0.0
            all_steps += step * step if x > least else 0.0
        # Whether rows lie between this one and another is another matter in each batch: estimates are to be
        # the same in all.
        norm[n_old + k], scales[n_old + k], spread[k] = np.sqrt(squares), np.sqrt(total), np.sqrt(steps)
        if proven:
            longest = np.sqrt(all_steps)
            rounded = 4.0 * UNIT_ROUNDOFF * (norm[n_old + k] + longest) + FLOOR
            rounded += 2.0 * birth[k].moved if switches else 0.0
            doubt[n_old + k] = SAFE * (inherited + birth[k].proof * longest + rounded)
            whole[n_old + k] = SAFE * (max(whole[birth[k].a], whole[birth[k].b]) + rounded)
    for k in range(len(birth) - 1 if relu else -1, -1, -1):  # ends after the rows between them
        if is_end[k]:
            a = values[rows[birth[k].a]] if birth[k].a < n_old else out[birth[k].a]
            b = values[rows[birth[k].b]] if birth[k].b < n_old else out[birth[k].b]
            row = out[n_old + k]
            inherited, moved, fresh = _doubt(birth[k], doubt, n_old) if proven else (0.0, 0.0, False)
            for i in range(width):
                row[i] = (
                    row[i] if row[i] > 0.0 else _cut_off(row[i], a[i], b[i], inherited, moved, fresh, tiny)
                )


@part(fastmath={"reassoc", "contract"})
def _copy(
    values: Float64[np.ndarray, "vertex entry"],
    rows: Int64[np.ndarray, "old"],
    out: Float64[np.ndarray, "row entry"],
    scale: Float64[np.ndarray, "entry"],
    floor: float,
    norm: Float64[np.ndarray, "row"],
    scales: Float64[np.ndarray, "row"],
) -> None:
    """Copy the old rows, cut off at ``floor``."""
    for v in range(len(rows)):
        source, target = values[rows[v]], out[v]
        total = 0.0
        squares = 0.0
        for i in range(values.shape[1]):
            x = max(source[i], floor)
            target[i] = x
            squares += x * x
            total += scale[i] * scale[i] if x > floor else 0.0
        norm[v], scales[v] = np.sqrt(squares), np.sqrt(total)


@part(forceinline=True)
def _doubt(born: Any, doubt: Float64[np.ndarray, "row"], n_old: int) -> tuple[float, float, bool]:
    """(inherited, moved, fresh): entries err by ``inherited`` and ``moved`` times their step; signs at fresh
    ends may be wrong."""
    fresh = born.a >= n_old or born.b >= n_old
    return SAFE * max(doubt[born.a], doubt[born.b]), SAFE * (born.proof + 4.0 * UNIT_ROUNDOFF), fresh


@part(forceinline=True)
def _cut_off(x: float, a: float, b: float, inherited: float, moved: float, fresh: bool, tiny: float) -> float:
    """Relu of an entry x that is not positive, between a and b: 0, or ``tiny`` where it may yet be
    positive."""
    may_be = a > 0.0 or b > 0.0 or (fresh and x != 0.0)
    return tiny if may_be and x > -(inherited + moved * abs(b - a)) else 0.0


@kernel
def extend_slack(
    values: Float64[np.ndarray, "row entry"],
    birth: np.ndarray,
    scale: Float64[np.ndarray, "entry"],
    before: Float64[np.ndarray, "old"],
    proven_before: Float64[np.ndarray, "old"],
    switches: bool,
) -> tuple[Float64[np.ndarray, "row"], Float64[np.ndarray, "row"]]:
    """(slack, proof) of values that `extend_values` has made without relu, from those of the old rows.

    ``scale`` times ``slack`` is then right for every entry. Sharper than the error of the whole row, by up to
    sqrt(n), and a pass of its own. ``proof`` is the worst case, empty where there are no proofs.
    """
    n_old, proven = len(before), len(proven_before) > 0
    slack, proof = np.empty(len(values)), np.empty(len(values) if proven else 0)
    slack[:n_old] = before
    if proven:
        proof[:n_old] = proven_before
    for k in range(len(birth)):
        a, b, t, row = values[birth[k].a], values[birth[k].b], birth[k].t, values[n_old + k]
        farthest, largest = 0.0, 0.0
        for i in range(len(scale)):
            step = abs(b[i] - a[i])
            if scale[i] > 0.0:
                farthest, largest = max(farthest, step / scale[i]), max(largest, abs(row[i]) / scale[i])
        rounded = 2.0 * UNIT_ROUNDOFF * (largest + farthest) + (2.0 * birth[k].share if switches else 0.0)
        slack[n_old + k] = (1.0 - t) * slack[birth[k].a] + t * slack[birth[k].b] + rounded
        if proven:
            inherited = max(proof[birth[k].a], proof[birth[k].b])
            proof[n_old + k] = SAFE * (inherited + 2.0 * rounded + FLOOR)
    return slack, proof


@kernel
def pin(
    values: Float64[np.ndarray, "vertex entry"], rows: np.ndarray, kinks: Float64[np.ndarray, "kink entry"]
) -> None:
    """Set entries to their breakpoint where their unit vanishes by construction: rows with ``vertex`` and
    ``unit``."""
    n = values.shape[1]
    for k in range(len(rows)):
        unit = rows[k].unit
        values[rows[k].vertex, unit % n] = kinks[unit // n, unit % n]
