"""The chords of one convex face: where units cut it, in which order they meet, and the faces they leave.

Everything combinatorial is read from positions round the boundary of the face. A cutting unit has two events there, one
rising and one falling, and its chord joins them. Two chords cross if and only if their ends alternate. Round a crossing
the spokes have the cyclic order of the chord ends on the boundary. Only the order of crossings *along* a chord needs
numbers, and those come from values at the chord's ends (`predicates`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from splineviz.geometry.intrinsics import trailing_zeros
from splineviz.geometry.predicates import EPS, crossing, in_order

__all__ = ["Given", "Scratch", "find_chords", "make_scratch", "order_chords"]


class Given(NamedTuple):
    """What is known before the faces are cut: the subdivision, the units at its vertices, the crossings on its edges."""

    offsets: np.ndarray
    side_vertex: np.ndarray
    side_edge: np.ndarray
    edges: np.ndarray
    z: np.ndarray
    scale: np.ndarray
    slack: np.ndarray
    positive: np.ndarray
    negative: np.ndarray
    cut: np.ndarray
    """(F, words) the units with strict signs of both kinds on the face"""
    cross_offsets: np.ndarray
    cross_unit: np.ndarray
    cross_vertex: np.ndarray
    first_part: np.ndarray
    ends: np.ndarray
    t: np.ndarray
    bound: np.ndarray


class Scratch(NamedTuple):
    """Work space for one face, reused for all: sized by the largest."""

    ring_vertex: np.ndarray
    ring_edge: np.ndarray
    chord_of: np.ndarray
    """(units,) chord of a unit on this face, -1 without"""
    unit: np.ndarray
    p: np.ndarray
    q: np.ndarray
    rising: np.ndarray
    """(chords,) whether the unit is positive on the ring from p to q"""
    twin: np.ndarray
    """(chords,) the first chord with the same two ends: itself, unless units coincide"""
    next_twin: np.ndarray
    """(chords,) the next chord with the same two ends, -1 after the last"""
    first: np.ndarray
    """(chords + 1,) CSR offsets of the crossings along each chord"""
    fill: np.ndarray
    other: np.ndarray
    along: np.ndarray
    along_bound: np.ndarray
    pair: np.ndarray
    pair_a: np.ndarray
    pair_b: np.ndarray
    root: np.ndarray
    """(pairs,) union-find: pairs of chords that cross in one point"""


def make_scratch(n_units: int, ring: int, chords: int, pairs: int) -> Scratch:
    """Work space for faces of at most that many ring vertices, chords and crossing pairs."""

    def room(size: int) -> np.ndarray:
        return np.empty(size, np.int64)

    return Scratch(
        ring_vertex=room(ring),
        ring_edge=room(ring),
        chord_of=np.full(n_units, -1, np.int64),
        unit=room(chords),
        p=room(chords),
        q=room(chords),
        rising=np.empty(chords, np.bool_),
        twin=room(chords),
        next_twin=room(chords),
        first=room(chords + 1),
        fill=room(chords),
        other=room(2 * pairs),
        along=np.empty(2 * pairs),
        along_bound=np.empty(2 * pairs),
        pair=room(2 * pairs),
        pair_a=room(pairs),
        pair_b=room(pairs),
        root=room(pairs),
    )


@njit(cache=True, nogil=True, forceinline=True)
def find_chords(f: Any, g: Any, s: Any) -> Any:
    """Walk round face ``f``; fill the ring and the chords, by ascending first end. Returns (ring, chords, dropped)."""
    start, stop = g.offsets[f], g.offsets[f + 1]
    n_ring = 0
    n_chords = 0
    events = 0
    for side in range(start, stop):
        v = g.side_vertex[side]
        v_next = g.side_vertex[side + 1 if side + 1 < stop else start]
        e = g.side_edge[side]
        for w in range(g.cut.shape[1]):
            zero = g.cut[f, w] & ~(g.positive[v, w] | g.negative[v, w])
            while zero != np.uint64(0):
                bit = np.uint64(trailing_zeros(zero))
                zero &= zero - np.uint64(1)
                turn = _turn_at_zero(g, start, stop, side, w, bit)
                if turn != 0:
                    n_chords = _event(s, n_chords, 64 * w + np.int64(bit), n_ring, turn > 0)
                    events += 1
        s.ring_vertex[n_ring] = v
        first, last = g.cross_offsets[e], g.cross_offsets[e + 1]
        forward = g.edges[e, 0] == v
        part = g.first_part[e] if forward else g.first_part[e + 1] - 1
        step = 1 if forward else -1
        s.ring_edge[n_ring] = part
        n_ring += 1
        vertex = -1
        for i in range(last - first):
            k = first + i if forward else last - 1 - i
            if g.cross_vertex[k] != vertex:
                vertex = g.cross_vertex[k]
                part += step
                s.ring_vertex[n_ring] = vertex
                s.ring_edge[n_ring] = part
                n_ring += 1
            u = g.cross_unit[k]
            rises = (g.positive[v_next, u >> 6] >> np.uint64(u & 63)) & np.uint64(1) != np.uint64(0)
            n_chords = _event(s, n_chords, u, n_ring - 1, rises)
            events += 1
    for c in range(n_chords):
        s.chord_of[s.unit[c]] = -1
    kept = _keep_sound(s, n_ring, n_chords)
    return n_ring, kept, n_chords - kept


@njit(cache=True, nogil=True, forceinline=True)
def _turn_at_zero(g: Any, start: Any, stop: Any, side: Any, w: Any, bit: Any) -> Any:
    """+1 or -1 if the unit rises or falls at this zero vertex (the first of a run of zeros), else 0."""
    n = stop - start
    before = _sign(g, start + (side - start - 1 + n) % n, w, bit)
    if before == 0:
        return 0
    for i in range(1, n):
        after = _sign(g, start + (side - start + i) % n, w, bit)
        if after != 0:
            return after if after != before else 0
    return 0


@njit(cache=True, nogil=True, forceinline=True)
def _sign(g: Any, side: Any, w: Any, bit: Any) -> Any:
    v = g.side_vertex[side]
    above = np.int64((g.positive[v, w] >> bit) & np.uint64(1))
    return above - np.int64((g.negative[v, w] >> bit) & np.uint64(1))


@njit(cache=True, nogil=True, forceinline=True)
def _event(s: Any, n_chords: Any, unit: Any, position: Any, rises: Any) -> Any:
    """Open the chord of a unit at its first event, close it at the second; a third marks it as unsound."""
    c = s.chord_of[unit]
    if c < 0:
        s.chord_of[unit] = n_chords
        s.unit[n_chords], s.p[n_chords], s.q[n_chords], s.rising[n_chords] = unit, position, -1, rises
        return n_chords + 1
    s.q[c] = position if s.q[c] == -1 else -2
    return n_chords


@njit(cache=True, nogil=True, forceinline=True)
def _keep_sound(s: Any, n_ring: Any, n_chords: Any) -> Any:
    """Drop chords that leave no area on one side or have no two ends (only where rounding decided signs); find twins."""
    kept = 0
    for c in range(n_chords):
        p, q = s.p[c], s.q[c]
        if q < 0 or q - p < 2 or q - p > n_ring - 2:
            continue
        s.unit[kept], s.p[kept], s.q[kept], s.rising[kept] = s.unit[c], p, q, s.rising[c]
        s.twin[kept], s.next_twin[kept] = kept, -1
        d = kept - 1
        while d >= 0 and s.p[d] == p:
            if s.q[d] == q:
                s.twin[kept], s.next_twin[d] = s.twin[d], kept
                break
            d -= 1
        kept += 1
    return kept


@njit(cache=True, nogil=True, forceinline=True)
def order_chords(g: Any, s: Any, n_chords: Any) -> Any:
    """Find the crossing pairs and their order along every chord. Returns (pairs, orders left open)."""
    n_pairs = _cross_pairs(s, n_chords)
    for c in range(n_chords):
        s.fill[c] = s.first[c]
    for x in range(n_pairs):
        s.root[x] = x
        for c, d in ((s.pair_a[x], s.pair_b[x]), (s.pair_b[x], s.pair_a[x])):
            za, bound_a = _value(g, s.ring_vertex[s.p[c]], s.unit[d])
            zb, bound_b = _value(g, s.ring_vertex[s.q[c]], s.unit[d])
            k = s.fill[c]
            s.fill[c] += 1
            s.other[k], s.pair[k] = d, x
            s.along[k], s.along_bound[k] = crossing(za, zb, bound_a, bound_b)
    n_open = 0
    for c in range(n_chords):
        first, last = s.first[c], s.first[c + 1]
        if last - first > 1:
            _sort_along(s, first, last)
            n_open += _settle(s, c, first, last)
    if n_open:
        _close_gaps(s, n_chords)
    return n_pairs, n_open


@njit(cache=True, nogil=True, forceinline=True)
def _cross_pairs(s: Any, n_chords: Any) -> Any:
    """All pairs of distinct chords whose ends alternate, and the CSR offsets of the crossings along each chord."""
    for c in range(n_chords + 1):
        s.first[c] = 0
    n_pairs = 0
    for c in range(n_chords):
        if s.twin[c] != c:
            continue
        for d in range(c + 1, n_chords):
            if s.p[d] >= s.q[c]:
                break
            if s.twin[d] == d and s.p[d] > s.p[c] and s.q[d] > s.q[c]:
                s.pair_a[n_pairs], s.pair_b[n_pairs] = c, d
                s.first[c + 1] += 1
                s.first[d + 1] += 1
                n_pairs += 1
    for c in range(n_chords):
        s.first[c + 1] += s.first[c]
    return n_pairs


@njit(cache=True, nogil=True, forceinline=True)
def _value(g: Any, v: Any, u: Any) -> Any:
    """Value of unit ``u`` at a vertex of the ring, and its bound."""
    n_old = len(g.z)
    if v < n_old:
        return g.z[v, u], g.scale[u] * g.slack[v]
    k = v - n_old
    a, b = g.ends[k, 0], g.ends[k, 1]
    za, zb = g.z[a, u], g.z[b, u]
    z = za + g.t[k] * (zb - za)
    inherited = g.scale[u] * max(g.slack[a], g.slack[b])
    return z, inherited + g.bound[k] * abs(zb - za) + 4.0 * EPS * max(abs(za), abs(zb))


@njit(cache=True, nogil=True, forceinline=True)
def _sort_along(s: Any, first: Any, last: Any) -> None:
    """Sort the crossings of one chord by parameter."""
    if last - first > 32:
        rank = first + np.argsort(s.along[first:last], kind="mergesort")
        s.other[first:last] = s.other[rank]
        s.pair[first:last] = s.pair[rank]
        s.along_bound[first:last] = s.along_bound[rank]
        s.along[first:last] = s.along[rank]
        return
    for k in range(first + 1, last):
        t, bound, other, pair = s.along[k], s.along_bound[k], s.other[k], s.pair[k]
        i = k
        while i > first and s.along[i - 1] > t:
            _move(s, i - 1, i)
            i -= 1
        s.along[i], s.along_bound[i], s.other[i], s.pair[i] = t, bound, other, pair


@njit(cache=True, nogil=True, forceinline=True)
def _move(s: Any, source: Any, target: Any) -> None:
    s.along[target], s.along_bound[target] = s.along[source], s.along_bound[source]
    s.other[target], s.pair[target] = s.other[source], s.pair[source]


@njit(cache=True, nogil=True, forceinline=True)
def _settle(s: Any, c: Any, first: Any, last: Any) -> Any:
    """Neighbours that the bounds leave open: read from the ring if the two do not cross, else taken as one point."""
    n_open = 0
    k = first + 1
    while k < last:
        if in_order(s.along[k - 1], s.along_bound[k - 1], s.along[k], s.along_bound[k]):
            k += 1
            continue
        d, e = s.other[k - 1], s.other[k]
        between = _pair_of(s, d, e)
        if between >= 0:
            n_open += 1
            _union(s, s.pair[k - 1], s.pair[k])
            _union(s, s.pair[k], between)
        elif not _precedes(s, c, d, e):
            t, bound, pair = s.along[k - 1], s.along_bound[k - 1], s.pair[k - 1]
            _move(s, k, k - 1)
            s.along[k], s.along_bound[k], s.other[k], s.pair[k] = t, bound, d, pair
            # The two now share the later parameter, so that the list stays sorted and this pair settled.
            s.along[k - 1] = s.along[k] = max(s.along[k - 1], s.along[k])
            k = max(first + 1, k - 1)
            continue
        k += 1
    return n_open


@njit(cache=True, nogil=True)
def _pair_of(s: Any, d: Any, e: Any) -> Any:
    """The crossing of chords d and e, or -1."""
    for k in range(s.first[d], s.first[d + 1]):
        if s.other[k] == e:
            return s.pair[k]
    return -1


@njit(cache=True, nogil=True)
def _precedes(s: Any, c: Any, d: Any, e: Any) -> Any:
    """Whether, along c from p to q, chord d is met before e, where d and e do not cross inside the face."""
    p, q = s.p[c], s.q[c]
    d_inside, d_outside = (s.p[d], s.q[d]) if p < s.p[d] < q else (s.q[d], s.p[d])
    e_inside, e_outside = (s.p[e], s.q[e]) if p < s.p[e] < q else (s.q[e], s.p[e])
    if d_inside != e_inside:
        return d_inside < e_inside
    # Both leave the ring at one vertex: the other ends decide, met in descending order from p on the far side.
    d_far = d_outside if d_outside < p else d_outside - (1 << 40)
    e_far = e_outside if e_outside < p else e_outside - (1 << 40)
    return d_far > e_far


@njit(cache=True, nogil=True)
def _find(root: Any, x: Any) -> Any:
    while root[x] != x:
        root[x] = root[root[x]]
        x = root[x]
    return x


@njit(cache=True, nogil=True)
def _union(s: Any, x: Any, y: Any) -> None:
    x, y = _find(s.root, x), _find(s.root, y)
    s.root[max(x, y)] = min(x, y)


@njit(cache=True, nogil=True)
def _close_gaps(s: Any, n_chords: Any) -> None:
    """Make the points taken as one consistent: two chords through a point cross nowhere else, and each meets it once."""
    changed = True
    while changed:
        changed = False
        for c in range(n_chords):
            for k in range(s.first[c], s.first[c + 1]):
                for later in range(s.first[c + 1] - 1, k, -1):
                    if _find(s.root, s.pair[later]) == _find(s.root, s.pair[k]):
                        changed |= _join_between(s, k, later)
                        break
    for c in range(n_chords):
        for k in range(s.first[c], s.first[c + 1]):
            s.root[s.pair[k]] = _find(s.root, s.pair[k])


@njit(cache=True, nogil=True)
def _join_between(s: Any, k: Any, later: Any) -> Any:
    """Join all that lies between two meetings of one chord with one point, and the crossings among those chords."""
    changed = False
    for i in range(k + 1, later + 1):
        among = _pair_of(s, s.other[k], s.other[i])
        for x in (s.pair[i], among if among >= 0 else s.pair[i]):
            if _find(s.root, x) != _find(s.root, s.pair[k]):
                _union(s, x, s.pair[k])
                changed = True
    return changed
