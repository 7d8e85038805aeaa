"""Coordinates of vertices: how far they may be off, and those that are too far are taken anew, from their
lines."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import numpy as np

from splineviz.exact.ancestry import ExactPoint
from splineviz.exact.digits import InexactError
from splineviz.exact.face_maps import FaceMaps
from splineviz.geometry.places import places_of
from splineviz.geometry.rounding import UNIT_ROUNDOFF
from splineviz.geometry.subdivision import Subdivision
from splineviz.geometry.thin_faces import corners_too_far_off

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
    limit: float,
    limit_for_areas: float,
) -> tuple[np.ndarray, np.ndarray]:
    """(points, off): vertices that may be too far off are rounded from the places where their lines
    cross, and how far each may be off then, proven.

    ``reach`` (F,) is |origin| + |u| + |v| of each face's window, at most, ``width`` (F,) its diameter. Those
    that are too far for any face are taken anew within ``limit`` products, the worst first, and none where
    others would be nearly as far off; those too far for the area of a face within ``limit_for_areas``. Where
    two float64 do not tell a place well enough, ``located`` may tell it exactly.
    """
    told, faces = places_of(subdivision.arrays()).distance[:, 1], subdivision.faces
    of_vertex, within = np.full((2, len(told)), np.inf)  # of vertices that no face has
    of_vertex[faces.values] = np.repeat(reach, faces.lengths)
    within[faces.values] = np.repeat(width, faces.lengths)
    # Where lines do not tell a place, it is in the window all the same.
    distance = np.minimum(told, within) + subdivision.rounding
    points, off = subdivision.vertices.copy(), np.where(of_vertex < np.inf, distance, 0.0)
    for_areas = corners_too_far_off(points, faces.offsets, faces.values, off)
    far = np.flatnonzero(off > _ALLOWED * of_vertex)
    if not len(far) and not len(for_areas):
        return points, off
    far = far[np.argsort(-off[far], kind="stable")]
    if not maps.served(far, limit):
        most = maps.affordable(limit)
        far = far[: most if off[far[most]] <= _IN_VAIN * off[far[0]] else 0]
    for_areas = np.setdiff1d(for_areas, far)
    if not maps.served(for_areas, limit_for_areas):
        for_areas = for_areas[: maps.affordable(limit_for_areas)]
    rows = np.concatenate([far, for_areas])
    with suppress(InexactError):
        places = maps.places(rows)
        closer = places.distance < off[rows]
        rows, places = rows[closer], places.only(closer)
        points[rows], off[rows] = places.uv, places.distance + places.rounded()
    far = far[off[far] > _ALLOWED * of_vertex[far]]
    for vertex, exact in zip(far.tolist(), located(far), strict=False):
        if exact is not None:
            points[vertex] = exact.uv
            off[vertex] = UNIT_ROUNDOFF * np.abs(points[vertex]).sum()
    return points, off
