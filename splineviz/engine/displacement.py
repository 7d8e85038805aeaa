"""Coordinates of vertices: how far they may be off, and those that are too far are taken anew, from their
lines."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from splineviz.exact.ancestry import ExactPoint
from splineviz.exact.digits import InexactError
from splineviz.exact.face_maps import FaceMaps
from splineviz.geometry.places import places_of
from splineviz.geometry.rounding import UNIT_ROUNDOFF
from splineviz.geometry.subdivision import Subdivision

__all__ = ["settled"]

_ALLOWED = 2.0**-32
"""Error of coordinates, as a share of the largest numbers between uv and input space, that is good enough"""

_IN_VAIN = 2.0**-6
"""Where some vertices may be off by more than this share of the worst displacement however many others are
taken anew, none is"""


Located = Callable[[np.ndarray], list[ExactPoint | None]]


def settled(
    maps: FaceMaps,
    located: Located,
    subdivision: Subdivision,
    reach: np.ndarray,
    width: np.ndarray,
    most: int,
) -> tuple[np.ndarray, float]:
    """(points, displacement): vertices that may be too far off are rounded from the places where their lines
    cross, and how far any may be off then, proven.

    ``reach`` (F,) is |origin| + |u| + |v| of each face's window, at most, ``width`` (F,) its diameter. The
    worst come first, no more than ``most`` of them, and none where others would be nearly as far off.
    Where two float64 do not tell a place well enough, ``located`` may tell it exactly.
    """
    told, faces = places_of(subdivision.arrays()).distance[:, 1], subdivision.faces
    of_vertex, within = np.full((2, len(told)), np.inf)  # of vertices that no face has
    of_vertex[faces.values] = np.repeat(reach, faces.lengths)
    within[faces.values] = np.repeat(width, faces.lengths)
    # Where lines do not tell a place, it is in the window all the same.
    distance = np.minimum(told, within) + subdivision.rounding
    rows = np.flatnonzero(distance > _ALLOWED * of_vertex)
    rows = rows[np.argsort(-distance[rows], kind="stable")]
    points, left = subdivision.vertices.copy(), np.where(of_vertex < np.inf, distance, 0.0)
    if len(rows) > most and distance[rows[most]] > _IN_VAIN * distance[rows[0]]:
        return points, float(left.max())
    rows = rows[:most]
    try:
        places = maps.places(rows.tolist())
    except InexactError:
        places = []
    for vertex, place in zip(rows.tolist(), places, strict=False):
        if place is not None and place.distance < left[vertex]:
            points[vertex] = place.uv
            left[vertex] = place.distance + UNIT_ROUNDOFF * np.abs(points[vertex]).sum()
    rows = rows[left[rows] > _ALLOWED * of_vertex[rows]]
    for vertex, exact in zip(rows.tolist(), located(rows), strict=False):
        if exact is not None:
            points[vertex] = exact.uv
            left[vertex] = UNIT_ROUNDOFF * np.abs(points[vertex]).sum()
    return points, float(left.max(initial=0.0))
