"""Proven bounds of what integrals over rounded cells are off by.

The exact network is continuous, and affine on exact cells. What is summed is affine on stored cells, whose
corners are off by a displacement each, and whose maps are off by the errors of their coefficients. Corners
are shared, so that stored cells, with signs, cover the slice once, however their corners have moved. Between
an edge and its exact place lies an area of at most d (length + d), which moves from one cell to the
other: there the map of one cell is used in place of that of the other. Both agree on the exact line
of the edge, no farther than d away, so that values are off by no more than d times the jump of the gradient.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from splineviz.arrangement.rim import rim_sides
from splineviz.geometry.rounding import FLOOR, SAFE, UNIT_ROUNDOFF

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement
    from splineviz.measures.parts import Parts

__all__ = ["Deviation", "Swept", "cut_error", "deviation_of", "map_errors", "swept_areas"]

_ROUNDINGS = 160
"""Of the terms of a sum over triangles and of their pairwise sum, in units of roundoff of the integral of the
largest of them"""


@dataclass(frozen=True, eq=False)
class Swept:
    """The areas that edges may sweep on the way to their exact places."""

    inner: np.ndarray
    """Edges between two cells, at least one of which is measured"""
    areas: np.ndarray
    """Of these, aligned with ``inner``"""
    reach: np.ndarray
    """How far the points of that area may be from the exact edge, likewise"""
    outline: float
    """Area by which the outline of what is measured may be misplaced"""


@dataclass(frozen=True, eq=False)
class Deviation:
    """How far integrals over the slice may be off; infinite where nothing is proven."""

    values: float
    """Bound of the integral of the largest deviation of any output"""
    outline: float
    """Area by which the outline of what is measured may be misplaced, rounding of areas included"""
    area: float
    """Area of what is measured"""

    def integral(self, lipschitz: float, largest: float) -> float:
        """Error of the integral of a function of the outputs, at most ``largest`` in absolute value.

        It changes by no more than ``lipschitz`` times the largest change of an output.
        """
        if not math.isfinite(self.values + self.outline):
            return math.inf
        rounding = _ROUNDINGS * UNIT_ROUNDOFF * self.area
        return SAFE * (lipschitz * self.values + largest * (self.outline + rounding)) + FLOOR

    def mean(self, mean: float, error: float) -> float:
        """Error of a mean over the area, from that of its integral."""
        wrong = self.outline + _ROUNDINGS * UNIT_ROUNDOFF * self.area
        least = self.area - wrong
        return SAFE * (error + abs(mean) * wrong) / least if least > 0 else math.inf


def cut_error(parts: Parts) -> float:
    """Area by which parts that have been cut along lines may differ from what is left exactly.

    Heights above a line are off by a few roundoffs of the largest coordinates, and so are crossings, across
    either line.
    """
    size = 64.0 * UNIT_ROUNDOFF * float(np.abs(parts.polygons.values).max(initial=0.0))
    return size * float(parts.perimeters.sum())


def map_errors(arr: Arrangement) -> Float64[np.ndarray, "cell"]:
    """(F,) largest error of an output anywhere on a cell, by the errors of its map and its evaluation."""
    corners = np.abs(arr.vertices[arr.cells.values])
    reach = np.maximum.reduceat(corners, arr.cells.offsets[:-1])
    size = (np.abs(arr.affine[:, :, :2]) @ reach[:, :, None])[:, :, 0] + np.abs(arr.affine[:, :, 2])
    u, v, one = arr._bounded.errors.T
    found: np.ndarray = (
        SAFE * (u * reach[:, 0] + v * reach[:, 1] + one + 8.0 * UNIT_ROUNDOFF * size.max(1)) + FLOOR
    )
    return found


def swept_areas(arr: Arrangement, measured: np.ndarray) -> Swept | None:
    """What the edges of measured cells, a mask (F,), may sweep; None where no displacement is proven.

    Moving along the rim of a window sweeps nothing; beside it the corners are found by rounding alone.
    """
    proof = arr._proof
    if proof is None or not arr.stats.certified:
        return None
    far = proof.displacement[arr.edges].max(1)
    beside = arr.edge_cells >= 0
    counts = (beside & measured[arr.edge_cells]).any(1)
    length = np.hypot(*(arr.vertices[arr.edges[:, 1]] - arr.vertices[arr.edges[:, 0]]).T)
    rim = np.flatnonzero(counts & ~beside.all(1))
    far[rim] = np.minimum(far[rim], _beside_rim(arr, rim))
    areas = SAFE * far * (length + far)
    inner = np.flatnonzero(counts & beside.all(1))
    return Swept(inner, areas[inner], far[inner], math.fsum(areas[rim].tolist()))


def _beside_rim(arr: Arrangement, rim: np.ndarray) -> np.ndarray:
    """(n,) distance of edges of the rim from the line of their side; infinite where the side is not known."""
    side = rim_sides(arr)[rim]
    window = arr.cell_window[arr.edge_cells[rim].max(1)]
    distance = np.full(len(rim), np.inf)
    for w in np.unique(window):
        mine = (window == w) & (side >= 0)
        corners = arr.windows[w].vertices
        start, end = corners[side[mine]], corners[(side[mine] + 1) % len(corners)]
        step = end - start
        off = arr.vertices[arr.edges[rim[mine]]] - start[:, None]
        height = np.abs(step[:, None, 0] * off[:, :, 1] - step[:, None, 1] * off[:, :, 0])
        rounding = 8.0 * UNIT_ROUNDOFF * np.abs(corners).max()
        distance[mine] = SAFE * (height / np.hypot(*step.T)[:, None]).max(1) + rounding
    return distance


def deviation_of(arr: Arrangement, parts: Parts, swept: Swept | None, *, cut: bool) -> Deviation:
    """How far integrals over parts of cells may be off; ``cut`` says whether a polygon has cut them."""
    triangles = parts.triangles
    area = math.fsum(triangles.areas.tolist())
    if swept is None:
        return Deviation(math.inf, math.inf, area)
    left, right = arr.edge_cells[swept.inner].T
    slopes = arr.affine[:, :, :2]
    jump = np.hypot(*(slopes[left] - slopes[right]).transpose(2, 0, 1)).max(1)
    wrong = np.hypot(*arr._bounded.errors[:, :2].T)
    moved = swept.areas * swept.reach * (jump + wrong[left] + wrong[right])
    own = np.abs(triangles.areas) * map_errors(arr)[parts.cells[triangles.parts]]
    sides = triangles.uv[:, 1:] - triangles.uv[:, :1]
    rounding = 8.0 * UNIT_ROUNDOFF * np.hypot(*sides.transpose(2, 0, 1)).prod(1).sum()
    outline = swept.outline + float(rounding)
    if cut:
        outline += cut_error(parts)
    return Deviation(float(SAFE * (moved.sum() + own.sum())), SAFE * outline, area)
