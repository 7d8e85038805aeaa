"""Distances of the nominal places of vertices from the exact lines of the edges that end there (`places`).

On a part of an older edge a new vertex divides the way between nominal ends, and is off by no more than they
are. A new edge lies where a unit vanishes. What a vertex is off that line follows from the values of the unit
at the two ends between which the vertex was born: these are known at nominal places, and so is where between
them the unit vanishes.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from splineviz.geometry.compiled import part
from splineviz.geometry.intrinsics import borrowed
from splineviz.geometry.places import Places, find_places, way
from splineviz.geometry.predicates import Units, nominal_errors
from splineviz.geometry.rounding import SAFE, UNIT_ROUNDOFF
from splineviz.geometry.subdivision import Arrays

__all__ = ["nominal_value", "stray_after"]


@part()
def stray_after(
    arrays: Arrays,
    first_part: Int64[np.ndarray, "old_edge+1"],
    birth: np.ndarray,
    unit: Int64[np.ndarray, "edge"],
    before: Arrays,
    places: Places,
    units: Units,
) -> None:
    """Fill the ``stray`` of a refined subdivision from that ``before``, with its ``places`` and the ``units``
    that cut.

    ``first_part`` and ``birth`` are those of `Refinement`; ``unit`` drew each of the edges that are no parts
    of older ones. Where the values of a unit do not tell, the line passes the vertex no farther off than
    where that belongs.
    """
    arrays, before, places, units = borrowed(arrays), borrowed(before), borrowed(places), borrowed(units)
    edges, stray, n_old = arrays.edges, arrays.stray, len(before.vertices)
    for e in range(len(before.edges)):
        for k in range(first_part[e], first_part[e + 1]):
            for i in range(2):
                t = 0.0 if edges[k, i] == before.edges[e, 0] else 1.0
                if edges[k, i] >= n_old:
                    t = birth[edges[k, i] - n_old].t
                for j in (0, 2):
                    stray[k, j + i] = (1.0 - t) * before.stray[e, j] + t * before.stray[e, j + 1]
    told, e = True, first_part[-1]
    while e < len(edges):
        last = e + 1
        while last < len(edges) and _goes_on(edges, unit, birth, n_old, last):
            last += 1
        told = _along_chord(arrays, birth, places, units, unit[e], e, last) and told
        e = last
    if not told:
        after = find_places(arrays).distance
        for e in range(first_part[-1], len(edges)):
            for i in range(2):
                stray[e, 2 + i] = min(stray[e, 2 + i], after[edges[e, i], 1])


@part(forceinline=True)
def _goes_on(
    edges: Int64[np.ndarray, "edge 2"],
    unit: Int64[np.ndarray, "edge"],
    birth: np.ndarray,
    n_old: int,
    e: int,
) -> bool:
    """Whether edge e continues the chord of the edge before it: from a vertex inside a face."""
    v = edges[e, 0]
    inside = v >= n_old and birth[v - n_old].along >= 0
    return bool(inside and v == edges[e - 1, 1] and unit[e] == unit[e - 1])


@part(forceinline=True)
def _along_chord(
    arrays: Arrays, birth: np.ndarray, places: Places, units: Units, u: int, first: int, last: int
) -> bool:
    """Fill the ``stray`` of the edges of one chord, drawn by unit u; whether all of it is known."""
    edges, stray, n_old = arrays.edges, arrays.stray, len(units.z)
    p, q = edges[first, 0], edges[last - 1, 1]
    near_p, near_q = _off(arrays, birth, places, units, p, u), _off(arrays, birth, places, units, q, u)
    start, stop = (
        _across(arrays, birth, n_old, p, q, near_p, near_q),
        _across(arrays, birth, n_old, q, p, near_q, near_p),
    )
    here, told = start, start[1] < np.inf
    for e in range(first, last):
        stray[e, 0], stray[e, 2] = here
        v = edges[e, 1]
        if e == last - 1:
            here = stop
        elif birth[v - n_old].along == u:  # between the two ends of this chord
            t = birth[v - n_old].t
            here = (1.0 - t) * start[0] + t * stop[0], (1.0 - t) * start[1] + t * stop[1]
        else:
            here = _across(arrays, birth, n_old, v, q, _off(arrays, birth, places, units, v, u), stop)
        stray[e, 1], stray[e, 3] = here
        told = told and here[1] < np.inf
    return bool(told)


@part()
def _off(
    arrays: Arrays, birth: np.ndarray, places: Places, units: Units, v: int, u: int
) -> tuple[float, float]:
    """(estimated, proven) distance of the nominal place of vertex v from the line of unit u, on the way on
    which v was born; infinite if values do not tell.

    With values z at the ends a and b that err by e, u vanishes at q = z_a / (z_a - z_b) on the way between
    their nominal places, give or take (|1 - q| e_a + |q| e_b) / (|z_a - z_b| - e_a - e_b), also beyond the
    ends.
    """
    n_old = len(units.z)
    if v < n_old:
        return places.distance[v, 0], places.distance[v, 1]
    born = birth[v - n_old]
    long = way(arrays, born.a, born.b)
    if born.unit == u:
        return born.nominal * long, SAFE * born.nominal_proof * long if born.nominal_proof < 1.0 else np.inf
    za, slack_a, proof_a = nominal_value(birth, units, born.a, u)
    zb, slack_b, proof_b = nominal_value(birth, units, born.b, u)
    spread = abs(za - zb)
    if spread == 0.0:
        return long, np.inf
    q = za / (za - zb)
    off = abs(born.t - q) + 8.0 * UNIT_ROUNDOFF * max(1.0, abs(q))
    likely = min(1.0, off + (abs(1.0 - q) * slack_a + abs(q) * slack_b) / spread) * long
    if len(units.proof) == 0:
        return likely, 0.0
    certain = spread * (1.0 - 4.0 * UNIT_ROUNDOFF) - SAFE * (proof_a + proof_b)
    if certain <= 0.0:
        return likely, np.inf
    return likely, SAFE * (off + (abs(1.0 - q) * proof_a + abs(q) * proof_b) / certain) * long


@part(forceinline=True)
def _across(
    arrays: Arrays,
    birth: np.ndarray,
    n_old: int,
    v: int,
    w: int,
    off: tuple[float, float],
    end: tuple[float, float],
) -> tuple[float, float]:
    """(estimated, proven) distance of the nominal place of v straight across to a line that passes it at
    ``off`` on the way on which it was born, and the nominal place of w within ``end``.

    It is off times the sine of the angle between that way and the line, which is turned from v - w by no more
    than a sine of (off + end) / |v - w|.
    """
    if v < n_old:
        return off
    points, c = arrays.vertices, arrays.rounding
    a, b = birth[v - n_old].a, birth[v - n_old].b
    ax, ay = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1]
    bx, by = points[w, 0] - points[v, 0], points[w, 1] - points[v, 1]
    long_a, long_b = np.sqrt(ax * ax + ay * ay), np.sqrt(bx * bx + by * by)
    area = abs(ax * by - ay * bx) + (8.0 * c + 4.0 * UNIT_ROUNDOFF * max(long_a, long_b)) * (long_a + long_b)
    long_a, long_b = long_a - 4.0 * c, long_b - 4.0 * c
    if long_a <= 0.0 or long_b <= 0.0:
        return off
    sine = area / (long_a * long_b)
    return (
        off[0] * min(1.0, sine + (off[0] + end[0]) / long_b),
        off[1] * min(1.0, SAFE * (sine + (off[1] + end[1]) / long_b)),
    )


@part(forceinline=True)
def nominal_value(birth: np.ndarray, units: Units, v: int, u: int) -> tuple[float, float, float]:
    """Value of a unit at an old vertex, or one that was born between two of them; its error at the nominal
    place, estimated and proven."""
    n_old = len(units.z)
    if v < n_old:
        slack, proof = nominal_errors(units, v, u)
        return units.z[v, u], slack, proof
    born = birth[v - n_old]
    za, zb, t = units.z[born.a, u], units.z[born.b, u], born.t
    slack_a, proof_a = nominal_errors(units, born.a, u)
    slack_b, proof_b = nominal_errors(units, born.b, u)
    rounded = UNIT_ROUNDOFF * max(abs(za), abs(zb))
    slack, proof = (1.0 - t) * slack_a + t * slack_b + rounded, max(proof_a, proof_b) + 8.0 * rounded
    return za + t * (zb - za), slack, SAFE * proof
