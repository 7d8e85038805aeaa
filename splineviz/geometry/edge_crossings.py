"""Crossings on edges: one new vertex for each place where units vanish inside an edge, shared by both
faces."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt64

from splineviz.geometry.compiled import part
from splineviz.geometry.intrinsics import borrowed, popcount, trailing_zeros
from splineviz.geometry.predicates import (
    Crossing,
    Signs,
    Units,
    change_of,
    crossing,
    in_order,
    likely_error,
    nominal_errors,
    order,
    prove_crossing,
    proven_error,
)
from splineviz.geometry.questions import EDGE, Dialogue, Key, Point
from splineviz.geometry.records import BIRTH, CROSSING
from splineviz.geometry.rounding import UNIT_ROUNDOFF

__all__ = ["EdgeCrossings", "cross_edges"]


class EdgeCrossings(NamedTuple):
    """Crossings on edges: ``crossing[offsets[e]:offsets[e + 1]]`` from the first end of edge e to its
    second."""

    offsets: Int64[np.ndarray, "edge+1"]
    crossing: np.ndarray
    """`records.CROSSING`"""
    first_part: Int64[np.ndarray, "edge+1"]
    """First of the consecutive new edges into which an edge falls"""
    parts: Int64[np.ndarray, "part 2"]
    """Vertices of the new edges"""
    birth: np.ndarray
    """`records.BIRTH` of the new vertices; one for all crossings in one point"""
    open: int
    """Orders that nothing proves; without any proofs, those that were taken as one point"""
    identical: int
    """Of these, between units whose values at both ends of the edge are the same bit for bit, up to sign"""


class _Sorted(NamedTuple):
    """Crossings of one edge by ascending parameter, work space: `Crossing` and unit of each."""

    t: Float64[np.ndarray, "crossing"]
    bound: Float64[np.ndarray, "crossing"]
    proof: Float64[np.ndarray, "crossing"]
    unit: Int64[np.ndarray, "crossing"]
    nominal: Float64[np.ndarray, "crossing"]
    nominal_proof: Float64[np.ndarray, "crossing"]
    quotient: Float64[np.ndarray, "crossing"]
    """t as the values at the ends have it, before it is changed for an order that is known otherwise"""
    joined: Bool[np.ndarray, "crossing"]
    """Whether it is one point with the one before"""


@part()
def cross_edges(
    edges: Int64[np.ndarray, "edge 2"], units: Units, signs: Signs, first: int, last: int, dialogue: Dialogue
) -> EdgeCrossings:
    """Crossings on all edges, by the units in words first .. last - 1."""
    offsets = _count(edges, signs, first, last)
    total = offsets[-1]
    found = EdgeCrossings(
        offsets,
        np.empty(total, CROSSING),
        np.empty(len(edges) + 1, np.int64),
        np.empty((len(edges) + total, 2), np.int64),
        np.empty(total, BIRTH),
        0,
        0,
    )
    n_new, n_open, identical = _fill(edges, units, signs, first, last, found, dialogue)
    return EdgeCrossings(
        offsets,
        found.crossing,
        found.first_part,
        found.parts[: len(edges) + n_new],
        found.birth[:n_new],
        n_open,
        identical,
    )


@part()
def _count(
    edges: Int64[np.ndarray, "edge 2"], signs: Signs, first: int, last: int
) -> Int64[np.ndarray, "edge+1"]:
    """CSR offsets of the crossings on each edge."""
    positive, negative = signs.positive, signs.negative
    offsets = np.zeros(len(edges) + 1, np.int64)
    for e in range(len(edges)):
        a, b = edges[e, 0], edges[e, 1]
        n = 0
        for w in range(first, last):
            n += popcount((positive[a, w] & negative[b, w]) | (negative[a, w] & positive[b, w]))
        offsets[e + 1] = offsets[e] + n
    return offsets


@part()
def _fill(
    edges: Int64[np.ndarray, "edge 2"],
    units: Units,
    signs: Signs,
    first: int,
    last: int,
    found: EdgeCrossings,
    dialogue: Dialogue,
) -> tuple[int, int, int]:
    """(new vertices, orders left open, how many of them identical): fill all but the offsets of ``found``."""
    units = borrowed(units)
    positive, negative = signs.positive, signs.negative
    offsets, crossings, first_part = found.offsets, found.crossing, found.first_part
    parts, birth = found.parts, found.birth
    n_old, longest = len(units.z), 1
    for e in range(len(edges)):
        longest = max(longest, offsets[e + 1] - offsets[e])
    f = _Sorted(
        np.empty(longest),
        np.empty(longest),
        np.zeros(longest),
        np.empty(longest, np.int64),
        np.empty(longest),
        np.zeros(longest),
        np.empty(longest),
        np.zeros(longest, np.bool_),
    )
    n_new, n_open, identical = 0, 0, 0
    for e in range(len(edges)):
        a, b = edges[e, 0], edges[e, 1]
        n = 0
        if offsets[e + 1] > offsets[e]:
            n = _collect(f, units, positive, negative, a, b, first, last)
            if n > 1 and len(units.proof) > 0:
                n_open += _order_exactly(f, n, e, a, b, units.kinds, dialogue)
            elif n > 1:
                joined = _join(f, n, units.z, units.kinds, a, b)
                n_open += joined[0]
                identical += joined[1]
        first_part[e] = e + n_new
        last_vertex, late = a, 0.0
        for i in range(n):
            late = max(late, f.t[i] - f.quotient[i])
        for i in range(n):
            row = crossings[offsets[e] + i]
            row.unit = f.unit[i]
            if i == 0 or not f.joined[i]:
                born = birth[n_new]
                born.a, born.b, born.unit, born.along = a, b, f.unit[i], -1
                born.t, born.bound, born.proof = f.t[i], f.bound[i], f.proof[i]
                behind = abs(f.t[i] - f.quotient[i])
                born.nominal, born.nominal_proof = f.nominal[i] + behind, f.nominal_proof[i] + behind
                born.moved, born.share = _changes_at(f, n, i, late, units, a, b)
                parts[e + n_new, 0], parts[e + n_new, 1] = last_vertex, n_old + n_new
                last_vertex = n_old + n_new
                n_new += 1
            row.vertex = last_vertex
        parts[e + n_new, 0], parts[e + n_new, 1] = last_vertex, b
    first_part[len(edges)] = len(edges) + n_new
    return n_new, n_open, identical


@part(forceinline=True)
def _collect(
    f: _Sorted,
    units: Units,
    positive: UInt64[np.ndarray, "vertex word"],
    negative: UInt64[np.ndarray, "vertex word"],
    a: int,
    b: int,
    first: int,
    last: int,
) -> int:
    """Fill in the crossings on the edge from vertex a to b; returns how many there are."""
    z = units.z
    n = 0
    for w in range(first, last):
        word = (positive[a, w] & negative[b, w]) | (negative[a, w] & positive[b, w])
        while word != np.uint64(0):
            u = 64 * w + trailing_zeros(word)
            word &= word - np.uint64(1)
            za, zb = z[a, u], z[b, u]
            slack_a, sure_a = nominal_errors(units, a, u)
            slack_b, sure_b = nominal_errors(units, b, u)
            t, bound = crossing(za, zb, likely_error(units, a, u), likely_error(units, b, u))
            _, nominal = crossing(za, zb, slack_a, slack_b)
            proof, nominal_proof = 0.0, 0.0
            if len(units.proof) > 0:
                proof = prove_crossing(t, za, zb, proven_error(units, a, u), proven_error(units, b, u))
                nominal_proof = prove_crossing(t, za, zb, sure_a, sure_b)
            _insert(f, n, Crossing(t, bound, proof), nominal, nominal_proof, u)
            n += 1
    return n


@part()
def _changes_at(f: _Sorted, n: int, i: int, late: float, units: Units, a: int, b: int) -> tuple[float, float]:
    """(norm of all changes, largest one over the scale of its unit) of values that units should not have at
    the i-th of n crossings of the edge from vertex a to b: its own, those that cross there too, and those
    that cross before or behind it and have another sign by their values.

    No crossing is more than ``late`` behind where values have it.
    """
    z, scale = units.z, units.scale
    squares, share = 0.0, 0.0
    for step in (-1, 1):
        k, one_point = (i if step < 0 else i + 1), True
        while 0 <= k < n:
            if k != i:
                one_point = one_point and f.joined[k if step > 0 else k + 1]
                if not one_point and abs(f.t[k] - f.t[i]) > late + 4.0 * UNIT_ROUNDOFF:
                    break
            unit = f.unit[k]
            change = change_of(f.t[i], f.quotient[k], step, one_point) * abs(z[a, unit] - z[b, unit])
            squares += change * change
            if scale[unit] > 0.0:
                share = max(share, change / scale[unit])
            k += step
    return np.sqrt(squares), share


@part(forceinline=True)
def _insert(f: _Sorted, n: int, found: Crossing, nominal: float, nominal_proof: float, u: int) -> None:
    """Insert a crossing of unit u among the n of an edge, which are in the order of their parameters."""
    i = n
    while i > 0 and f.t[i - 1] > found.t:
        _put(f, i, Crossing(f.t[i - 1], f.bound[i - 1], f.proof[i - 1]))
        _name(f, i, f.nominal[i - 1], f.nominal_proof[i - 1], f.unit[i - 1], f.quotient[i - 1])
        i -= 1
    _put(f, i, found)
    _name(f, i, nominal, nominal_proof, u, found.t)


@part(forceinline=True)
def _put(f: _Sorted, i: int, found: Crossing) -> None:
    """Place a crossing, with its errors."""
    f.t[i], f.bound[i], f.proof[i] = found.t, found.bound, found.proof


@part(forceinline=True)
def _name(f: _Sorted, i: int, nominal: float, nominal_proof: float, u: int, quotient: float) -> None:
    """Note what is so of a unit's crossing wherever it is put."""
    f.nominal[i], f.nominal_proof[i], f.unit[i], f.quotient[i] = nominal, nominal_proof, u, quotient


