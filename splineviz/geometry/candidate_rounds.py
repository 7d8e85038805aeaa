"""One round of a refinement by maxima: every window compares its largest value so far with one further
candidate."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64, UInt64

from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.intrinsics import popcount, trailing_zeros
from splineviz.geometry.predicates import TINY
from splineviz.geometry.rounding import FLOOR, SAFE, UNIT_ROUNDOFF

__all__ = ["IN_WORK", "Entries", "EntryErrors", "Signs", "Turn", "compare_candidates", "interpolate_entries"]
__all__ += ["label_edges", "largest_after", "winners_after"]

IN_WORK = -2
"""Stage of edges that a later round may yet take away"""

_FAR = 1e300
"""Farther from zero than any error"""


class Entries(NamedTuple):
    """Values of all entries at the vertices that are left; kept in two tables, so that the larger is not
    copied when vertices are born."""

    base: Float64[np.ndarray, "old entry"]
    """At the vertices before all rounds"""
    fresh: Float64[np.ndarray, "room entry"]
    """At those that rounds have made, with room to spare"""
    row_of: Int64[np.ndarray, "vertex"]
    """Row of each vertex, counted through base and then fresh"""


class EntryErrors(NamedTuple):
    """Errors of the entries, and of the largest ones so far, by row of `Entries`: at the nominal places of
    vertices (`places`)."""

    slack: Float64[np.ndarray, "row"]
    """Estimated, times the scale of an entry"""
    whole: Float64[np.ndarray, "row"]
    """Estimated, of all entries as one vector"""
    proven_slack: Float64[np.ndarray, "row"]
    """Proven, times the scale of an entry; empty where nothing is"""
    proof: Float64[np.ndarray, "row"]
    """Proven, of all entries as one vector; likewise"""


class Turn(NamedTuple):
    """Candidates of one round, window by window."""

    place: Int64[np.ndarray, "window"]
    """Number of the candidate within its window, -1 for none"""
    entries: Int64[np.ndarray, "window"]
    """Entry of the candidate, -1 for none"""
    by_entry: Int64[np.ndarray, "window"]
    """The windows sorted by the entry of their candidate"""
    entered: Bool[np.ndarray, "window"]
    """Whether the window has had a candidate before"""


class Signs(NamedTuple):
    """Where the candidates of one round are above the largest so far, as decided."""

    z: Float64[np.ndarray, "old window"]
    """Its sign, at the vertices before the round"""
    offsets: Int64[np.ndarray, "face+1"]
    side_vertex: Int64[np.ndarray, "side"]
    """Corners of the faces after it"""
    on: UInt64[np.ndarray, "face word"]
    """Bit set of the windows whose candidate is not below anywhere on a face"""


@kernel
def interpolate_entries(
    entries: Entries,
    n_fresh: int,
    birth: np.ndarray,
    scale: Float64[np.ndarray, "entry"],
    errors: EntryErrors,
) -> None:
    """Fill the rows of ``fresh`` from ``n_fresh`` on, and their errors: at the vertices of ``birth``, whose
    ends are rows of `Entries`."""
    base, fresh = entries.base, entries.fresh
    slack, whole, proven_slack, proof = errors
    n_base, width = base.shape
    for k in range(len(birth)):
        i, j, t, v = birth[k].a, birth[k].b, birth[k].t, n_base + n_fresh + k
        a = base[i] if i < n_base else fresh[i - n_base]
        b = base[j] if j < n_base else fresh[j - n_base]
        row = fresh[n_fresh + k]
        steps = 0.0
        squares = 0.0
        step_share = 0.0
        share = 0.0
        for c in range(width):
            step = b[c] - a[c]
            row[c] = _between(a[c], b[c], t)
            steps += step * step
            squares += row[c] * row[c]
            if scale[c] > 0.0:
                step_share = max(step_share, abs(step) / scale[c])
                share = max(share, abs(row[c]) / scale[c])
        spread, norm = np.sqrt(steps), np.sqrt(squares)
        inherited = (1.0 - t) * whole[i] + t * whole[j]
        whole[v] = np.hypot(inherited, 2.0 * birth[k].moved) + 2.0 * UNIT_ROUNDOFF * (norm + spread)
        rounded = 2.0 * UNIT_ROUNDOFF * (share + step_share) + 2.0 * birth[k].share
        slack[v] = (1.0 - t) * slack[i] + t * slack[j] + rounded
        if len(proof):
            proven_slack[v] = SAFE * (max(proven_slack[i], proven_slack[j]) + 2.0 * rounded + FLOOR)
            rounded = 4.0 * UNIT_ROUNDOFF * (norm + spread) + 2.0 * birth[k].moved + FLOOR
            proof[v] = SAFE * (max(proof[i], proof[j]) + rounded)


@part()
def _between(a: float, b: float, t: float) -> float:
    """Interpolated value: 0.0 only where both ends are, so that what is 0.0 by rounding is not taken for
    zero."""
    x = a + t * (b - a)
    return x if x != 0.0 or (a == 0.0 and b == 0.0) else TINY


@kernel
def compare_candidates(
    entries: Entries,
    turn: Turn,
    top: Float64[np.ndarray, "vertex window"],
    scale: Float64[np.ndarray, "window"],
    errors: EntryErrors,
    sure: bool,
    in_faces: Bool[np.ndarray, "vertex"],
) -> tuple[Float64[np.ndarray, "vertex window"], int, int]:
    """(z, equal, doubtful): how far the candidate of every window is above its largest so far, ``top``.

    A window without a candidate in this round keeps what it has, one that had none so far takes it. ``equal``
    counts those that are equal bit for bit, ``doubtful`` those of them whose error, ``scale`` times slack, is
    above zero. With proofs, only the difference of two entries that are 0.0 is 0, if they are ``sure`` to be
    zero, or of two that have no error.
    """
    base, fresh, row_of = entries
    slack, _, proven, _ = errors
    candidate = turn.entries
    n_windows = len(candidate)
    z = np.empty(top.shape)
    forced = np.where(candidate < 0, -_FAR, np.where(turn.entered, 0.0, _FAR))
    equal, doubtful = 0, 0
    for v in range(len(row_of)):
        r, here, out = row_of[v], top[v], z[v]
        row = base[r] if r < len(base) else fresh[r - len(base)]
        same, scaled = 0, 0
        for w in range(n_windows):
            difference = row[max(candidate[w], 0)] - here[w]
            ties = difference == 0.0 and forced[w] == 0.0
            same += ties
            scaled += ties and scale[w] > 0.0
            if len(proven):
                certain = scale[w] * proven[r] == 0.0 or (sure and here[w] == 0.0)
                difference = difference if difference != 0.0 or certain else TINY
            out[w] = difference if forced[w] == 0.0 else forced[w]
        equal += same
        doubtful += scaled if slack[r] > 0.0 and in_faces[v] else 0
    return z, equal, doubtful


@kernel
def largest_after(
    entries: Entries,
    turn: Turn,
    top: Float64[np.ndarray, "vertex window"],
    signs: Signs,
    birth: np.ndarray,
    made: np.ndarray,
    kept: Int64[np.ndarray, "kept"],
    scale: Float64[np.ndarray, "entry"],
    proven: bool,
) -> Float64[np.ndarray, "kept window"]:
    """The largest of every window after a round, at those of the old vertices and of ``birth`` that are
    ``kept``.

    ``entries`` has the rows of all of these, ``top`` is the largest so far at the old ones, and ``made`` has
    the rows of `records.VANISHING`: the windows that tie at new vertices by construction. There a candidate
    takes the very value of the largest so far, in all windows that share this candidate: then windows that
    compare the same two entries later do so with the same numbers, and what coincides in exact arithmetic
    coincides bit for bit. Of an entry with no error, ``scale`` 0, it is the other way round. With proofs,
    nothing takes a value only because it had the same as something that does: that may be by chance.

    Which of the two is larger is what was decided, not what their numbers say: the larger one may be known
    with an error that hides it behind a 0.0 that is zero.
    """
    base, fresh, row_of = entries
    candidate = turn.entries
    n_old, n_windows = top.shape
    out = np.empty((len(kept), n_windows))
    below = np.empty((len(birth), n_windows))
    for k in range(len(birth)):
        a, b, t = birth[k].a, birth[k].b, birth[k].t
        low, high = top[a] if a < n_old else below[a - n_old], top[b] if b < n_old else below[b - n_old]
        for w in range(n_windows):
            below[k, w] = _between(low[w], high[w], t)
    rival = np.empty((len(birth), n_windows))
    for k in range(len(birth)):
        row = fresh[row_of[n_old + k] - len(base)]
        for w in range(n_windows):
            rival[k, w] = row[max(candidate[w], 0)]
    _share_ties(rival, below, turn, made, n_old, scale, proven)
    face_of = _some_face(signs, n_old, len(birth))
    for i in range(len(kept)):
        v = kept[i]
        if v < n_old:
            row = base[row_of[v]] if row_of[v] < len(base) else fresh[row_of[v] - len(base)]
            for w in range(n_windows):
                x, above = row[max(candidate[w], 0)], signs.z[v, w]
                # Of two that tie the one that is known to be zero is known better.
                out[i, w] = x if above > 0.0 or (above == 0.0 and x == 0.0) else top[v, w]
        else:
            on = signs.on[face_of[v - n_old]]
            for w in range(n_windows):
                wins = (on[w >> 6] >> np.uint64(w & 63)) & np.uint64(1)
                out[i, w] = rival[v - n_old, w] if wins else below[v - n_old, w]
    return out


@part()
def _some_face(signs: Signs, n_old: int, n_new: int) -> Int64[np.ndarray, "new"]:
    """A face that each new vertex is a corner of."""
    face_of = np.zeros(n_new, np.int64)
    for f in range(len(signs.on)):
        for k in range(signs.offsets[f], signs.offsets[f + 1]):
            if signs.side_vertex[k] >= n_old:
                face_of[signs.side_vertex[k] - n_old] = f
    return face_of


@part()
def _share_ties(
    rival: Float64[np.ndarray, "new window"],
    top: Float64[np.ndarray, "new window"],
    turn: Turn,
    made: np.ndarray,
    n_old: int,
    scale: Float64[np.ndarray, "entry"],
    proven: bool,
) -> None:
    """Give candidates that tie by construction the value that they tie with, in all windows that share
    them; but what ties with a candidate that has no error takes that one's."""
    entries, by_entry = turn.entries, turn.by_entry
    n_windows = len(entries)
    sorted_entries = entries[by_entry]
    shared = np.zeros(rival.shape, np.bool_)
    for row in range(len(made)):
        k, entry = made[row].vertex - n_old, entries[made[row].unit]
        value = top[k, made[row].unit]
        if scale[entry] == 0.0:
            top[k, made[row].unit] = rival[k, made[row].unit]
            continue
        i = np.searchsorted(sorted_entries, entry)
        if shared[k, by_entry[i]]:
            # Two that the candidate ties with tie with each other, in whichever windows they are.
            one = rival[k, by_entry[i]]
            for w in range(n_windows if one != value and not proven else 0):
                top[k, w] = one if top[k, w] == value else top[k, w]
                rival[k, w] = one if rival[k, w] == value else rival[k, w]
            continue
        while i < n_windows and sorted_entries[i] == entry:
            rival[k, by_entry[i]], shared[k, by_entry[i]] = value, True
            i += 1


