"""Products with a matrix at new vertices, from the products at the ends that each lies between.

From vertex a to b few activations bend; where j does by d_j, W x = (1 - t) W x_a + t W x_b + sum of W_j d_j.
That takes a few columns of W in place of all.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.intrinsics import trailing_zeros
from splineviz.geometry.predicates import EPS
from splineviz.geometry.records import BIRTH, DEVIATION

__all__ = ["NO_DEVIATIONS", "Deviations", "deviations_between", "interpolate_products"]

_OWN, _ALL = 4.0 * EPS, 8.0 * EPS
"""What an entry may be off the straight line and count as none, as a share of its ends and of the root mean
square of all entries: about what rounding makes of it"""

_NOTHING = 2.0**-900
"""And beyond that: what stands for values that are not zero for sure"""

_APART = 8
"""Of many new vertices between two ends, every how many-th gets a product"""


class Deviations(NamedTuple):
    """How far activations at new vertices are off the straight line between two others."""

    ends: np.ndarray
    """(new,) `records.BIRTH` of the last vertices; where all of an edge or chord bends too often, between
    closer ends"""
    n_deviating: np.ndarray
    """(new,) how many entries of each bend; -1 where they are too many, and the product is to be taken"""
    first: np.ndarray
    """(new,) the first of them in ``bend``"""
    bend: np.ndarray
    """`records.DEVIATION`"""


NO_DEVIATIONS = Deviations(
    np.empty(0, BIRTH), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, DEVIATION)
)


def deviations_between(
    x: np.ndarray, norms: np.ndarray, birth: np.ndarray, most: int, *, alone: bool
) -> Deviations:
    """The bends of values (V, n), with norms (V,), at their last vertices, if there are no more than ``most``
    at one.

    With ``alone``, those of each depend on it and its ends alone, not on what other vertices there are.
    """
    x, n_old = np.ascontiguousarray(x), len(x) - len(birth)
    n_deviating, first, bend = _find(x, norms, np.arange(n_old, len(x)), birth, most)
    if alone or not (n_deviating < 0).any():
        return Deviations(birth, n_deviating, first, bend)
    between, closer = _closer(birth, np.flatnonzero(n_deviating < 0), n_old)
    n_deviating[between], first[between], more = _find(x, norms, n_old + between, closer, most)
    first[between] += len(bend)
    ends = birth.copy()
    ends[between] = closer
    return Deviations(ends, n_deviating, first, np.concatenate([bend, more]))


def _closer(birth: np.ndarray, some: np.ndarray, n_old: int) -> tuple[np.ndarray, np.ndarray]:
    """(between, ends): most of some new vertices, and each with others of the same two ends as ends of its
    own."""
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
def _find(x: Any, norms: Any, rows: Any, birth: Any, most: Any) -> Any:
    width = x.shape[1]
    n_deviating, first, bend = (
        np.empty(len(rows), np.int64),
        np.empty(len(rows), np.int64),
        np.empty(4 * len(rows) + most, DEVIATION),
    )
    bent = np.zeros((width + 7) // 8 * 8, np.uint8)
    words, m = bent.view(np.uint64), 0
    for k in range(len(rows)):
        a, b, v, t = birth[k].a, birth[k].b, rows[k], birth[k].t
        _mark(x, a, b, v, t, _ALL / np.sqrt(width) * max(norms[a], norms[b]) + _NOTHING, bent)
        if m + most > len(bend):
            bend = _longer(bend, 2 * len(bend) + most)
        n = 0
        for w in range(len(words)):
            word = words[w]
            while word != np.uint64(0):
                i = 8 * w + (np.int64(trailing_zeros(word)) >> 3)
                word &= word - np.uint64(1)
                if n < most:
                    bend[m + n].entry, bend[m + n].off = i, x[v, i] - (x[a, i] + t * (x[b, i] - x[a, i]))
                n += 1
        n_deviating[k], first[k] = n if n <= most else -1, m
        m += max(n_deviating[k], 0)
    return n_deviating, first, bend


@part()
def _longer(bend: Any, n: Any) -> Any:
    result = np.empty(n, DEVIATION)
    for i in range(len(bend)):
        result[i].entry, result[i].off = bend[i].entry, bend[i].off
    return result


@part(fastmath={"contract"})
def _mark(x: Any, a: Any, b: Any, v: Any, t: Any, least: Any, bent: Any) -> None:
    for i in range(x.shape[1]):
        straight = x[a, i] + t * (x[b, i] - x[a, i])
        bent[i] = abs(x[v, i] - straight) > _OWN * (abs(x[a, i]) + abs(x[b, i])) + least


@kernel
def interpolate_products(out: Any, columns: Any, ends: Any, n_deviating: Any, first: Any, bend: Any) -> None:
    """Fill the rows of ``out`` (V, m) at new vertices, all others being there, from the columns of the
    matrix, (n, m)."""
    n_old = len(out) - len(ends)
    for k in range(len(ends)):
        if n_deviating[k] >= 0:
            _between(out, ends[k].a, ends[k].b, n_old + k, ends[k].t)
            for i in range(first[k], first[k] + n_deviating[k]):
                _add(out, n_old + k, columns, bend[i].entry, bend[i].off)


@part(fastmath={"contract"})
def _between(out: Any, a: Any, b: Any, v: Any, t: Any) -> None:
    for i in range(out.shape[1]):
        out[v, i] = out[a, i] + t * (out[b, i] - out[a, i])


@part(fastmath={"contract"})
def _add(out: Any, v: Any, columns: Any, j: Any, x: Any) -> None:
    for i in range(out.shape[1]):
        out[v, i] += x * columns[j, i]
