"""Convex parts of cells: cut along half-planes, and divided into triangles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.arrangement.polygons import next_side
from splineviz.geometry.csr import Csr

__all__ = ["Parts", "Triangles", "half_planes_of"]


@dataclass(frozen=True, eq=False)
class Parts:
    """Convex polygons, each within one cell."""

    polygons: Csr
    """uv of the corners of each, counter-clockwise, (sides, 2)"""
    cells: Int64[np.ndarray, "part"]
    classes: Int64[np.ndarray, "part"]
    """Class that wins on all of a part; -1 where several may"""

    def take(self, rows: np.ndarray) -> Parts:
        """Some of the parts."""
        return Parts(self.polygons.take(rows), self.cells[rows], self.classes[rows])

    def within(self, half_planes: Float64[np.ndarray, "line 4"]) -> Parts:
        """The parts cut along half-planes, the rows of `half_planes_of`; what is left without area goes."""
        parts = self
        for normal_u, normal_v, u, v in half_planes.tolist():  # lines of one polygon, not cells
            uv = parts.polygons.values
            height = normal_u * (uv[:, 0] - u) + normal_v * (uv[:, 1] - v)
            parts = parts.above(height)
        return parts

    def above(self, height: Float64[np.ndarray, "corner"]) -> Parts:
        """Where heights above a line of each part, at all corners, are not negative.

        A crossing is found from the ends of a side in an order of their own, so that two cells at a side find
        the same one, bit for bit.
        """
        polygons = self.polygons
        uv, after, owner = polygons.values, next_side(polygons.offsets), polygons.row_of
        keep, crossing = height >= 0, height * height[after] < 0
        count = keep.astype(np.int64) + crossing
        place = np.cumsum(count) - count
        source = np.repeat(np.arange(len(uv)), count)
        new, born = uv[source], np.flatnonzero(crossing)
        end = after[born]
        swap = (uv[born] > uv[end])[:, 0] | ((uv[born, 0] == uv[end, 0]) & (uv[born, 1] > uv[end, 1]))
        tail, head = np.where(swap, end, born), np.where(swap, born, end)
        share = height[tail] / (height[tail] - height[head])
        new[place[born] + keep[born]] = uv[tail] + share[:, None] * (uv[head] - uv[tail])
        lengths = np.bincount(owner[source], minlength=len(polygons))
        left = Csr(np.concatenate([[0], np.cumsum(lengths)]), new)
        return Parts(left, self.cells, self.classes).take(np.flatnonzero(lengths > 2))

    @property
    def perimeters(self) -> Float64[np.ndarray, "part"]:
        """(P,) perimeter of each part."""
        if not len(self.polygons):
            return np.zeros(0)
        uv = self.polygons.values
        lengths = np.hypot(*(uv[next_side(self.polygons.offsets)] - uv).T)
        perimeters: np.ndarray = np.add.reduceat(lengths, self.polygons.offsets[:-1])
        return perimeters

    @property
    def triangles(self) -> Triangles:
        """The fans of triangles from the first corner of each part."""
        polygons, lengths = self.polygons, self.polygons.lengths
        part = np.repeat(np.arange(len(lengths)), lengths - 2)
        before = np.cumsum(lengths - 2) - (lengths - 2)
        first = polygons.offsets[:-1][part]
        second = first + 1 + np.arange(len(part)) - before[part]
        uv = np.stack([polygons.values[at] for at in (first, second, second + 1)], axis=1)
        (au, av), (bu, bv) = (uv[:, 1] - uv[:, 0]).T, (uv[:, 2] - uv[:, 0]).T
        return Triangles(uv, 0.5 * (au * bv - av * bu), part)


@dataclass(frozen=True, eq=False)
class Triangles:
    """Triangles, counter-clockwise but for those that rounding has turned over."""

    uv: Float64[np.ndarray, "triangle 3 2"]
    areas: Float64[np.ndarray, "triangle"]
    """Signed, so that sums over a polygon are right wherever its corners are"""
    parts: Int64[np.ndarray, "triangle"]

    def values(
        self, maps: Float64[np.ndarray, "#triangle output 3"]
    ) -> Float64[np.ndarray, "triangle 3 output"]:
        """(T, 3, C) outputs at the corners, by the map of each triangle, or one of all."""
        u, v = self.uv[:, :, :1], self.uv[:, :, 1:]
        values: np.ndarray = maps[:, None, :, 0] * u + maps[:, None, :, 1] * v + maps[:, None, :, 2]
        return values


def half_planes_of(corners: Float64[np.ndarray, "corner 2"]) -> Float64[np.ndarray, "line 4"]:
    """(k, 4) unit normal and a point of the half-plane on the left of each side of a polygon."""
    step = np.roll(corners, -1, axis=0) - corners
    unit = step / np.hypot(*step.T)[:, None]
    return np.column_stack([-unit[:, 1], unit[:, 0], corners])
