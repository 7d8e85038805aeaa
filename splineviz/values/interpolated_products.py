"""Products with a matrix at new vertices, interpolated between the products at their ends.

With d_j the deviation of activation j from the straight line between vertices a and b, which is 0 for most,
W x = (1 - t) W x_a + t W x_b + sum of W_j d_j. That takes a few columns of W in place of all.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.intrinsics import trailing_zeros
from splineviz.geometry.records import BIRTH, DEVIATION
from splineviz.geometry.rounding import UNIT_ROUNDOFF

__all__ = ["NO_DEVIATIONS", "Deviations", "deviations_between", "interpolate_products"]

_OWN, _ALL = 4.0 * UNIT_ROUNDOFF, 8.0 * UNIT_ROUNDOFF
"""Deviations that count as none, as a share of the ends of the entry and of the root mean square of all
entries: about what rounding makes of it"""

_NOTHING = 2.0**-900
"""Beyond that: above what stands for values that are not zero for sure"""

_APART = 8
"""Of many new vertices between two ends, every how many-th gets a product"""


class Deviations(NamedTuple):
    """Deviations of activations at new vertices from the straight line between two others."""

    ends: np.ndarray
    """(new,) `records.BIRTH` of the last vertices; where too many entries deviate along the whole edge or
    chord, between closer ends"""
    n_deviating: Int64[np.ndarray, "new"]
    """Number of entries of each that deviate; -1 where they are too many, and the product is to be taken"""
    first: Int64[np.ndarray, "new"]
    """The first of them in ``deviation``"""
    deviation: np.ndarray
    """`records.DEVIATION`"""


NO_DEVIATIONS = Deviations(
    np.empty(0, BIRTH), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, DEVIATION)
)


def deviations_between(
    x: Float64[np.ndarray, "vertex entry"],
    norms: Float64[np.ndarray, "vertex"],
    birth: np.ndarray,
    most: int,
    *,
    alone: bool,
) -> Deviations:
    """`Deviations` of values at their last vertices, where no more than ``most`` entries of one deviate.

    With ``alone``, those of a vertex depend on it and its ends only, not on what other vertices there are.
    """
    x, n_old = np.ascontiguousarray(x), len(x) - len(birth)
    n_deviating, first, deviation = _find(x, norms, np.arange(n_old, len(x)), birth, most)
    if alone or not (n_deviating < 0).any():
        return Deviations(birth, n_deviating, first, deviation)
    between, closer = _closer(birth, np.flatnonzero(n_deviating < 0), n_old)
    n_deviating[between], first[between], more = _find(x, norms, n_old + between, closer, most)
    first[between] += len(deviation)
    ends = birth.copy()
    ends[between] = closer
    return Deviations(ends, n_deviating, first, np.concatenate([deviation, more]))


def _closer(birth: np.ndarray, some: np.ndarray, n_old: int) -> tuple[np.ndarray, np.ndarray]:
    """(between, ends): most of some new vertices, and their births between closer ones of the same two
    ends."""
    order = some[np.lexsort((birth["t"][some], birth["b"][some], birth["a"][some]))]
    own, n = birth[order], len(order)
    starts = np.flatnonzero(np.r_[True, (own["a"][1:] != own["a"][:-1]) | (own["b"][1:] != own["b"][:-1])])
    lengths = np.diff(np.r_[starts, n])
    start, stop = np.repeat(starts, lengths), np.repeat(starts + lengths, lengths)
    place = np.arange(n) - start
    before, after = place // _APART * _APART - 1, (place // _APART + 1) * _APART - 1
    has_before, has_after = before >= 0, start + after < stop
    low, high = np.where(has_before, start + before, 0), np.where(has_after, start + after, 0)
    left, right = np.where(has_before, own["t"][low], 0.0), np.where(has_after, own["t"][high], 1.0)
    a, b = (
        np.where(has_before, n_old + order[low], own["a"]),
        np.where(has_after, n_old + order[high], own["b"]),
    )
    kept = (place != after) & (left < own["t"]) & (own["t"] < right)
    ends = own[kept]
    ends["a"], ends["b"], ends["t"] = a[kept], b[kept], ((own["t"] - left)[kept] / (right - left)[kept])
    return order[kept], ends


@kernel
def _find(
    x: Float64[np.ndarray, "vertex entry"],
    norms: Float64[np.ndarray, "vertex"],
    rows: Int64[np.ndarray, "new"],
    birth: np.ndarray,
    most: int,
) -> tuple[Int64[np.ndarray, "new"], Int64[np.ndarray, "new"], np.ndarray]:
    """(n_deviating, first, deviation) of some rows of x between the ends of their births."""
    width = x.shape[1]
    n_deviating, first, deviation = (
        np.empty(len(rows), np.int64),
        np.empty(len(rows), np.int64),
        np.empty(4 * len(rows) + most, DEVIATION),
    )
    marks = np.zeros((width + 7) // 8 * 8, np.uint8)
    words, m = marks.view(np.uint64), 0
    for k in range(len(rows)):
        a, b, v, t = birth[k].a, birth[k].b, rows[k], birth[k].t
        _mark(x, a, b, v, t, _ALL / np.sqrt(width) * max(norms[a], norms[b]) + _NOTHING, marks)
        if m + most > len(deviation):
            deviation = _longer(deviation, 2 * len(deviation) + most)
        n = 0
        for w in range(len(words)):
            word = words[w]
            while word != np.uint64(0):
                i = 8 * w + (trailing_zeros(word) >> 3)
                word &= word - np.uint64(1)
                if n < most:
                    deviation[m + n].entry, deviation[m + n].off = (
                        i,
                        x[v, i] - (x[a, i] + t * (x[b, i] - x[a, i])),
                    )
                n += 1
        n_deviating[k], first[k] = n if n <= most else -1, m
        m += max(n_deviating[k], 0)
    return n_deviating, first, deviation


@part()
def _longer(deviation: np.ndarray, n: int) -> np.ndarray:
    """Copy of an array of `records.DEVIATION` with room for n."""
    result = np.empty(n, DEVIATION)
    for i in range(len(deviation)):
        result[i].entry, result[i].off = deviation[i].entry, deviation[i].off
    return result


@part(fastmath={"contract"})
def _mark(
    x: Float64[np.ndarray, "vertex entry"],
    a: int,
    b: int,
    v: int,
    t: float,
    least: float,
    marks: UInt8[np.ndarray, "entry"],
) -> None:
    """Mark the entries of row v that deviate by more than ``least`` from the line between rows a and b."""
    for i in range(x.shape[1]):
        straight = x[a, i] + t * (x[b, i] - x[a, i])
        marks[i] = abs(x[v, i] - straight) > _OWN * (abs(x[a, i]) + abs(x[b, i])) + least


@kernel
def interpolate_products(
    out: Float64[np.ndarray, "vertex output"],
    columns: Float64[np.ndarray, "entry output"],
    ends: np.ndarray,
    n_deviating: Int64[np.ndarray, "new"],
    first: Int64[np.ndarray, "new"],
    deviation: np.ndarray,
) -> None:
    """Fill the rows of ``out`` at new vertices, all others being there, from the columns of the matrix; for
    the rest see `Deviations`."""
    n_old = len(out) - len(ends)
    for k in range(len(ends)):
        if n_deviating[k] >= 0:
            _between(out, ends[k].a, ends[k].b, n_old + k, ends[k].t)
            for i in range(first[k], first[k] + n_deviating[k]):
                _add(out, n_old + k, columns, deviation[i].entry, deviation[i].off)


@part(fastmath={"contract"})
def _between(out: Float64[np.ndarray, "vertex output"], a: int, b: int, v: int, t: float) -> None:
    """Interpolate row v between rows a and b."""
    for i in range(out.shape[1]):
        out[v, i] = out[a, i] + t * (out[b, i] - out[a, i])


@part(fastmath={"contract"})
def _add(
    out: Float64[np.ndarray, "vertex output"],
    v: int,
    columns: Float64[np.ndarray, "entry output"],
    j: int,
    x: float,
) -> None:
    """Add x times column j of the matrix to row v."""
    for i in range(out.shape[1]):
        out[v, i] += x * columns[j, i]
