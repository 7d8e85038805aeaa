"""Units that switch between the cells of a group, and what a stage makes of rows and of forms."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, UInt64

from splineviz.arrangement.group_forms import Lists, Terms
from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.intrinsics import borrowed, trailing_zeros

__all__ = ["Entering", "applied", "pieces", "switching", "with_results", "with_sides", "with_winners"]


class Entering(NamedTuple):
    """The forms that enter a stage, on the cells of the level before it, and the cells that it leaves."""

    forms: Float64[np.ndarray, "form 3"]
    begin: Int64[np.ndarray, "group+1"]
    """Where those of a group begin"""
    asked: Lists
    """The entries of which they are, the units that switch before others"""
    before: Int64[np.ndarray, "group+1"]
    """The first cell of each group before the stage"""
    first: Int64[np.ndarray, "group+1"]
    """And behind it"""
    parent: Int64[np.ndarray, "cell"]
    """The cell before the stage of each cell behind it"""


@part()
def _piece(words: np.ndarray, entry: int, n: int, n_breakpoints: int) -> int:
    """The piece of an entry: breakpoints ascend, so the last one that is on names it."""
    piece = 0
    for b in range(n_breakpoints):
        bit = b * n + entry
        if (words[bit >> 6] >> np.uint64(bit & 63)) & np.uint64(1):
            piece = b + 1
    return piece


@kernel
def switching(
    words: UInt64[np.ndarray, "cell word"], first: Int64[np.ndarray, "bound"], n_entries: int
) -> Lists:
    """The entries whose units do not have one state on all cells of a group.

    A word has a bit for each entry, for one breakpoint after the other.
    """
    n_groups, n_words = len(first) - 1, words.shape[1]
    offsets, found, count = np.zeros(n_groups + 1, np.int64), np.empty(1024, np.int64), 0
    mask, seen = np.empty(n_words, np.uint64), np.full(n_entries, -1, np.int64)
    for g in range(n_groups):
        mask[:] = np.uint64(0)
        begin = first[g]
        for cell in range(begin + 1, first[g + 1]):
            for w in range(n_words):
                mask[w] |= words[cell, w] ^ words[begin, w]
        if count + n_entries > len(found):
            found = np.append(found, np.empty(len(found) + n_entries, np.int64))
        for w in range(n_words):
            bits = mask[w]
            while bits != np.uint64(0):
                entry = (64 * w + trailing_zeros(bits)) % n_entries
                bits &= bits - np.uint64(1)
                if seen[entry] != g:
                    seen[entry] = g
                    found[count] = entry
                    count += 1
        offsets[g + 1] = count
    return Lists(offsets, found[:count])


@kernel
def with_sides(
    switches: Lists,
    first: Int64[np.ndarray, "bound"],
    entry: Int64[np.ndarray, "side"],
    n_entries: int,
) -> tuple[Lists, Int64[np.ndarray, "side"]]:
    """The entries that switch in a group, and those after them that draw sides of its cells; and the place of
    each side's entry in the list of its group."""
    n_groups = len(first) - 1
    offsets, found = np.zeros(n_groups + 1, np.int64), np.empty(len(switches.values) + len(entry), np.int64)
    place, owner, position = (
        np.empty(n_entries, np.int64),
        np.full(n_entries, -1, np.int64),
        np.empty_like(entry),
    )
    count = 0
    for g in range(n_groups):
        begin = count
        for k in range(switches.first[g], switches.first[g + 1]):
            i = switches.values[k]
            found[count], place[i], owner[i] = i, count - begin, g
            count += 1
        for side in range(first[g], first[g + 1]):
            i = entry[side]
            if owner[i] != g:
                found[count], place[i], owner[i] = i, count - begin, g
                count += 1
            position[side] = place[i]
        offsets[g + 1] = count
    return Lists(offsets, found[:count]), position


