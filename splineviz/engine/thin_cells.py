"""Cells that are too thin for the rounded coordinates of their vertices: those vertices, and areas, from
exact coordinates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from splineviz.exact.ancestry import Ancestry, ExactPoint
from splineviz.exact.resolver import located
from splineviz.geometry.csr import Csr
from splineviz.geometry.rounding import UNIT_ROUNDOFF
from splineviz.geometry.thin_faces import thin_faces
from splineviz.program.program import Program

__all__ = ["NO_THIN", "Thin", "all_thin", "measured"]

_THICKNESS = 2.0**-36
"""Up to which a cell is measured exactly, as a share of the largest numbers between uv and input space"""


@dataclass(frozen=True, eq=False)
class Thin:
    """Cells whose areas are not those of their rounded vertices."""

    cells: np.ndarray
    """(k,) ascending"""
    areas: np.ndarray
    """(k,) positive, the exact ones rounded"""
    unmeasured: np.ndarray
    """(n,) those whose exact areas are not known, ascending"""


NO_THIN = Thin(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64))


def all_thin(parts: Sequence[tuple[Thin, int]]) -> Thin:
    """Thin cells of several parts as one, each with the number of cells before it."""
    shifted = [Thin(part.cells + n, part.areas, part.unmeasured + n) for part, n in parts]
    names = ("cells", "areas", "unmeasured")
    return Thin(*(np.concatenate([getattr(part, name) for part in (NO_THIN, *shifted)]) for name in names))


def measured(
    program: Program,
    ancestry: Ancestry,
    points: np.ndarray,
    off: np.ndarray,
    faces: Csr,
    reach: np.ndarray,
    limit: float,
) -> tuple[np.ndarray, float, Thin]:
    """(points, displacement, thin): vertices of thin cells rounded from their exact places, how far any may
    be off then, and the areas of these cells.

    ``off`` (V,) and ``reach`` (F,) are those of `displacement.settled`. Only so many vertices are looked at
    as ``limit`` of `resolver.effort` allows.
    """
    cells = thin_faces(points, faces.offsets, faces.values, _THICKNESS * reach, off)
    if not len(cells):
        return points, float(off.max(initial=0.0)), NO_THIN
    corners = [faces[cell].tolist() for cell in cells.tolist()]
    vertices = list(dict.fromkeys(vertex for row in corners for vertex in row))
    places = dict(zip(vertices, located(program, ancestry, vertices, limit), strict=False))
    points, off = points.copy(), off.copy()
    for vertex, place in places.items():
        if place is not None:
            points[vertex] = place.uv
            off[vertex] = UNIT_ROUNDOFF * np.abs(points[vertex]).sum()
    areas = np.array([_area([places.get(vertex) for vertex in row]) for row in corners])
    known = areas > 0.0
    return points, float(off.max(initial=0.0)), Thin(cells[known], areas[known], cells[~known])


def _area(places: list[ExactPoint | None]) -> float:
    """Area of a polygon; 0 if a corner is not known. A positive area that underflows is the least positive
    float."""
    points = [
        (Fraction(p.point[0], p.point[2]), Fraction(p.point[1], p.point[2])) for p in places if p is not None
    ]
    if len(points) < len(places):
        return 0.0
    twice = sum((a[0] * b[1] - a[1] * b[0] for a, b in pairwise([*points, points[0]])), Fraction(0))
    return max(float(twice / 2), math.ulp(0.0)) if twice > 0 else 0.0
