"""Decisions on which the combinatorics rest, each with the error bound beyond which floating point stands.

A unit is an affine function on every face. Its float64 value at vertex ``v`` differs by rounding from the
exact value at the vertex's nominal place: of that there may be a *proof*, ``scale[unit] * proof[v]``, and
there always is an *estimate*, ``scale[unit] * slack[v]``. From there to the exact vertex it changes by shares
of its differences to two neighbours (`places`): together these are its *likely* and its *proven error*, which
all decisions are about:

- *sign of a unit at a vertex* (`classify`);
- *order of two crossings on an edge*, and *orientation of three chords of a face*, read as the order of two
  crossings on the third (`crossing`, `in_order`).

Where there are proofs, a decision stands beyond them; what they leave open is asked for (`questions`) and
decided exactly. Where there are none, or nobody can tell, it stands beyond `MARGIN` times its estimate, and
what lies closer is taken as a coincidence (a zero, one vertex).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt64

from splineviz.geometry.compiled import part
from splineviz.geometry.intrinsics import borrowed, popcount
from splineviz.geometry.places import Places
from splineviz.geometry.questions import SIGN, UNKNOWN, Dialogue, Key, Point, ask, ask_sign, look_up
from splineviz.geometry.rounding import SAFE, UNIT_ROUNDOFF

__all__ = ["MARGIN", "TINY", "Crossing", "Signs", "Units"]
__all__ += [
    "classify",
    "crossing",
    "in_order",
    "likely_error",
    "nominal_errors",
    "order",
    "prove_crossing",
    "proven_error",
    "units_at",
]

MARGIN = 16.0
"""Multiple of its estimated error that a number must lie away from a coincidence to decide against it."""

TINY = 2.0**-1000
"""In place of a value that has the wrong sign, and the least parameter of a crossing: not zero, and of no
other consequence."""


class Units(NamedTuple):
    """Values of all units of a stage at all vertices, with their errors."""

    z: Float64[np.ndarray, "vertex unit"]
    scale: Float64[np.ndarray, "unit"]
    slack: Float64[np.ndarray, "vertex"]
    """At the nominal place the error of ``z[v, u]`` is estimated as ``scale[u] * slack[v]``"""
    proof: Float64[np.ndarray, "vertex"]
    """Likewise proven: at most ``scale[u] * proof[v]``; empty where nothing is proven"""
    neighbours: Int64[np.ndarray, "vertex 2"]
    """As in `Places`"""
    shares: Float64[np.ndarray, "vertex 4"]
    """As in `Places`"""
    around: Float64[np.ndarray, "vertex 2"]
    """Slack and proof of what is told from the vertex and its neighbours together"""
    moved: Float64[np.ndarray, "vertex 2"]
    """Changes of values whose signs are not those that they have: the sum of the squares of changes, and the
    largest one over the scale of its unit. Filled by `classify`"""
    kinds: Int64[np.ndarray, "unit"]
    """Units of one kind are one function, whatever rounding makes of their values; empty where none are
    known to be"""


@part()
def units_at(
    z: Float64[np.ndarray, "vertex unit"],
    scale: Float64[np.ndarray, "unit"],
    slack: Float64[np.ndarray, "vertex"],
    proof: Float64[np.ndarray, "vertex"],
    places: Places,
    moved: Float64[np.ndarray, "vertex 2"],
    kinds: Int64[np.ndarray, "unit"],
) -> Units:
    """Units at vertices with these places."""
    around = np.zeros((len(z), 2))
    units = Units(z, scale, slack, proof, places.neighbours, places.shares, around, moved, kinds)
    _tell_around(units)
    return units


@part()
def _tell_around(units: Units) -> None:
    """Fill ``around``.

    Values that were changed for their sign are as close to the exact ones as before; but their differences to
    those at neighbours are not what they were.
    """
    slack, proof, near, shares, around, moved = (
        units.slack,
        units.proof,
        units.neighbours,
        units.shares,
        units.around,
        units.moved,
    )
    for v in range(len(slack)):
        p, q = near[v, 0], near[v, 1]
        likely, proven = shares[v, 0] + shares[v, 1], shares[v, 2] + shares[v, 3]
        changed = 2.0 * max(moved[v, 1], moved[p, 1], moved[q, 1])
        around[v, 0] = slack[v]
        if likely > 0.0:
            around[v, 0] = (1.0 + 2.0 * likely) * max(slack[v], slack[p], slack[q]) + likely * changed
        if len(proof) > 0:
            around[v, 1] = proof[v]
            if proven > 0.0:
                largest = max(proof[v], proof[p], proof[q])
                around[v, 1] = SAFE * ((1.0 + 2.0 * proven) * largest + proven * changed)


@part(forceinline=True)
def nominal_errors(units: Units, v: int, u: int) -> tuple[float, float]:
    """Error of unit u at the nominal place of vertex v, estimated and proven; what its value was changed by
    counts."""
    scale, changed = units.scale[u], units.moved[v, 1]
    proof = units.proof[v] + changed if len(units.proof) > 0 else 0.0
    return scale * (units.slack[v] + changed), scale * proof


@part(forceinline=True)
def likely_error(units: Units, v: int, u: int) -> float:
    """Estimated error of unit u at vertex v."""
    near, share, z = units.neighbours, units.shares, units.z
    moved = share[v, 0] * abs(z[near[v, 0], u] - z[v, u]) + share[v, 1] * abs(z[near[v, 1], u] - z[v, u])
    return float(units.scale[u] * units.around[v, 0] + moved)


@part(forceinline=True)
def proven_error(units: Units, v: int, u: int) -> float:
    """Bound of the error of unit u at vertex v."""
    near, share, z = units.neighbours, units.shares, units.z
    moved = share[v, 2] * abs(z[near[v, 0], u] - z[v, u]) + share[v, 3] * abs(z[near[v, 1], u] - z[v, u])
    return float(units.scale[u] * units.around[v, 1] + SAFE * moved)


class Crossing(NamedTuple):
    """Where a unit vanishes on the way between two points."""

    t: float
    """In (0, 1)"""
    bound: float
    """Estimated error of t"""
    proof: float
    """Proven error of t; 0 where there are no proofs"""


class Signs(NamedTuple):
    """Strict signs of all units at all vertices, as bit sets; a unit in neither is zero."""

    positive: UInt64[np.ndarray, "vertex word"]
    negative: UInt64[np.ndarray, "vertex word"]
    zeros: int
    """Number of pairs (unit, vertex) taken as zero."""
    open: int
    """Signs that are not proven although there are proofs for others; without any, zeros that need not be
    zero."""
    unproven: Int64[np.ndarray, "vertex"]
    """Number of signs at each vertex that neither a proof nor an answer tells"""


@part()
def classify(units: Units, sure: bool, first: int, dialogue: Dialogue) -> Signs:
    """`Signs` of the values of units; within their proof, or by estimates if there is none.

    Values that are taken as zero are set to 0, others with the wrong sign to a tiny number of the right one.
    With ``sure``, entries that are 0.0 are zero in exact arithmetic. Zeros of units in words before ``first``
    are not counted: they have cut, and vanish at vertices by construction.
    """
    units, dialogue = borrowed(units), borrowed(dialogue)
    z, scale = units.z, units.scale
    n_vertices, n_units = z.shape
    n_words = max(1, (n_units + 63) // 64)
    positive, negative = (
        np.empty((n_vertices, n_words), np.uint64),
        np.empty((n_vertices, n_words), np.uint64),
    )
    above, below = np.zeros(64 * n_words, np.uint8), np.zeros(64 * n_words, np.uint8)
    above_words, below_words = above.view(np.uint64), below.view(np.uint64)
    proven = len(units.proof) > 0
    factor, column = (1.0, 1) if proven else (MARGIN, 0)
    ranges, doubtful, unproven = _ranges(z), np.zeros(n_vertices, np.bool_), np.zeros(n_vertices, np.int64)
    n_zero, n_open = 0, 0
    for v in range(n_vertices):
        row, bound = z[v], factor * units.around[v, column]
        # Enough for nearly all: no unit changes by more between two vertices than over all of them.
        share = factor * SAFE * (units.shares[v, 2 * column] + units.shares[v, 2 * column + 1])
        for j in range(n_units):
            x, least = row[j], bound * scale[j] + share * ranges[j]
            above[j] = x > least
            below[j] = x < -least
        decided = 0
        for w in range(n_words):
            positive[v, w], negative[v, w] = _pack(above_words, 8 * w), _pack(below_words, 8 * w)
            decided += popcount(positive[v, w]) + popcount(negative[v, w])
        if decided == n_units:
            continue
        doubtful[v] = True
        for j in range(n_units):
            if above[j] or below[j]:
                continue
            sign, is_open = _sign_at(units, v, j, sure or j < 64 * first, dialogue)
            bit = np.uint64(1) << np.uint64(j & 63)
            positive[v, j >> 6] |= bit if sign > 0 else np.uint64(0)
            negative[v, j >> 6] |= bit if sign < 0 else np.uint64(0)
            if j >= 64 * first:
                n_zero += sign == 0
                n_open += is_open
                unproven[v] += is_open
    signs = Signs(positive, negative, n_zero, n_open, unproven)
    # Values stay until all answers are there: 0.0 would look like a sure zero.
    if dialogue.questions.asked[1] == 0:
        _move_to_signs(units, signs, doubtful)
    return signs


@part()
def _move_to_signs(units: Units, signs: Signs, doubtful: Bool[np.ndarray, "vertex"]) -> None:
    """Change the values at some vertices that have another sign than was found, and note by how much."""
    z, scale, moved = units.z, units.scale, units.moved
    any_moved = False
    for v in range(len(z)):
        for j in range(z.shape[1] if doubtful[v] else 0):
            bit = np.uint64(1) << np.uint64(j & 63)
            positive, negative = signs.positive[v, j >> 6] & bit, signs.negative[v, j >> 6] & bit
            x, sign = z[v, j], (1 if positive else 0) - (1 if negative else 0)
            if (x != 0.0 and (sign == 0 or x * sign < 0.0)) or (x == 0.0 and sign != 0):
                z[v, j] = sign * TINY
                moved[v, 0] += x * x
                any_moved = True
                if scale[j] > 0.0:
                    moved[v, 1] = max(moved[v, 1], abs(x) / scale[j])
    if any_moved:
        _tell_around(units)


@part()
def _ranges(z: Float64[np.ndarray, "vertex unit"]) -> Float64[np.ndarray, "unit"]:
    """Difference of the largest and the smallest value of each unit."""
    low, high = np.full(z.shape[1], np.inf), np.full(z.shape[1], -np.inf)
    for v in range(len(z)):
        row = z[v]
        for j in range(len(low)):
            low[j], high[j] = min(low[j], row[j]), max(high[j], row[j])
    for j in range(len(low)):
        high[j] -= low[j]
    return high


@part()
def _sign_at(units: Units, v: int, j: int, sure: bool, dialogue: Dialogue) -> tuple[int, bool]:
    """(sign, whether it is open) of unit j at vertex v."""
    x, proven = units.z[v, j], len(units.proof) > 0
    if units.neighbours[v, 0] == v:
        return int(np.sign(x)), False  # no face has this vertex: only others are interpolated from it
    if proven and x == 0.0:  # no error tells it from zero; where pictures are flat, zeros are most of all
        return _decide_sign(x, units.scale[j], 0.0, sure, v, j, dialogue)
    likely = likely_error(units, v, j)
    error = proven_error(units, v, j) if proven else MARGIN * likely
    if abs(x) > error:
        return (1 if x > 0.0 else -1), False
    if proven:
        return _decide_sign(x, units.scale[j], likely, sure, v, j, dialogue)
    return 0, error > 0.0


@part()
def _decide_sign(
    x: float, scale: float, likely: float, sure: bool, v: int, j: int, dialogue: Dialogue
) -> tuple[int, bool]:
    """(sign, whether it is open) of the value x of unit j at vertex v that its proof leaves open."""
    # Answers first: what was taken as zero since nobody can tell is 0.0 by now, and still open.
    answer = look_up(dialogue.answers, Key(v, SIGN, j, -1))
    if answer < UNKNOWN:
        return answer, False
    if answer > UNKNOWN:
        if x == 0.0 and (sure or scale == 0.0):
            return 0, False
        ask_sign(dialogue.questions, v, j)
    if abs(x) <= MARGIN * likely:
        return 0, True
    return (1 if x > 0.0 else -1), True


@part(forceinline=True)
def _pack(words: UInt64[np.ndarray, "words"], first: int) -> np.uint64:
    """One word of bits from 64 bytes that are 0 or 1, in eight words; a multiplication gathers eight of them
    at a time."""
    result = np.uint64(0)
    for i in range(8):
        result |= ((words[first + i] * np.uint64(0x0102040810204080)) >> np.uint64(56)) << np.uint64(8 * i)
    return result


@part(forceinline=True)
def crossing(za: float, zb: float, bound_a: float, bound_b: float) -> tuple[float, float]:
    """Parameter in (0, 1) at which an affine function with values za, zb of opposite sign vanishes, and its
    estimated error."""
    spread = za - zb
    if spread == 0.0:
        return 0.5, 0.5
    # Strictly between the ends, so that what is not zero at both is not zero there.
    t = min(1.0 - UNIT_ROUNDOFF, max(TINY, za / spread))
    return t, min(1.0, ((1.0 - t) * bound_a + t * bound_b) / abs(spread) + 4.0 * UNIT_ROUNDOFF)


@part(forceinline=True)
def prove_crossing(t: float, za: float, zb: float, proof_a: float, proof_b: float) -> float:
    """Bound of the error of the parameter t of `crossing`, from bounds of the errors of the two values.

    With errors a, b of the values the exact parameter differs from za / (za - zb) by ((1 - t) a + t b) /
    (za - zb - a + b).
    """
    certain = abs(za - zb) * (1.0 - 4.0 * UNIT_ROUNDOFF) - (proof_a + proof_b) * (1.0 + 8.0 * UNIT_ROUNDOFF)
    if certain <= 0.0:
        return 1.0
    return min(
        1.0,
        ((1.0 - t) * proof_a + t * proof_b) / certain * (1.0 + 16.0 * UNIT_ROUNDOFF) + 4.0 * UNIT_ROUNDOFF,
    )


@part(forceinline=True)
def change_of(t: float, quotient: float, step: int, one_point: bool) -> float:
    """Change of a unit's value at a new vertex at t, as a share of its difference between the ends, that
    gives it the sign that it has there.

    It vanishes, by its values, at ``quotient``; in truth at ``one_point`` with the vertex, or before it
    (``step`` < 0) or behind it.
    """
    off = abs(quotient - t) if one_point else max(0.0, step * (t - quotient) + 4.0 * UNIT_ROUNDOFF)
    return off + 4.0 * UNIT_ROUNDOFF if one_point else off


@part(forceinline=True)
def in_order(t_first: float, bound_first: float, t_second: float, bound_second: float) -> bool:
    """Whether the first crossing lies before the second, by estimates."""
    return t_second - t_first > MARGIN * (bound_first + bound_second)


@part()
def order(
    key: Key, p: Point, q: Point, first: Crossing, second: Crossing, dialogue: Dialogue
) -> tuple[int, bool]:
    """(order, whether it is open) of two crossings on the way from p to q: 1 if the first comes first, 0 for
    one point, else -1.

    They are not certainly apart by their proofs.
    """
    answer = look_up(dialogue.answers, key)
    if answer < UNKNOWN:
        return answer, False
    likely = 0
    if in_order(first.t, first.bound, second.t, second.bound):
        likely = 1
    elif in_order(second.t, second.bound, first.t, first.bound):
        likely = -1
    if answer > UNKNOWN:
        ask(dialogue.questions, key, p, q, likely)
    return likely, True
