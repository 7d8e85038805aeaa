"""Proven bounds of the lengths of the decision boundary within cells.

Within a cell the boundary of two classes is the part of the line on which their logits tie that lies within
the cell, where no other class wins: a line, clipped by half-planes. All are known up to bounded errors. So
the exact line lies in a strip about the stored one, and every half-plane h >= 0 between the stored ones
h >= E and h >= -E: clipped by the first, all of the stored line that is left is certain, and clipped by the
second, nothing else is possible. Which classes win in a cell has to be proven; how their pieces meet need
not be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

from splineviz.arrangement.corners import lines_of_sides
from splineviz.geometry.csr import Csr
from splineviz.geometry.rounding import FLOOR, SAFE, UNIT_ROUNDOFF

if TYPE_CHECKING:
    from splineviz.arrangement.proof import Proof
    from splineviz.arrangement.result import Arrangement

__all__ = ["TieLengths", "tie_lengths"]

_ROUNDINGS = 32.0 * UNIT_ROUNDOFF
"""Of values of a form on a line, in units of its largest terms"""


class TieLengths(NamedTuple):
    """Bounds of the length on which two classes meet within a cell, for all pairs of winners of each."""

    cells: Int64[np.ndarray, "tie"]
    classes: Int64[np.ndarray, "tie 2"]
    """Ascending"""
    least: Float64[np.ndarray, "tie"]
    most: Float64[np.ndarray, "tie"]


@dataclass(frozen=True, eq=False)
class _Surroundings:
    """The cells of ties, with room for all that may be off."""

    centre: Float64[np.ndarray, "tie 2"]
    radius: Float64[np.ndarray, "tie"]
    """About the centre: of a disk that holds the exact cell"""
    displacement: Float64[np.ndarray, "tie"]
    """Of its corners"""
    corners: Csr
    """Vertices of each"""

    @classmethod
    def of(cls, arr: Arrangement, proof: Proof, cells: np.ndarray) -> _Surroundings:
        corners = arr.cells.take(cells)
        start, uv = corners.offsets[:-1], arr.vertices[corners.values]
        centre = np.add.reduceat(uv, start) / corners.lengths[:, None]
        away = np.hypot(*(uv - centre[corners.row_of]).T)
        moved = np.maximum.reduceat(proof.displacement_at(corners.values)[corners.values], start)
        return cls(centre, SAFE * (np.maximum.reduceat(away, start) + moved), moved, corners)


@dataclass(frozen=True, eq=False)
class _HalfPlanes:
    """Half-planes a u + b v + c >= 0, several of each tie."""

    ties: Int64[np.ndarray, "half_plane"]
    forms: Float64[np.ndarray, "half_plane 3"]
    errors: Float64[np.ndarray, "half_plane 3"]
    known: Bool[np.ndarray, "half_plane"]
    """Whether it is proven which side is meant"""


class _Line(NamedTuple):
    """The stored lines of ties, by a point and a unit vector; the exact ones lie within ``width`` of them."""

    point: np.ndarray
    way: np.ndarray
    far: np.ndarray
    """How far from the point the exact cell may be"""
    reach: np.ndarray
    """Largest coordinate of what is looked at"""
    width: np.ndarray
    slant: np.ndarray
    """Tangent of the angle between the stored line and the exact one, at most"""


def tie_lengths(
    arr: Arrangement,
    proof: Proof,
    maps: Float64[np.ndarray, "cell logit 3"],
    winners: Int64[np.ndarray, "piece 2"],
) -> TieLengths:
    """Bounds for all pairs of classes that win in a cell, from ``winners``, (cell, class), which are proven.

    ``maps`` are those of the logits.
    """
    of_cell = _by_cell(winners)
    first, second = _pairs(of_cell)
    cells, classes = winners[first, 0], np.stack([winners[first, 1], winners[second, 1]], axis=1)
    classes.sort(axis=1)
    if not len(cells):
        return TieLengths(cells, classes, np.zeros(0), np.zeros(0))
    around = _Surroundings.of(arr, proof, cells)
    gap = maps[cells, classes[:, 0]] - maps[cells, classes[:, 1]]
    gap_errors = 2.0 * proof.errors[cells] + UNIT_ROUNDOFF * np.abs(gap)
    with np.errstate(all="ignore"):
        line = _line(gap, gap_errors, around)
        sides, rivals = (
            _sides(arr, proof, cells, around),
            _rivals(proof, maps, winners, of_cell, first, second),
        )
        least = _clipped(line, [sides, rivals], certain=True)
        most = _clipped(line, [sides, rivals], certain=False)
        rounding = 64.0 * UNIT_ROUNDOFF * line.far
        most = most * np.sqrt(1.0 + line.slant**2)
        usable = (line.width <= around.radius) & np.isfinite(line.slant)
        least = np.where(usable, np.maximum(0.0, least - rounding), 0.0)
        most = np.where(usable, np.maximum(0.0, most + rounding), np.inf)
    # Nothing within a disk is longer than its diameter.
    return TieLengths(cells, classes, least, np.fmin(most, SAFE * 2.0 * around.radius))


def _by_cell(winners: np.ndarray) -> Csr:
    """Rows of ``winners`` of each cell."""
    order = np.argsort(winners[:, 0], kind="stable")
    starts = np.flatnonzero(np.diff(winners[order, 0], prepend=-1))
    return Csr(np.append(starts, len(order)), order)


def _others(of_cell: Csr, n: int) -> tuple[np.ndarray, np.ndarray]:
    """(row, other): every winner with every winner of its cell, itself too."""
    group = np.empty(n, dtype=np.int64)
    group[of_cell.values] = of_cell.row_of
    found = of_cell.take(group)
    return found.row_of, found.values


def _pairs(of_cell: Csr) -> tuple[np.ndarray, np.ndarray]:
    """Two different winners of a cell each, every two once."""
    row, other = _others(of_cell, len(of_cell.values))
    once = row < other
    return row[once], other[once]


def _line(gap: np.ndarray, errors: np.ndarray, around: _Surroundings) -> _Line:
    """Where two logits tie, from their difference."""
    steep = np.hypot(gap[:, 0], gap[:, 1])
    normal = gap[:, :2] / steep[:, None]
    height = ((gap[:, :2] * around.centre).sum(1) + gap[:, 2]) / steep
    point = around.centre - height[:, None] * normal
    far = SAFE * (around.radius + np.abs(height))
    reach = SAFE * (np.abs(around.centre).max(1) + 2.0 * far + around.radius)
    left = np.abs((gap[:, :2] * point).sum(1) + gap[:, 2])
    width = SAFE * (left + _error(gap, errors, reach)) / steep + FLOOR
    wrong = SAFE * (np.hypot(errors[:, 0], errors[:, 1]) + 8.0 * UNIT_ROUNDOFF * steep)
    slant = np.where(steep > wrong, SAFE * wrong / (steep - wrong), np.inf)
    return _Line(point, np.stack([-normal[:, 1], normal[:, 0]], axis=1), far, reach, width, slant)


def _error(forms: np.ndarray, errors: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """(n,) error of values of forms at points with coordinates of at most ``reach``."""
    inherited = (errors[:, 0] + errors[:, 1]) * reach + errors[:, 2]
    size = (np.abs(forms[:, 0]) + np.abs(forms[:, 1])) * reach + np.abs(forms[:, 2])
    found: np.ndarray = SAFE * (inherited + _ROUNDINGS * size) + FLOOR
    return found


def _sides(arr: Arrangement, proof: Proof, cells: np.ndarray, around: _Surroundings) -> _HalfPlanes:
    """The half-planes of the sides of cells.

    The side of a line that is meant is that of the corner farthest from it, if that is not too near.
    """
    places = arr.cells.places(cells)
    forms, errors = (x.copy() for x in lines_of_sides(arr, proof.bounded, places.values))
    tie = places.row_of
    height = np.zeros(len(tie))
    for k in range(int(around.corners.lengths.max())):  # rounds over the corners of a cell, all sides at once
        corner = around.corners.offsets[:-1] + np.minimum(k, around.corners.lengths - 1)
        uv = arr.vertices[around.corners.values[corner]][tie]
        here = (forms[:, :2] * uv).sum(1) + forms[:, 2]
        height = np.where(np.abs(here) > np.abs(height), here, height)
    forms *= np.where(height < 0, -1.0, 1.0)[:, None]
    reach = np.abs(around.centre).max(1) + around.radius
    moved = around.displacement[tie] * np.abs(forms[:, :2]).sum(1)
    known = np.abs(height) > SAFE * (_error(forms, errors, reach[tie]) + moved)
    return _HalfPlanes(tie, forms, errors, known)


def _rivals(
    proof: Proof, maps: np.ndarray, winners: np.ndarray, of_cell: Csr, first: np.ndarray, second: np.ndarray
) -> _HalfPlanes:
    """Where the first of two classes that tie is at least every other winner of the cell."""
    row, other = _others(of_cell, len(winners))
    start = np.searchsorted(row, np.arange(len(winners) + 1))
    found = Csr(start, other).take(first)
    tie, third = found.row_of, found.values
    apart = (third != first[tie]) & (third != second[tie])
    tie, third = tie[apart], third[apart]
    cell = winners[third, 0]
    forms = maps[cell, winners[first[tie], 1]] - maps[cell, winners[third, 1]]
    errors = 2.0 * proof.errors[cell] + UNIT_ROUNDOFF * np.abs(forms)
    return _HalfPlanes(tie, forms, errors, np.ones(len(tie), dtype=bool))


def _clipped(line: _Line, parts: list[_HalfPlanes], *, certain: bool) -> np.ndarray:
    """(n,) length of what half-planes leave of each line, negative for nothing; ``certain`` says whether it
    is what is left for certain, or what may be left."""
    low, high = -line.far, line.far.copy()
    for part in parts:
        tie = part.ties
        size = np.abs(part.forms[:, :2]).sum(1)
        error = SAFE * (_error(part.forms, part.errors, line.reach[tie]) + size * line.width[tie])
        height = (part.forms[:, :2] * line.point[tie]).sum(1) + part.forms[:, 2]
        height += -error if certain else error
        slope = (part.forms[:, :2] * line.way[tie]).sum(1)
        at = -height / slope
        usable = part.known & np.isfinite(height)
        never = (slope == 0) & ~(height >= 0)
        rises, falls = usable & (slope > 0), usable & (slope < 0)
        np.maximum.at(low, tie[rises], at[rises])
        np.minimum.at(high, tie[falls], at[falls])
        # What is not known leaves nothing for certain, and all for possible.
        nothing = (usable & never) | ~usable if certain else usable & never
        high[tie[nothing]] = -np.inf
    length: np.ndarray = high - low
    return length
