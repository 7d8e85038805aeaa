"""Crossings of the chords of one face.

Two chords cross if and only if their ends alternate round the boundary. Only the order of crossings *along* a
chord needs numbers, and those come from values at the chord's ends (`predicates`); where they leave it open,
two chords that do not cross each other are ordered by their ends, and three that do are taken as concurrent.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from splineviz.geometry.coincidences import close_gaps, find, pair_of, union
from splineviz.geometry.compiled import part
from splineviz.geometry.predicates import (
    Crossing,
    change_of,
    crossing,
    in_order,
    likely_error,
    order,
    prove_crossing,
    proven_error,
)
from splineviz.geometry.questions import UNKNOWN, Dialogue, Key, Point, look_up
from splineviz.geometry.rounding import UNIT_ROUNDOFF
from splineviz.geometry.strays import nominal_value
from splineviz.geometry.workspace import Given, Scratch

__all__ = ["moved_at", "order_chords"]


@part(forceinline=True)
def order_chords(f: int, g: Given, s: Scratch, n_chords: int, dialogue: Dialogue) -> tuple[int, int, int]:
    """(pairs, crossings joined, orders left open): the pairs of chords of face ``f`` that cross, in order
    along every chord."""
    n_pairs = _cross_pairs(s, n_chords)
    for c in range(n_chords):
        s.chord[c].fill, s.chord[c].through, s.chord[c].asked = s.chord[c].first, -1, False
        s.chord[c].late = 0.0
    for x in range(n_pairs):
        s.pair[x].root, s.pair[x].member = x, x
        for c, d in ((s.pair[x].c, s.pair[x].d), (s.pair[x].d, s.pair[x].c)):
            za, bound_a, proof_a = _value_on_ring(g, s.ring[s.chord[c].p].vertex, s.chord[d].unit)
            zb, bound_b, proof_b = _value_on_ring(g, s.ring[s.chord[c].q].vertex, s.chord[d].unit)
            k = s.chord[c].fill
            s.chord[c].fill += 1
            m = s.crossing[k]
            m.other, m.pair = d, x
            m.t, m.bound = crossing(za, zb, bound_a, bound_b)
            m.proof, m.nominal_proof = 0.0, 0.0
            _, slack_a, sure_a = nominal_value(g.birth, g.units, s.ring[s.chord[c].p].vertex, s.chord[d].unit)
            _, slack_b, sure_b = nominal_value(g.birth, g.units, s.ring[s.chord[c].q].vertex, s.chord[d].unit)
            _, m.nominal = crossing(za, zb, slack_a, slack_b)
            if len(g.units.proof):
                m.proof = prove_crossing(m.t, za, zb, proof_a, proof_b)
                m.nominal_proof = prove_crossing(m.t, za, zb, sure_a, sure_b)
            m.quotient, m.span = m.t, abs(za - zb)
    n_joined, n_open = 0, 0
    for c in range(n_chords):
        first, last = s.chord[c].first, s.chord[c + 1].first
        if last - first > 1:
            _sort_along(s, first, last)
            joined, left_open = _order_neighbours(f, g, s, c, first, last, dialogue)
            n_joined += joined
            n_open += left_open
    if n_joined:
        close_gaps(s, n_chords, n_pairs)
    return n_pairs, n_joined, n_open


@part(forceinline=True)
def _cross_pairs(s: Scratch, n_chords: int) -> int:
    """Fill all pairs of distinct chords whose ends alternate, and the CSR offsets of the crossings along each
    chord; returns how many pairs."""
    for c in range(n_chords + 1):
        s.chord[c].first = 0
    n_pairs = 0
    for c in range(n_chords):
        s.chord[c].pairs = n_pairs
        if s.chord[c].twin != c:
            continue
        for d in range(c + 1, n_chords):
            if s.chord[d].p >= s.chord[c].q:
                break
            if s.chord[d].twin == d and s.chord[d].p > s.chord[c].p and s.chord[d].q > s.chord[c].q:
                s.pair[n_pairs].c, s.pair[n_pairs].d = c, d
                s.chord[c + 1].first += 1
                s.chord[d + 1].first += 1
                n_pairs += 1
    for c in range(n_chords):
        s.chord[c + 1].first += s.chord[c].first
    s.chord[n_chords].pairs = n_pairs
    return n_pairs


@part(forceinline=True)
def _value_on_ring(g: Given, v: int, u: int) -> tuple[float, float, float]:
    """Value of unit ``u`` at a vertex of the ring; its error there, estimated and proven."""
    units = g.units
    n_old, proven = len(units.z), len(units.proof) > 0
    if v < n_old:
        return units.z[v, u], likely_error(units, v, u), proven_error(units, v, u) if proven else 0.0
    born = g.birth[v - n_old]
    a, b, t = born.a, born.b, born.t
    za, zb = units.z[a, u], units.z[b, u]
    z, step, size = za + t * (zb - za), abs(zb - za), max(abs(za), abs(zb))
    bound = (
        (1.0 - t) * likely_error(units, a, u)
        + t * likely_error(units, b, u)
        + born.bound * step
        + UNIT_ROUNDOFF * size
    )
    proof = 0.0
    if proven:
        rounded = 8.0 * UNIT_ROUNDOFF * size
        # Where exactly between a and b it lies is known up to the error of t; either end bounds what is
        # inherited.
        proof = max(proven_error(units, a, u), proven_error(units, b, u)) + born.proof * step + rounded
        proof *= 1.0 + 16.0 * UNIT_ROUNDOFF
    return z, bound, proof


@part()
def moved_at(g: Given, s: Scratch, c: int, k: int) -> tuple[float, float]:
    """(norm of all changes, largest one over the scale of its unit) of values that units should not have
    where the k-th crossing lies, on chord c: its own, those that cross there too, and those that cross before
    or behind it and have another sign by their values."""
    here, scale, near = s.crossing[k], g.units.scale, s.chord[c].late + 4.0 * UNIT_ROUNDOFF
    squares, share = 0.0, 0.0
    for step in (-1, 1):
        i = k if step < 0 else k + 1
        while s.chord[c].first <= i < s.chord[c + 1].first:
            m = s.crossing[i]
            one_point = s.pair[m.pair].root == s.pair[here.pair].root
            if not one_point and abs(m.t - here.t) > near:
                break
            change = change_of(here.t, m.quotient, step, one_point) * m.span
            squares += change * change
            unit = s.chord[m.other].unit
            if scale[unit] > 0.0:
                share = max(share, change / scale[unit])
            i += step
    return np.sqrt(squares), share


@part(forceinline=True)
def _sort_along(s: Scratch, first: int, last: int) -> None:
    """Sort the crossings of one chord by parameter (Shell's method: short lists are the rule, long ones must
    not be slow)."""
    gap = 1
    while 3 * gap + 1 < last - first:
        gap = 3 * gap + 1
    while gap > 0:
        for k in range(first + gap, last):
            spare = len(s.crossing) - 1
            _move(s, k, spare)
            t, i = s.crossing[spare].t, k
            while i - gap >= first and s.crossing[i - gap].t > t:
                _move(s, i - gap, i)
                i -= gap
            _move(s, spare, i)
        gap //= 3


@part(forceinline=True)
def _move(s: Scratch, source: int, target: int) -> None:
    """Copy a row of `records.CHORD_CROSSING`; the last row is spare."""
    m, out = s.crossing[source], s.crossing[target]
    out.other, out.pair, out.t, out.bound, out.proof = m.other, m.pair, m.t, m.bound, m.proof
    out.nominal, out.nominal_proof = m.nominal, m.nominal_proof
    out.quotient, out.span = m.quotient, m.span


@part(forceinline=True)
def _order_neighbours(
    f: int, g: Given, s: Scratch, c: int, first: int, last: int, dialogue: Dialogue
) -> tuple[int, int]:
    """(joined, open): put the crossings of chord c in order where bounds leave neighbours open.

    Their order is read from the ring if the two do not cross; else it is asked for, or, without proofs, they
    are one point.
    """
    n_joined, n_open, proven = 0, 0, len(g.units.proof) > 0
    k = first + 1
    while k < last:
        m, n = s.crossing[k - 1], s.crossing[k]
        apart = n.t - m.t > m.proof + n.proof if proven else in_order(m.t, m.bound, n.t, n.bound)
        if apart:
            k += 1
            continue
        d, e = m.other, n.other
        between = pair_of(s, d, e)
        if between < 0:
            before = 1 if _precedes(s, c, d, e) else -1
        elif proven and _pass_through_one(s, c, d, e):
            before = 0
        elif proven:
            before, is_open = _order_exactly(f, g, s, c, m, n, dialogue)
            n_open += is_open
        else:
            before = 0
            n_open += 1
        if before == 0:
            n_joined += 1
            union(s, m.pair, n.pair)
            union(s, n.pair, between)
            s.chord[c].through, s.chord[d].through, s.chord[e].through = between, between, between
        elif before < 0:
            bound, proof = max(m.bound, n.bound) if proven else m.bound, max(m.proof, n.proof)
            spare = len(s.crossing) - 1
            _move(s, k - 1, spare)
            _move(s, k, k - 1)
            _move(s, spare, k)
            # Both now have the later parameter, so that the list stays sorted and this pair in order; see
            # `edge_crossings`.
            s.crossing[k].t, s.crossing[k].bound, s.crossing[k].proof = s.crossing[k - 1].t, bound, proof
            s.chord[c].late = max(s.chord[c].late, s.crossing[k].t - s.crossing[k].quotient)
            k = max(first + 1, k - 1)
            continue
        k += 1
    return n_joined, n_open


@part()
def _pass_through_one(s: Scratch, c: int, d: int, e: int) -> bool:
    """Whether it is known of three chords that they pass through one point."""
    x, y, z = s.chord[c].through, s.chord[d].through, s.chord[e].through
    if x < 0 or y < 0 or z < 0:
        return False
    x = find(s, x)
    return x == find(s, y) and x == find(s, z)


@part()
def _order_exactly(
    f: int, g: Given, s: Scratch, c: int, m: Any, n: Any, dialogue: Dialogue
) -> tuple[int, bool]:
    """`predicates.order` of two crossings on chord c of face f, rows of `records.CHORD_CROSSING`.

    Of many chords through one point, all triples are open, and answers for those of one chord imply the
    others. So what is about chords that are all in a question already waits for the next run.
    """
    chord, first, second = s.chord[c], s.chord[m.other], s.chord[n.other]
    key = Key(f, chord.unit, first.unit, second.unit)
    answer = look_up(dialogue.answers, key)
    if answer > UNKNOWN and chord.asked and first.asked and second.asked:
        dialogue.questions.asked[1] += 1
        return 1, True
    if answer > UNKNOWN:
        chord.asked, first.asked, second.asked = True, True, True
    p, q = _point(g, s.ring[chord.p].vertex), _point(g, s.ring[chord.q].vertex)
    before, after = Crossing(m.t, m.bound, m.proof), Crossing(n.t, n.bound, n.proof)
    return order(key, p, q, before, after, dialogue)


@part(forceinline=True)
def _point(g: Given, v: int) -> Point:
    """A vertex of the ring as a point of `questions.QUESTION`."""
    if v < len(g.units.z):
        return Point(v, v, -1)
    born = g.birth[v - len(g.units.z)]
    return Point(born.a, born.b, born.unit)


@part()
def _precedes(s: Scratch, c: int, d: int, e: int) -> bool:
    """Whether chord c, from p to q, crosses d before e, where d and e do not cross inside the face."""
    p, q = s.chord[c].p, s.chord[c].q
    d_inside, d_outside = (
        (s.chord[d].p, s.chord[d].q) if p < s.chord[d].p < q else (s.chord[d].q, s.chord[d].p)
    )
    e_inside, e_outside = (
        (s.chord[e].p, s.chord[e].q) if p < s.chord[e].p < q else (s.chord[e].q, s.chord[e].p)
    )
    if d_inside != e_inside:
        return bool(d_inside < e_inside)
    # Both leave the ring at one vertex: the other ends decide, in descending order from p on the far
    # side.
    d_far = d_outside if d_outside < p else d_outside - (1 << 40)
    e_far = e_outside if e_outside < p else e_outside - (1 << 40)
    return bool(d_far > e_far)