@kernel
def pieces(
    words: UInt64[np.ndarray, "cell word"],
    first: Int64[np.ndarray, "bound"],
    switches: Lists,
    slopes: Float64[np.ndarray, "piece entry"],
    intercepts: Float64[np.ndarray, "piece entry"],
) -> tuple[Float64[np.ndarray, "group entry"], Float64[np.ndarray, "group entry"]]:
    """Slopes and intercepts of all entries that do not switch in a group; 0 for those that do."""
    n_groups, n = len(first) - 1, slopes.shape[1]
    slope, intercept = np.empty((n_groups, n)), np.empty((n_groups, n))
    for g in range(n_groups):
        for i in range(n):
            piece = _piece(words[first[g]], i, n, len(slopes) - 1)
            slope[g, i], intercept[g, i] = slopes[piece, i], intercepts[piece, i]
        for k in range(switches.first[g], switches.first[g + 1]):
            slope[g, switches.values[k]] = intercept[g, switches.values[k]] = 0.0
    return slope, intercept


@part(fastmath={"reassoc"})
def _apply(
    row: np.ndarray, slope: np.ndarray, intercept: np.ndarray, constant: bool, out: np.ndarray
) -> float:
    """The function of a row's entries; the square of its norm."""
    total = 0.0
    for i in range(len(row)):
        x = slope[i] * row[i]
        if constant:
            x += intercept[i]
        if slope[i] == 0.0:
            x = intercept[i] if constant else 0.0
        out[i] = x
        total += x * x
    return total


@kernel
def applied(
    values: Float64[np.ndarray, "row entry"],
    source: Int64[np.ndarray, "new"],
    group: Int64[np.ndarray, "new"],
    constants: int,
    slope: Float64[np.ndarray, "group entry"],
    intercept: Float64[np.ndarray, "group entry"],
) -> tuple[Float64[np.ndarray, "new entry"], Float64[np.ndarray, "new"]]:
    """Results of a pointwise function on rows of a group each, from row ``constants`` on of constants, of one
    for each group; and the norms of the results."""
    result, squares = np.empty((len(source), values.shape[1])), np.empty(len(source))
    for r in range(len(source)):
        g, is_constant = group[r], constants <= r < constants + len(slope)
        squares[r] = _apply(values[source[r]], slope[g], intercept[g], is_constant, result[r])
    return result, np.sqrt(squares)


@part()
def _power(size: float) -> float:
    """A power of two above a size, within what has a reciprocal; 1 for 0."""
    if size == 0.0:
        return 1.0
    exponent = math.frexp(size)[1] if size < np.inf else 1000
    return math.ldexp(1.0, min(max(exponent, -1000), 1000))


@part()
def _powers(entering: Entering, switches: Lists, steepest: float, offset: float) -> np.ndarray:
    """A power of two for each unit, about as large as its largest result, within what has a reciprocal."""
    scale = np.ones(len(switches.values))
    for g in range(len(entering.first) - 1):
        n, start = entering.asked.first[g + 1] - entering.asked.first[g], switches.first[g]
        for k in range(switches.first[g + 1] - start):
            size = offset
            for row in range(entering.begin[g] + k, entering.begin[g + 1], n):
                for i in range(3):
                    x = abs(entering.forms[row, i])
                    if size < x < np.inf:
                        size = x
            scale[start + k] = _power(size * steepest)
    return scale


@part()
def _with_room(terms: Terms, start: int, entering: Entering, switches: Lists) -> Terms:
    """Terms with room for those of the cells behind a stage, whose parents are numbered from ``start`` on."""
    old, n_cells, n = len(terms.parent), len(entering.parent), terms.first[-1]
    room = n
    for g in range(len(entering.first) - 1):
        room += (entering.first[g + 1] - entering.first[g]) * (switches.first[g + 1] - switches.first[g])
    parent, first = np.empty(old + n_cells, np.int64), np.empty(old + n_cells + 1, np.int64)
    unit, result = np.empty(room + 1, np.int64), np.empty((room + 1, 3))
    parent[:old], parent[old:], first[: old + 1] = terms.parent, start + entering.parent, terms.first
    unit[:n], result[:n] = terms.unit[:n], terms.result[:n]
    return Terms(parent, first, unit, result)


