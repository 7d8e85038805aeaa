"""Chords of one convex face: segments along which units cut it.

They are read from positions round the boundary of the face alone. A cutting unit has two events there, one
rising and one falling, and its chord joins them.
"""

from __future__ import annotations

import numpy as np

from splineviz.geometry.compiled import part
from splineviz.geometry.intrinsics import trailing_zeros
from splineviz.geometry.workspace import Given, Scratch

__all__ = ["find_chords"]


@part(forceinline=True)
def find_chords(f: int, g: Given, s: Scratch) -> tuple[int, int, int]:
    """(ring positions, chords, chords dropped): walk round face ``f``; fill the ring, and the chords by
    ascending first end."""
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
                u = trailing_zeros(zero)
                zero &= zero - np.uint64(1)
                turn = _turn_at_zero(g, start, stop, side, w, np.uint64(u))
                if turn != 0:
                    n_chords = _event(s, n_chords, 64 * w + u, n_ring, turn > 0)
                    events += 1
        s.ring[n_ring].vertex = v
        first, last = g.first_crossing[e], g.first_crossing[e + 1]
        forward = g.edges[e, 0] == v
        part = g.first_part[e] if forward else g.first_part[e + 1] - 1
        step = 1 if forward else -1
        s.ring[n_ring].edge = part
        n_ring += 1
        vertex = -1
        for i in range(last - first):
            k = first + i if forward else last - 1 - i
            if g.crossing[k].vertex != vertex:
                vertex = g.crossing[k].vertex
                part += step
                s.ring[n_ring].vertex = vertex
                s.ring[n_ring].edge = part
                n_ring += 1
            u = g.crossing[k].unit
            rises = (g.positive[v_next, u >> 6] >> np.uint64(u & 63)) & np.uint64(1) != np.uint64(0)
            n_chords = _event(s, n_chords, u, n_ring - 1, rises)
            events += 1
    for c in range(n_chords):
        s.chord_of[s.chord[c].unit] = -1
    kept = _keep_sound(s, n_ring, n_chords)
    return n_ring, kept, n_chords - kept


@part(forceinline=True)
def _turn_at_zero(g: Given, start: int, stop: int, side: int, w: int, bit: np.uint64) -> int:
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


@part(forceinline=True)
def _sign(g: Given, side: int, w: int, bit: np.uint64) -> int:
    """Sign of one unit of word w at the vertex where a side begins."""
    v = g.side_vertex[side]
    above = np.int64((g.positive[v, w] >> bit) & np.uint64(1))
    return int(above - np.int64((g.negative[v, w] >> bit) & np.uint64(1)))


@part(forceinline=True)
def _event(s: Scratch, n_chords: int, unit: int, position: int, rises: bool) -> int:
    """Open the chord of a unit at its first event, close it at the second; a third marks it as unsound.

    Returns how many chords there are then.
    """
    c = s.chord_of[unit]
    if c < 0:
        s.chord_of[unit] = n_chords
        chord = s.chord[n_chords]
        chord.unit, chord.p, chord.q, chord.rising = unit, position, -1, rises
        return n_chords + 1
    s.chord[c].q = position if s.chord[c].q == -1 else -2
    return n_chords


@part(forceinline=True)
def _keep_sound(s: Scratch, n_ring: int, n_chords: int) -> int:
    """Drop chords that leave no area on one side or have no two ends (only where rounding decided signs);
    find twins."""
    kept = 0
    for c in range(n_chords):
        unit, p, q, rising = s.chord[c].unit, s.chord[c].p, s.chord[c].q, s.chord[c].rising
        if q < 0 or q - p < 2 or q - p > n_ring - 2:
            continue
        chord = s.chord[kept]
        chord.unit, chord.p, chord.q, chord.rising, chord.twin, chord.next_twin = unit, p, q, rising, kept, -1
        d = kept - 1
        while d >= 0 and s.chord[d].p == p:
            if s.chord[d].q == q:
                chord.twin, s.chord[d].next_twin = s.chord[d].twin, kept
                break
            d -= 1
        kept += 1
    return kept
