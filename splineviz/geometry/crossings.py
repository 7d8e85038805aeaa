"""Crossings on edges: one new vertex for each place where units vanish inside an edge, shared by both faces."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from splineviz.geometry.compiled import part
from splineviz.geometry.intrinsics import popcount, trailing_zeros
from splineviz.geometry.predicates import crossing, in_order
from splineviz.geometry.records import BIRTH, CROSSING

__all__ = ["EdgeCrossings", "cross_edges"]


class EdgeCrossings(NamedTuple):
    """``crossing[offsets[e]:offsets[e + 1]]`` are the crossings on edge ``e``, from its first to its second end."""

    offsets: np.ndarray
    crossing: np.ndarray
    first_part: np.ndarray
    """(E + 1,) first of the consecutive new edges into which an edge falls"""
    parts: np.ndarray
    """(new edges, 2) their vertices"""
    birth: np.ndarray
    """(new vertices,) where they lie; one for all crossings whose order stayed open"""
    merged: int
    """Orders that stayed open"""
    identical: int
    """Of these, between units whose values at both ends of the edge are the same bit for bit, up to sign"""


@part()
def cross_edges(edges: Any, z: Any, scale: Any, slack: Any, signs: Any, first: Any, last: Any) -> Any:
    """`EdgeCrossings` of all edges (E, 2), by the units in words first .. last - 1, from values (V, units) and signs."""
    positive, negative = signs.positive, signs.negative
    offsets = _count(edges, positive, negative, first, last)
    total = offsets[-1]
    crossings, birth = np.empty(total, CROSSING), np.empty(total, BIRTH)
    first_part, parts = np.empty(len(edges) + 1, np.int64), np.empty((len(edges) + total, 2), np.int64)
    n_new, merged, identical = _fill(
        edges, z, scale, slack, positive, negative, first, last, offsets, crossings, first_part, parts, birth
    )
    return EdgeCrossings(offsets, crossings, first_part, parts[: len(edges) + n_new], birth[:n_new], merged, identical)


@part()
def _count(edges: Any, positive: Any, negative: Any, first: Any, last: Any) -> Any:
    offsets = np.zeros(len(edges) + 1, np.int64)
    for e in range(len(edges)):
        a, b = edges[e, 0], edges[e, 1]
        n = np.uint64(0)
        for w in range(first, last):
            n += popcount((positive[a, w] & negative[b, w]) | (negative[a, w] & positive[b, w]))
        offsets[e + 1] = offsets[e] + np.int64(n)
    return offsets


@part()
def _fill(
    edges: Any, z: Any, scale: Any, slack: Any, positive: Any, negative: Any, first: Any, last: Any,
    offsets: Any, crossings: Any, first_part: Any, parts: Any, birth: Any,
) -> Any:  # fmt: skip
    n_old = len(z)
    longest = 1
    for e in range(len(edges)):
        longest = max(longest, offsets[e + 1] - offsets[e])
    t, bound = np.empty(longest), np.empty(longest)
    n_new = 0
    merged = 0
    identical = 0
    for e in range(len(edges)):
        a, b = edges[e, 0], edges[e, 1]
        start = offsets[e]
        n = 0
        if offsets[e + 1] > start:
            for w in range(first, last):
                word = (positive[a, w] & negative[b, w]) | (negative[a, w] & positive[b, w])
                while word != np.uint64(0):
                    u = 64 * w + np.int64(trailing_zeros(word))
                    word &= word - np.uint64(1)
                    tu, bu = crossing(z[a, u], z[b, u], scale[u] * slack[a], scale[u] * slack[b])
                    n = _insert(t, bound, crossings, start, n, tu, bu, u)
        first_part[e] = e + n_new
        last_vertex = a
        for i in range(n):
            if i > 0 and not in_order(t[i - 1], bound[i - 1], t[i], bound[i]):
                merged += 1
                u, twin = crossings[start + i].unit, crossings[start + i - 1].unit
                identical += abs(z[a, u]) == abs(z[a, twin]) and abs(z[b, u]) == abs(z[b, twin])
                crossings[start + i].vertex = n_old + n_new - 1
                continue
            born = birth[n_new]
            born.a, born.b, born.t, born.bound = a, b, t[i], bound[i]
            parts[e + n_new, 0], parts[e + n_new, 1] = last_vertex, n_old + n_new
            last_vertex = n_old + n_new
            crossings[start + i].vertex = last_vertex
            n_new += 1
        parts[e + n_new, 0], parts[e + n_new, 1] = last_vertex, b
    first_part[len(edges)] = len(edges) + n_new
    return n_new, merged, identical


@part(forceinline=True)
def _insert(t: Any, bound: Any, crossings: Any, start: Any, n: Any, tu: Any, bu: Any, u: Any) -> Any:
    """Keep the n crossings of one edge in the order of their parameters."""
    i = n
    while i > 0 and t[i - 1] > tu:
        t[i], bound[i], crossings[start + i].unit = t[i - 1], bound[i - 1], crossings[start + i - 1].unit
        i -= 1
    t[i], bound[i], crossings[start + i].unit = tu, bu, u
    return n + 1