@part(forceinline=True)
def _one_kind(kinds: Int64[np.ndarray, "unit"], u: int, v: int) -> bool:
    """Whether two units are known to be one function."""
    return len(kinds) > 0 and kinds[u] == kinds[v]


@part(forceinline=True)
def _join(
    f: _Sorted,
    n: int,
    z: Float64[np.ndarray, "vertex unit"],
    kinds: Int64[np.ndarray, "unit"],
    a: int,
    b: int,
) -> tuple[int, int]:
    """Take neighbours that estimates do not hold apart as one point; returns how many, and how many of them
    have the same values."""
    n_open, identical = 0, 0
    for i in range(1, n):
        u, twin = f.unit[i], f.unit[i - 1]
        alike = _one_kind(kinds, u, twin)
        f.joined[i] = alike or not in_order(f.t[i - 1], f.bound[i - 1], f.t[i], f.bound[i])
        if f.joined[i] and not alike:
            n_open += 1
            identical += abs(z[a, u]) == abs(z[a, twin]) and abs(z[b, u]) == abs(z[b, twin])
    return n_open, identical


@part()
def _order_exactly(
    f: _Sorted, n: int, e: int, a: int, b: int, kinds: Int64[np.ndarray, "unit"], dialogue: Dialogue
) -> int:
    """Put the crossings of an edge in their exact order; returns how many orders stay open."""
    n_open, i = 0, 1
    while i < n:
        f.joined[i] = _one_kind(kinds, f.unit[i], f.unit[i - 1])
        if not f.joined[i] and f.t[i] - f.t[i - 1] <= f.proof[i - 1] + f.proof[i]:
            before, is_open = order(
                Key(e, EDGE, f.unit[i - 1], f.unit[i]),
                Point(a, a, -1),
                Point(b, b, -1),
                Crossing(f.t[i - 1], f.bound[i - 1], f.proof[i - 1]),
                Crossing(f.t[i], f.bound[i], f.proof[i]),
                dialogue,
            )
            n_open += is_open
            if before < 0:
                # Both get the later parameter, which is as close to either as the larger of their errors: so
                # the list stays sorted.
                t, bound = f.t[i], max(f.bound[i - 1], f.bound[i])
                later = Crossing(t, bound, max(f.proof[i - 1], f.proof[i]))
                u, quotient, nominal, sure = (
                    f.unit[i - 1],
                    f.quotient[i - 1],
                    f.nominal[i - 1],
                    f.nominal_proof[i - 1],
                )
                _put(f, i - 1, Crossing(t, f.bound[i], f.proof[i]))
                _name(f, i - 1, f.nominal[i], f.nominal_proof[i], f.unit[i], f.quotient[i])
                _put(f, i, later)
                _name(f, i, nominal, sure, u, quotient)
                i = max(1, i - 1)
                continue
            f.joined[i] = before == 0
        i += 1
    return n_open
