"""Crossings of chords that are taken as one point: union-find over pairs of chords, and what follows from it.

Where some crossings are one point, others must be, or nothing planar has them: a chord passes through a point
once, and two chords through one point cross nowhere else.
"""

from __future__ import annotations

from splineviz.geometry.compiled import part
from splineviz.geometry.workspace import Scratch

__all__ = ["close_gaps", "find", "pair_of", "union"]


@part()
def pair_of(s: Scratch, d: int, e: int) -> int:
    """The crossing of chords d and e, or -1. The pairs of a chord with later ones follow each other in their
    order."""
    lower, upper = min(d, e), max(d, e)
    first, last = s.chord[lower].pairs, s.chord[lower + 1].pairs
    while first < last:
        middle = (first + last) // 2
        if s.pair[middle].d < upper:
            first = middle + 1
        else:
            last = middle
    return first if first < s.chord[lower + 1].pairs and s.pair[first].d == upper else -1


@part()
def find(s: Scratch, x: int) -> int:
    """The crossing that stands for the point of another."""
    while s.pair[x].root != x:
        s.pair[x].root = s.pair[s.pair[x].root].root
        x = s.pair[x].root
    return x


@part()
def union(s: Scratch, x: int, y: int) -> bool:
    """Take two crossings as one point; whether they were two before."""
    x, y = find(s, x), find(s, y)
    if x == y:
        return False
    s.pair[max(x, y)].root = min(x, y)
    s.pair[x].member, s.pair[y].member = s.pair[y].member, s.pair[x].member
    return True


@part()
def close_gaps(s: Scratch, n_chords: int, n_pairs: int) -> None:
    """Join until each chord passes through a point once, and chords through one point cross nowhere else."""
    changed = True
    while changed:
        changed = False
        for c in range(n_chords):
            changed |= _join_between(s, s.chord[c].first, s.chord[c + 1].first)
        for c in range(n_chords):
            s.chord[c].fill = -1
        for x in range(n_pairs):
            if s.pair[x].root == x and s.pair[x].member != x:
                changed |= _join_among(s, x)
    for x in range(n_pairs):
        s.pair[x].root = find(s, x)


@part()
def _join_between(s: Scratch, first: int, last: int) -> bool:
    """Along one chord, join with a point all that lies between two crossings there."""
    changed = False
    # `node` is free as yet: at each root it holds the last crossing of this chord there.
    for k in range(first, last):
        s.pair[find(s, s.crossing[k].pair)].node = k
    k = first
    while k < last:
        end = s.pair[find(s, s.crossing[k].pair)].node
        i = k + 1
        while i <= end:
            end = max(end, s.pair[find(s, s.crossing[i].pair)].node)
            changed |= union(s, s.crossing[k].pair, s.crossing[i].pair)
            i += 1
        k = i
    return changed


@part()
def _join_among(s: Scratch, point: int) -> bool:
    """Join with a point the crossings among all chords through it."""
    changed = False
    # `fill` is free by now: it marks the chords through the point, and those whose crossings have been looked
    # through.
    y = point
    while True:
        s.chord[s.pair[y].c].fill, s.chord[s.pair[y].d].fill = point, point
        y = s.pair[y].member
        if y == point:
            break
    while True:
        for c in (s.pair[y].c, s.pair[y].d):
            if s.chord[c].fill == point:
                s.chord[c].fill = -2 - point
                for k in range(s.chord[c].first, s.chord[c + 1].first):
                    mark = s.chord[s.crossing[k].other].fill
                    if mark in (point, -2 - point):
                        changed |= union(s, point, s.crossing[k].pair)
        y = s.pair[y].member
        if y == point:
            return changed
