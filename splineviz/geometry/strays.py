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
from splineviz.geometry.places import Places, find_places, way
from splineviz.geometry.predicates import Units, nominal_errors
from splineviz.geometry.rounding import SAFE, UNIT_ROUNDOFF
from splineviz.geometry.subdivision import Arrays

__all__ = ["stray_after"]


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
    edges, stray, n_old = arrays.edges, arrays.stray, len(before.vertices)
    for e in range(len(before.edges)):
        for k in range(first_part[e], first_part[e + 1]):
            for i in range(2):
                t = 0.0 if edges[k, i] == before.edges[e, 0] else 1.0
                if edges[k, i] >= n_old:
                    t = birth[edges[k, i] - n_old].t
                for j in (0, 2):
                    stray[k, j + i] = (1.0 - t) * before.stray[e, j] + t * before.stray[e, j + 1]
    told = True
    for e in range(first_part[-1], len(edges)):
        for i in range(2):
            stray[e, i], stray[e, 2 + i] = _off_own(arrays, birth, places, units, edges[e, i], unit[e])
            told = told and stray[e, 2 + i] < np.inf
    if not told:
        after = find_places(arrays).distance
        for e in range(first_part[-1], len(edges)):
            for i in range(2):
                stray[e, 2 + i] = min(stray[e, 2 + i], after[edges[e, i], 1])


@part()
def _off_own(
    arrays: Arrays, birth: np.ndarray, places: Places, units: Units, v: int, u: int
) -> tuple[float, float]:
    """(estimated, proven) distance of the nominal place of vertex v from the line that unit u drew through
    it."""
    n_old = len(units.z)
    if v >= n_old and birth[v - n_old].along == u:  # on the chord of u, between its two ends
        born = birth[v - n_old]
        a = _off_other(arrays, birth, places, units, born.a, u)
        b = _off_other(arrays, birth, places, units, born.b, u)
        return (1.0 - born.t) * a[0] + born.t * b[0], (1.0 - born.t) * a[1] + born.t * b[1]
    return _off_other(arrays, birth, places, units, v, u)


@part()
def _off_other(
    arrays: Arrays, birth: np.ndarray, places: Places, units: Units, v: int, u: int
) -> tuple[float, float]:
    """Distance as in `_off_own` where u vanishes between the two ends of v's birth; infinite if that does not
    tell.

    With values z at the ends a and b that err by e, u vanishes at q = z_a / (z_a - z_b) on the way between
    their nominal places, give or take (|1 - q| e_a + |q| e_b) / (|z_a - z_b| - e_a - e_b), also beyond the
    ends.
    """
    n_old = len(units.z)
    if v < n_old:
        return places.distance[v, 0], places.distance[v, 1]
    born = birth[v - n_old]
    za, slack_a, proof_a = _value_at(birth, units, born.a, u)
    zb, slack_b, proof_b = _value_at(birth, units, born.b, u)
    spread, long = abs(za - zb), way(arrays, born.a, born.b)
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


@part()
def _value_at(birth: np.ndarray, units: Units, v: int, u: int) -> tuple[float, float, float]:
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
