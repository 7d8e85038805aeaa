"""Crossings on edges: one new vertex for each place where units vanish inside an edge, shared by both
faces."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from splineviz.geometry.compiled import part
from splineviz.geometry.intrinsics import popcount, trailing_zeros
from splineviz.geometry.predicates import crossing, in_order, order, prove_crossing
from splineviz.geometry.questions import EDGE
from splineviz.geometry.records import BIRTH, CROSSING

__all__ = ["EdgeCrossings", "cross_edges"]


class EdgeCrossings(NamedTuple):
    """``crossing[offsets[e]:offsets[e + 1]]`` are the crossings on edge ``e``, from its first to its second
    end."""

    offsets: np.ndarray
    crossing: np.ndarray
    first_part: np.ndarray
    """(E + 1,) first of the consecutive new edges into which an edge falls"""
    parts: np.ndarray
    """(new edges, 2) their vertices"""
    birth: np.ndarray
    """(new vertices,) where they lie; one for all crossings in one point"""
    open: int
    """Orders that nothing proves; without any proofs, those that were taken as one point"""
    identical: int
    """Of these, between units whose values at both ends of the edge are the same bit for bit, up to sign"""


class _Found(NamedTuple):
    """The crossings of one edge, work space: `predicates.crossing` of each, and its unit."""

    t: np.ndarray
    bound: np.ndarray
    proof: np.ndarray
    unit: np.ndarray
    joined: np.ndarray
    """Whether it is one point with the one before"""


@part()
def cross_edges(
    edges: Any,
    z: Any,
    scale: Any,
    slack: Any,
    proof: Any,
    signs: Any,
    first: Any,
    last: Any,
    answers: Any,
    questions: Any,
) -> Any:
    """`EdgeCrossings` of all edges (E, 2), by the units in words first .. last - 1, from values (V, units)
    and signs."""
    positive, negative = signs.positive, signs.negative
    offsets = _count(edges, positive, negative, first, last)
    total = offsets[-1]
    crossings, birth = np.empty(total, CROSSING), np.empty(total, BIRTH)
    first_part, parts = np.empty(len(edges) + 1, np.int64), np.empty((len(edges) + total, 2), np.int64)
    n_new, n_open, identical = _fill(
        edges, z, scale, slack, proof, positive, negative, first, last, offsets, crossings, first_part, parts, birth,
        answers, questions,
    )  # fmt: skip
    return EdgeCrossings(
        offsets, crossings, first_part, parts[: len(edges) + n_new], birth[:n_new], n_open, identical
    )


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
    edges: Any, z: Any, scale: Any, slack: Any, proof: Any, positive: Any, negative: Any, first: Any, last: Any,
    offsets: Any, crossings: Any, first_part: Any, parts: Any, birth: Any, answers: Any, questions: Any,
) -> Any:  # fmt: skip
    n_old = len(z)
    longest = 1
    for e in range(len(edges)):
        longest = max(longest, offsets[e + 1] - offsets[e])
    f = _Found(
        np.empty(longest),
        np.empty(longest),
        np.zeros(longest),
        np.empty(longest, np.int64),
        np.zeros(longest, np.bool_),
    )
    proven = len(proof) > 0
    n_new, n_open, identical = 0, 0, 0
    for e in range(len(edges)):
        a, b = edges[e, 0], edges[e, 1]
        n = 0
        if offsets[e + 1] > offsets[e]:
            for w in range(first, last):
                word = (positive[a, w] & negative[b, w]) | (negative[a, w] & positive[b, w])
                while word != np.uint64(0):
                    u = 64 * w + np.int64(trailing_zeros(word))
                    word &= word - np.uint64(1)
                    t, bound = crossing(z[a, u], z[b, u], scale[u] * slack[a], scale[u] * slack[b])
                    known = (
                        prove_crossing(t, z[a, u], z[b, u], scale[u] * proof[a], scale[u] * proof[b])
                        if proven
                        else 0.0
                    )
                    _insert(f, n, t, bound, known, u)
                    n += 1
            if n > 1:
                found = _settle(f, n, e, a, b, answers, questions) if proven else _join(f, n, z, a, b)
                n_open += found[0]
                identical += found[1]
        first_part[e] = e + n_new
        last_vertex = a
        for i in range(n):
            crossings[offsets[e] + i].unit = f.unit[i]
            if i > 0 and f.joined[i]:
                crossings[offsets[e] + i].vertex = last_vertex
                continue
            born = birth[n_new]
            born.a, born.b, born.unit, born.t, born.bound, born.proof = (
                a,
                b,
                f.unit[i],
                f.t[i],
                f.bound[i],
                f.proof[i],
            )
            parts[e + n_new, 0], parts[e + n_new, 1] = last_vertex, n_old + n_new
            last_vertex = n_old + n_new
            crossings[offsets[e] + i].vertex = last_vertex
            n_new += 1
        parts[e + n_new, 0], parts[e + n_new, 1] = last_vertex, b
    first_part[len(edges)] = len(edges) + n_new
    return n_new, n_open, identical


@part(forceinline=True)
def _insert(f: Any, n: Any, t: Any, bound: Any, proof: Any, u: Any) -> None:
    """Keep the n crossings of one edge in the order of their parameters."""
    i = n
    while i > 0 and f.t[i - 1] > t:
        _put(f, i, f.t[i - 1], f.bound[i - 1], f.proof[i - 1], f.unit[i - 1])
        i -= 1
    _put(f, i, t, bound, proof, u)


@part(forceinline=True)
def _put(f: Any, i: Any, t: Any, bound: Any, proof: Any, u: Any) -> None:
    f.t[i], f.bound[i], f.proof[i], f.unit[i] = t, bound, proof, u


@part(forceinline=True)
def _join(f: Any, n: Any, z: Any, a: Any, b: Any) -> Any:
    """Take neighbours that estimates do not hold apart as one point; (how many, how many of them have the
    same values)."""
    n_open, identical = 0, 0
    for i in range(1, n):
        f.joined[i] = not in_order(f.t[i - 1], f.bound[i - 1], f.t[i], f.bound[i])
        if f.joined[i]:
            u, twin = f.unit[i], f.unit[i - 1]
            n_open += 1
            identical += abs(z[a, u]) == abs(z[a, twin]) and abs(z[b, u]) == abs(z[b, twin])
    return n_open, identical


@part()
def _settle(f: Any, n: Any, e: Any, a: Any, b: Any, answers: Any, questions: Any) -> Any:
    """Put the crossings of an edge in their exact order; (how many orders stay open, 0)."""
    n_open, i = 0, 1
    while i < n:
        f.joined[i] = False
        if f.t[i] - f.t[i - 1] <= f.proof[i - 1] + f.proof[i]:
            before, is_open = order(
                e, EDGE, f.unit[i - 1], f.unit[i], a, a, -1, b, b, -1,
                f.t[i - 1], f.bound[i - 1], f.proof[i - 1], f.t[i], f.bound[i], f.proof[i], answers, questions,
            )  # fmt: skip
            n_open += is_open
            if before < 0:
                # Both get the later parameter, which is as close to either as the larger of their errors: so
                # the list stays sorted.
                t, u = f.t[i], f.unit[i - 1]
                bound, proof = max(f.bound[i - 1], f.bound[i]), max(f.proof[i - 1], f.proof[i])
                _put(f, i - 1, t, f.bound[i], f.proof[i], f.unit[i])
                _put(f, i, t, bound, proof, u)
                i = max(1, i - 1)
                continue
            f.joined[i] = before == 0
        i += 1
    return n_open, 0
