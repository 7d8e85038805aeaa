"""One round of a refinement by maxima: every window compares its largest value so far with one further
candidate."""

from __future__ import annotations

from typing import Any

import numpy as np

from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.intrinsics import popcount, trailing_zeros
from splineviz.geometry.predicates import EPS, MARGIN, TINY
from splineviz.values.linear_error_bounds import FLOOR, SAFE

__all__ = ["challenge", "crown", "interpolate_rows", "label_edges", "settle"]

_FAR = 1e300
"""Farther from zero than any error"""


@kernel
def interpolate_rows(
    base: Any,
    fresh: Any,
    n_fresh: Any,
    birth: Any,
    scale: Any,
    slack: Any,
    shift: Any,
    error: Any,
    proven_slack: Any,
    proof: Any,
) -> None:
    """Fill the rows of ``fresh`` from ``n_fresh`` on: the values (base first, then fresh) at the vertices of
    ``birth``.

    Their errors, indexed as the rows of base and fresh together, follow from those of their ends: ``slack``,
    entry by entry, is that of the values at the vertex as it was computed, and ``shift`` what they change
    from there to the exact vertex, by the error of t. The two are kept apart since a crossing is found on the
    computed edge, wherever along it the ends lie: together they would grow by the ratio of the steepest entry
    to the crossing one with every round. ``error`` is norm-wise and has both.
    """
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
            row[c] = a[c] + t * step
            steps += step * step
            squares += row[c] * row[c]
            if scale[c] > 0.0:
                step_share = max(step_share, abs(step) / scale[c])
                share = max(share, abs(row[c]) / scale[c])
        spread, norm = np.sqrt(steps), np.sqrt(squares)
        inherited = (1.0 - t) * error[i] + t * error[j]
        error[v] = np.hypot(inherited, birth[k].bound * spread) + 2.0 * EPS * (norm + spread)
        slack[v] = (1.0 - t) * slack[i] + t * slack[j] + 2.0 * EPS * (share + step_share)
        shift[v] = np.hypot((1.0 - t) * shift[i] + t * shift[j], birth[k].bound * step_share)
        if len(proof):
            moved, rounded = birth[k].proof * step_share, 4.0 * EPS * (share + step_share) + FLOOR
            proven_slack[v] = SAFE * (max(proven_slack[i], proven_slack[j]) + moved + rounded)
            proof[v] = SAFE * (
                max(proof[i], proof[j]) + birth[k].proof * spread + 4.0 * EPS * (norm + spread) + FLOOR
            )


@kernel
def challenge(
    base: Any, fresh: Any, name: Any, entries: Any, top: Any, entered: Any, scale: Any, slack: Any, shift: Any,
    proven: Any, sure: Any,
) -> Any:  # fmt: skip
    """(z, equal, doubtful): (V, W) how far the candidate of every window is above its largest so far.

    A window without a candidate in this round keeps what it has, one that had none so far takes it. What may
    be 0 at the exact vertex, by ``shift`` (V,), is 0. ``equal`` counts those that are equal bit for bit,
    ``doubtful`` those of them whose error, ``scale`` (W,) times ``slack`` (V,), is above zero. With
    ``proven`` slack, only the difference of two entries that are 0.0 is 0, if they are ``sure`` to be zero,
    or of two that have no error.
    """
    n_windows = len(entries)
    z = np.empty(top.shape)
    forced = np.where(entries < 0, -_FAR, np.where(entered, 0.0, _FAR))
    equal, doubtful = 0, 0
    for v in range(len(name)):
        row, here, out = base[name[v]] if name[v] < len(base) else fresh[name[v] - len(base)], top[v], z[v]
        limit = MARGIN * shift[v]
        same, scaled = 0, 0
        for w in range(n_windows):
            difference = row[max(entries[w], 0)] - here[w]
            ties = difference == 0.0 and forced[w] == 0.0
            same += ties
            scaled += ties and scale[w] > 0.0
            if len(proven):
                certain = scale[w] * proven[v] == 0.0 or (sure and here[w] == 0.0)
                difference = difference if difference != 0.0 or certain else TINY
            elif abs(difference) <= limit * scale[w]:
                difference = 0.0
            out[w] = difference if forced[w] == 0.0 else forced[w]
        equal += same
        doubtful += scaled if slack[v] > 0.0 else 0
    return z, equal, doubtful


