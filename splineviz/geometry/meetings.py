"""Where the chords of one face meet.

Two chords cross if and only if their ends alternate round the boundary. Only the order of crossings *along* a chord needs
numbers, and those come from values at the chord's ends (`predicates`); where they leave it open, two chords that do not cross
each other are ordered by their ends, and three that do are taken as concurrent.
"""

from __future__ import annotations

from typing import Any

from splineviz.geometry.coincidences import close_gaps, pair_of, union
from splineviz.geometry.compiled import part
from splineviz.geometry.predicates import EPS, crossing, in_order

__all__ = ["order_chords"]


@part(forceinline=True)
def order_chords(g: Any, s: Any, n_chords: Any) -> Any:
    """Find the crossing pairs and their order along every chord. Returns (pairs, orders left open)."""
    n_pairs = _cross_pairs(s, n_chords)
    for c in range(n_chords):
        s.chord[c].fill = s.chord[c].first
    for x in range(n_pairs):
        s.pair[x].root, s.pair[x].member = x, x
        for c, d in ((s.pair[x].c, s.pair[x].d), (s.pair[x].d, s.pair[x].c)):
            za, bound_a = _value(g, s.ring[s.chord[c].p].vertex, s.chord[d].unit)
            zb, bound_b = _value(g, s.ring[s.chord[c].q].vertex, s.chord[d].unit)
            k = s.chord[c].fill
            s.chord[c].fill += 1
            s.meeting[k].other, s.meeting[k].pair = d, x
            s.meeting[k].t, s.meeting[k].bound = crossing(za, zb, bound_a, bound_b)
    n_open = 0
    for c in range(n_chords):
        first, last = s.chord[c].first, s.chord[c + 1].first
        if last - first > 1:
            _sort_along(s, first, last)
            n_open += _settle(s, c, first, last)
    if n_open:
        close_gaps(s, n_chords, n_pairs)
    return n_pairs, n_open


@part(forceinline=True)
def _cross_pairs(s: Any, n_chords: Any) -> Any:
    """All pairs of distinct chords whose ends alternate, and the CSR offsets of the crossings along each chord."""
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
def _value(g: Any, v: Any, u: Any) -> Any:
    """Value of unit ``u`` at a vertex of the ring, and its bound."""
    n_old = len(g.z)
    if v < n_old:
        return g.z[v, u], g.scale[u] * g.slack[v]
    k = v - n_old
    a, b, t, bound = g.birth[k].a, g.birth[k].b, g.birth[k].t, g.birth[k].bound
    za, zb = g.z[a, u], g.z[b, u]
    z = za + t * (zb - za)
    inherited = g.scale[u] * ((1.0 - t) * g.slack[a] + t * g.slack[b])
    return z, inherited + bound * abs(zb - za) + EPS * max(abs(za), abs(zb))


@part(forceinline=True)
def _sort_along(s: Any, first: Any, last: Any) -> None:
    """Sort the meetings of one chord by parameter (Shell's method: short lists are the rule, long ones must not be slow)."""
    gap = 1
    while 3 * gap + 1 < last - first:
        gap = 3 * gap + 1
    while gap > 0:
        for k in range(first + gap, last):
            m = s.meeting[k]
            t, bound, other, pair = m.t, m.bound, m.other, m.pair
            i = k
            while i - gap >= first and s.meeting[i - gap].t > t:
                _move(s, i - gap, i)
                i -= gap
            _put(s, i, t, bound, other, pair)
        gap //= 3


@part(forceinline=True)
def _put(s: Any, k: Any, t: Any, bound: Any, other: Any, pair: Any) -> None:
    m = s.meeting[k]
    m.t, m.bound, m.other, m.pair = t, bound, other, pair


@part(forceinline=True)
def _move(s: Any, source: Any, target: Any) -> None:
    m = s.meeting[source]
    _put(s, target, m.t, m.bound, m.other, m.pair)


@part(forceinline=True)
def _settle(s: Any, c: Any, first: Any, last: Any) -> Any:
    """Neighbours that the bounds leave open: read from the ring if the two do not cross, else taken as one point."""
    n_open = 0
    k = first + 1
    while k < last:
        if in_order(s.meeting[k - 1].t, s.meeting[k - 1].bound, s.meeting[k].t, s.meeting[k].bound):
            k += 1
            continue
        d, e = s.meeting[k - 1].other, s.meeting[k].other
        between = pair_of(s, d, e)
        if between >= 0:
            n_open += 1
            union(s, s.meeting[k - 1].pair, s.meeting[k].pair)
            union(s, s.meeting[k].pair, between)
        elif not _precedes(s, c, d, e):
            bound, pair = s.meeting[k - 1].bound, s.meeting[k - 1].pair
            _move(s, k, k - 1)
            _put(s, k, s.meeting[k].t, bound, d, pair)
            # Both now have the later parameter, so that the list stays sorted and this pair settled.
            k = max(first + 1, k - 1)
            continue
        k += 1
    return n_open


@part()
def _precedes(s: Any, c: Any, d: Any, e: Any) -> Any:
    """Whether, along c from p to q, chord d is met before e, where d and e do not cross inside the face."""
    p, q = s.chord[c].p, s.chord[c].q
    d_inside, d_outside = (s.chord[d].p, s.chord[d].q) if p < s.chord[d].p < q else (s.chord[d].q, s.chord[d].p)
    e_inside, e_outside = (s.chord[e].p, s.chord[e].q) if p < s.chord[e].p < q else (s.chord[e].q, s.chord[e].p)
    if d_inside != e_inside:
        return d_inside < e_inside
    # Both leave the ring at one vertex: the other ends decide, met in descending order from p on the far side.
    d_far = d_outside if d_outside < p else d_outside - (1 << 40)
    e_far = e_outside if e_outside < p else e_outside - (1 << 40)
    return d_far > e_far
