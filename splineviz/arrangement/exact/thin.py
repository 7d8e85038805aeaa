"""Cells that are too thin for the rounded coordinates of their vertices: those vertices, and areas, from exact coordinates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from splineviz.arrangement.exact.ancestry import Ancestry, Place
from splineviz.arrangement.exact.digits import InexactError
from splineviz.arrangement.exact.judge import effort, find
from splineviz.geometry.subdivision import Subdivision
from splineviz.geometry.thin import thin_faces
from splineviz.program.program import Program

__all__ = ["NO_THIN", "Thin", "all_thin", "measure"]

_THICKNESS = 1e-11
"""Share of the size of the subdivision up to which a cell is measured exactly"""


@dataclass(frozen=True, eq=False)
class Thin:
    """Cells whose areas are not those of their rounded vertices."""

    cells: np.ndarray
    """(k,) ascending"""
    areas: np.ndarray
    """(k,) positive, the exact ones rounded"""


NO_THIN = Thin(np.empty(0, np.int64), np.empty(0))


def all_thin(parts: Sequence[Thin]) -> Thin:
    """Those of several parts, numbered in one row already."""
    return Thin(*(np.concatenate([getattr(part, name) for part in (NO_THIN, *parts)]) for name in ("cells", "areas")))


def measure(program: Program, ancestry: Ancestry, subdivision: Subdivision, limit: float) -> tuple[np.ndarray, Thin]:
    """(vertices, thin): the vertices with those of thin cells rounded from their exact places, and the areas of these cells.

    Nothing is measured where that takes more `judge.effort` than ``limit``.
    """
    s = subdivision
    size = float(np.ptp(s.vertices, axis=0).max(initial=0.0))
    cells = thin_faces(s.vertices, s.faces.offsets, s.faces.values, _THICKNESS * size)
    corners = [s.faces[cell].tolist() for cell in cells.tolist()]
    keys = {vertex: ancestry.key(vertex) for row in corners for vertex in row}
    if not keys or effort(program, keys.values(), len(program.stages) - 1) > limit:
        return s.vertices, NO_THIN
    try:
        find(program, keys.values())
    except InexactError:
        return s.vertices, NO_THIN
    places = {vertex: born.places[row] for vertex, (born, row) in keys.items()}
    vertices = s.vertices.copy()
    for vertex, place in places.items():
        if place is not None:
            x, y, w = place.point
            vertices[vertex] = x / w, y / w
    areas = np.array([_area([places[vertex] for vertex in row]) for row in corners])
    return vertices, Thin(cells[areas > 0.0], areas[areas > 0.0])


def _area(places: list[Place | None]) -> float:
    """Of a polygon; 0 if a corner is not known. A positive area that underflows is the least positive float."""
    points = [(Fraction(p.point[0], p.point[2]), Fraction(p.point[1], p.point[2])) for p in places if p is not None]
    if len(points) < len(places):
        return 0.0
    twice = sum((a[0] * b[1] - a[1] * b[0] for a, b in pairwise([*points, points[0]])), Fraction(0))
    return max(float(twice / 2), math.ulp(0.0)) if twice > 0 else 0.0