@kernel
def settle(
    base: Any, fresh: Any, name: Any, entries: Any, top: Any, entered: Any, birth: Any, made: Any, by_entry: Any, kept: Any,
    proven: Any,
) -> Any:  # fmt: skip
    """(K, W) the largest of every window after a round, at those of the old vertices and of ``birth`` that
    are ``kept``.

    Where a window ties at a vertex made for it, its candidate takes the very value of the largest so far, in
    all windows that share this candidate: then windows that compare the same two entries later do so with the
    same numbers, and what coincides in exact arithmetic coincides bit for bit. With proofs, nothing takes a
    value only because it had the same as something that does: that may be by chance. ``made`` has rows of
    (vertex, window), and ``by_entry`` sorts the windows by entry.
    """
    n_old, n_windows = top.shape
    out = np.empty((len(kept), n_windows))
    absent, first = entries < 0, ~entered
    below = np.empty((len(birth), n_windows))
    for k in range(len(birth)):
        a, b, t = birth[k].a, birth[k].b, birth[k].t
        low, high = top[a] if a < n_old else below[a - n_old], top[b] if b < n_old else below[b - n_old]
        for w in range(n_windows):
            below[k, w] = low[w] + t * (high[w] - low[w])
    rival = np.empty((len(birth), n_windows))
    for k in range(len(birth)):
        row = fresh[name[n_old + k] - len(base)]
        for w in range(n_windows):
            rival[k, w] = row[max(entries[w], 0)]
    _pin(rival, below, entries, made, by_entry, n_old, proven)
    places = np.arange(n_windows)
    for i in range(len(kept)):
        v = kept[i]
        if v < n_old:
            row = base[name[v]] if name[v] < len(base) else fresh[name[v] - len(base)]
            _take_larger(row, entries, absent, first, top[v], out[i])
        else:
            _take_larger(rival[v - n_old], places, absent, first, below[v - n_old], out[i])
    return out


@part()
def _take_larger(row: Any, entries: Any, absent: Any, first: Any, top: Any, out: Any) -> None:
    for w in range(len(entries)):
        x = row[max(entries[w], 0)]
        x = x if first[w] else max(x, top[w])
        out[w] = top[w] if absent[w] else x


@part()
def _pin(rival: Any, top: Any, entries: Any, made: Any, by_entry: Any, n_old: Any, proven: Any) -> None:
    """Give the candidates that tie by construction, rows of (vertex, window), the value that they tie
    with."""
    n_windows = len(entries)
    sorted_entries = entries[by_entry]
    pinned = np.zeros(rival.shape, np.bool_)
    for row in range(len(made)):
        k, entry = made[row].vertex - n_old, entries[made[row].unit]
        value = top[k, made[row].unit]
        i = np.searchsorted(sorted_entries, entry)
        if pinned[k, by_entry[i]]:
            # Two that the candidate ties with tie with each other, in whichever windows they are.
            one = rival[k, by_entry[i]]
            for w in range(n_windows if one != value and not proven else 0):
                top[k, w] = one if top[k, w] == value else top[k, w]
                rival[k, w] = one if rival[k, w] == value else rival[k, w]
            continue
        while i < n_windows and sorted_entries[i] == entry:
            rival[k, by_entry[i]], pinned[k, by_entry[i]] = value, True
            i += 1


@kernel
def crown(
    winners: Any, parent: Any, on: Any, place: Any, z: Any, offsets: Any, side_vertex: Any, watch_ties: Any
) -> Any:
    """(F, planes * words) the winners after a round, from those of the parents and the windows ``on`` that
    changed theirs.

    ``place`` (W,) is the number of the candidate within its window; bit b of a winner is in plane b. With
    ``watch_ties`` a candidate that ties everywhere on the parent, where z is 0 at all corners, wins against
    one of a higher number.
    """
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
def _tied(z: Any, offsets: Any, side_vertex: Any, f: Any, word: Any) -> Any:
    """The windows of one word that tie at all corners of a face."""
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
    edge_faces: Any,
    winners: Any,
    words: Any,
    source: Any,
    shared: Any,
    first_new: Any,
    stage: Any,
    first_unit: Any,
    mark: Any,
) -> Any:
    """(source, shared) where windows, units of ``stage`` from ``first_unit`` on, change their winner across
    an edge.

    The first of them is the source of an edge from ``first_new`` on, which they drew; on older ones all are
    shared. What rounds have noted under the stage ``mark`` is replaced.
    """
    kept = [k for k in range(len(shared)) if shared[k, 1] != mark]
    total = np.int64(len(kept))
    for e in range(len(edge_faces)):
        for i in range(words):
            total += np.int64(popcount(_changes(edge_faces, winners, words, e, i)))
    rows, out = np.empty((total, 3), np.int64), source.copy()
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
                w = 64 * i + np.int64(trailing_zeros(change))
                change &= change - np.uint64(1)
                if first:
                    out[e, 1] = first_unit + w
                    first = False
                else:
                    rows[n, 0], rows[n, 1], rows[n, 2] = e, stage, first_unit + w
                    n += 1
    return out, rows[:n]


@part()
def _changes(edge_faces: Any, winners: Any, words: Any, e: Any, word: Any) -> Any:
    """The windows of one word whose winner changes across an edge; none on the rim."""
    f, g = edge_faces[e, 0], edge_faces[e, 1]
    change = np.uint64(0)
    if f >= 0 and g >= 0:
        for k in range(word, winners.shape[1], words):
            change |= winners[f, k] ^ winners[g, k]
    return change
