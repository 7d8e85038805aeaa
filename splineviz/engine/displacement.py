"""Coordinates of vertices: how far they may be off, and those that are too far are rounded anew, from exact
ones."""

from __future__ import annotations

import numpy as np

from splineviz.exact.ancestry import Ancestry
from splineviz.exact.resolver import located
from splineviz.geometry.places import places_of
from splineviz.geometry.rounding import UNIT_ROUNDOFF
from splineviz.geometry.subdivision import Subdivision
from splineviz.program.program import Program

__all__ = ["settled"]

_LIKELY, _CERTAIN = 2.0**-32, 2.0**-32
"""Allowed errors of coordinates, by estimate and by proof, as shares of the largest numbers between uv and
input space"""


def settled(
    program: Program, ancestry: Ancestry, subdivision: Subdivision, reach: np.ndarray, limit: float
) -> tuple[np.ndarray, float]:
    """(points, displacement): vertices that may be too far off are rounded from exact places, and how far any
    may be off then, proven.

    ``reach`` (F,) is |origin| + |u| + |v| of each face's window, at most. The worst come first, as far as
    ``limit`` of `resolver.effort` goes.
    """
    told, faces = places_of(subdivision.arrays()).distance, subdivision.faces
    of_vertex = np.full(len(told), np.inf)  # of vertices that no face has
    of_vertex[faces.values] = np.repeat(reach, faces.lengths)
    # Where lines do not tell a place, it is in the window all the same.
    distance = np.minimum(told, 2.0 * of_vertex[:, None]) + subdivision.rounding
    worst = np.maximum(distance[:, 0] / _LIKELY, distance[:, 1] / _CERTAIN) / of_vertex
    rows = np.flatnonzero(worst > 1.0)
    rows = rows[np.argsort(-worst[rows], kind="stable")]
    points, left = subdivision.vertices.copy(), np.where(of_vertex < np.inf, distance[:, 1], 0.0)
    for vertex, place in zip(rows.tolist(), located(program, ancestry, rows, limit), strict=False):
        if place is not None:
            points[vertex] = place.uv
            left[vertex] = UNIT_ROUNDOFF * np.abs(points[vertex]).sum()
    return points, float(left.max(initial=0.0))