@kernel
def with_results(
    terms: Terms,
    start: int,
    entering: Entering,
    switches: Lists,
    known: Int64[np.ndarray, "group"],
    words: UInt64[np.ndarray, "cell word"],
    slopes: Float64[np.ndarray, "piece entry"],
    intercepts: Float64[np.ndarray, "piece entry"],
) -> tuple[Terms, Float64[np.ndarray, "unit"]]:
    """The terms of the cells that a pointwise function leaves as well: what is not 0 of the results of units
    that switch, numbered from ``known`` on; and by which power of two each unit's have been divided.

    ``start`` is the number of the first cell before.
    """
    terms, entering, switches = borrowed(terms), borrowed(entering), borrowed(switches)
    scale = _powers(entering, switches, np.abs(slopes).max(), np.abs(intercepts).max())
    grown = _with_room(terms, start, entering, switches)
    unit, result, forms, shrinks = grown.unit, grown.result, entering.forms, 1.0 / scale
    t, n_entries, cells = terms.first[-1], slopes.shape[1], len(terms.parent)
    for g in range(len(entering.first) - 1):
        n, begin = entering.asked.first[g + 1] - entering.asked.first[g], switches.first[g]
        for cell in range(entering.first[g], entering.first[g + 1]):
            row = entering.begin[g] + (entering.parent[cell] - entering.before[g]) * n
            for k in range(switches.first[g + 1] - begin):
                entry = switches.values[begin + k]
                piece = _piece(words[cell], entry, n_entries, len(slopes) - 1)
                slope, intercept, shrink = slopes[piece, entry], intercepts[piece, entry], shrinks[begin + k]
                a, b, c = forms[row + k, 0], forms[row + k, 1], forms[row + k, 2]
                if slope == 0.0:  # an infinite form is cut off all the same
                    a = b = c = 0.0
                # States are as good as random: a branch on them takes longer than to write what is dropped.
                unit[t] = known[g] + k
                result[t, 0], result[t, 1] = shrink * (slope * a), shrink * (slope * b)
                result[t, 2] = shrink * (slope * c + intercept)
                t += (slope != 0.0) | (intercept != 0.0)
            grown.first[cells + cell + 1] = t
    return grown, scale


@kernel
def with_winners(
    terms: Terms,
    start: int,
    entering: Entering,
    switches: Lists,
    known: Int64[np.ndarray, "group"],
    winner: Int64[np.ndarray, "result"],
) -> tuple[Terms, Float64[np.ndarray, "unit"]]:
    """The terms of the cells that a maximum leaves as well, as `with_results`; the results are the forms of
    winners, one for each unit that switches on each cell."""
    terms, entering, switches = borrowed(terms), borrowed(entering), borrowed(switches)
    scale, place = np.zeros(len(switches.values)), 0
    for g in range(len(entering.first) - 1):
        for _ in range(entering.first[g], entering.first[g + 1]):
            for k in range(switches.first[g], switches.first[g + 1]):
                for i in range(3):
                    x = abs(entering.forms[winner[place], i])
                    if scale[k] < x < np.inf:
                        scale[k] = x
                place += 1
    for k in range(len(scale)):
        scale[k] = _power(scale[k])
    grown = _with_room(terms, start, entering, switches)
    t, place, cells = terms.first[-1], 0, len(terms.parent)
    for g in range(len(entering.first) - 1):
        for cell in range(entering.first[g], entering.first[g + 1]):
            for k in range(switches.first[g], switches.first[g + 1]):
                form, shrink = entering.forms[winner[place]], 1.0 / scale[k]
                place += 1
                if form[0] != 0.0 or form[1] != 0.0 or form[2] != 0.0:
                    grown.unit[t] = known[g] + k - switches.first[g]
                    for i in range(3):
                        grown.result[t, i] = shrink * form[i]
                    t += 1
            grown.first[cells + cell + 1] = t
    return grown, scale