@kernel
def winners_after(
    winners: UInt64[np.ndarray, "parent plane*word"],
    parent: Int64[np.ndarray, "face"],
    on: UInt64[np.ndarray, "face word"],
    turn: Turn,
    z: Float64[np.ndarray, "vertex window"],
    offsets: Int64[np.ndarray, "parent+1"],
    side_vertex: Int64[np.ndarray, "side"],
    watch_ties: bool,
) -> UInt64[np.ndarray, "face plane*word"]:
    """Winners after a round, from those of the parents and the windows ``on`` that changed theirs.

    Bit b of a winner's number within its window is in plane b. With ``watch_ties`` a candidate that ties
    everywhere on the parent, where z is 0 at all corners, wins against one of a higher number.
    """
    place = turn.place
    words = on.shape[1]
    planes = winners.shape[1] // words
    own = np.zeros(winners.shape[1], np.uint64)
    for w in range(len(place)):
        for b in range(planes):
            if place[w] >= 0 and (place[w] >> b) & 1:
                own[b * words + (w >> 6)] |= np.uint64(1) << np.uint64(w & 63)
    out = np.empty((len(parent), winners.shape[1]), np.uint64)
    for f in range(len(parent)):
        p = parent[f]
        for i in range(words):
            change = on[f, i]
            if watch_ties:
                equal = _tied(z, offsets, side_vertex, p, i)
                lower = np.uint64(0)
                for b in range(planes - 1, -1, -1):
                    old, new = winners[p, b * words + i], own[b * words + i]
                    lower |= equal & old & ~new
                    equal &= ~(old ^ new)
                change |= lower
            for b in range(planes):
                k = b * words + i
                out[f, k] = (winners[p, k] & ~change) | (own[k] & change)
    return out


@part()
def _tied(
    z: Float64[np.ndarray, "vertex window"],
    offsets: Int64[np.ndarray, "face+1"],
    side_vertex: Int64[np.ndarray, "side"],
    f: int,
    word: int,
) -> np.uint64:
    """Windows of one word that tie at all corners of a face."""
    tied = np.uint64(0)
    for w in range(64 * word, min(64 * word + 64, z.shape[1])):
        k = offsets[f]
        while k < offsets[f + 1] and z[side_vertex[k], w] == 0.0:
            k += 1
        if k == offsets[f + 1]:
            tied |= np.uint64(1) << np.uint64(w & 63)
    return tied


@kernel
def label_edges(
    edge_faces: Int64[np.ndarray, "edge 2"],
    winners: UInt64[np.ndarray, "face plane*word"],
    words: int,
    source: Int32[np.ndarray, "edge 2"],
    rivals: Int32[np.ndarray, "edge 2"],
    shared: Int64[np.ndarray, "row 3"],
    first_new: int,
    stage: int,
    first_unit: int,
) -> tuple[Int32[np.ndarray, "edge 2"], Int32[np.ndarray, "edge 2"], Int64[np.ndarray, "row 3"]]:
    """(source, rivals, shared) where windows, units of ``stage`` from ``first_unit`` on, change their winner
    across an edge.

    The first of them is the source of an edge from ``first_new`` on, which they drew; on older ones all are
    shared. What rounds have noted under the stage `IN_WORK` is replaced.
    """
    kept = [k for k in range(len(shared)) if shared[k, 1] != IN_WORK]
    total = len(kept)
    for e in range(len(edge_faces)):
        for i in range(words):
            total += popcount(_changes(edge_faces, winners, words, e, i))
    rows, out, places = np.empty((total, 3), np.int64), source.copy(), rivals.copy()
    n = len(kept)
    for k in range(n):
        rows[k] = shared[kept[k]]
    for e in range(len(edge_faces)):
        first = e >= first_new
        if first:
            out[e, 0], out[e, 1] = stage, first_unit + source[e, 1]
        for i in range(words):
            change = _changes(edge_faces, winners, words, e, i)
            while change != np.uint64(0):
                w = 64 * i + trailing_zeros(change)
                change &= change - np.uint64(1)
                if first:
                    out[e, 1] = first_unit + w
                    for side in range(2):
                        places[e, side] = _place_of(winners, words, edge_faces[e, side], w)
                    first = False
                else:
                    rows[n, 0], rows[n, 1], rows[n, 2] = e, stage, first_unit + w
                    n += 1
    return out, places, rows[:n]


@part()
def _place_of(winners: UInt64[np.ndarray, "face plane*word"], words: int, face: int, window: int) -> int:
    """Place of the winner of a window on a face."""
    place = 0
    for b in range(winners.shape[1] // words):
        bit = (winners[face, b * words + (window >> 6)] >> np.uint64(window & 63)) & np.uint64(1)
        place |= int(bit) << b
    return place


@part()
def _changes(
    edge_faces: Int64[np.ndarray, "edge 2"],
    winners: UInt64[np.ndarray, "face plane*word"],
    words: int,
    e: int,
    word: int,
) -> np.uint64:
    """The windows of one word whose winner changes across an edge; none on the rim."""
    f, g = edge_faces[e, 0], edge_faces[e, 1]
    change = np.uint64(0)
    if f >= 0 and g >= 0:
        for k in range(word, winners.shape[1], words):
            change |= winners[f, k] ^ winners[g, k]
    return change
