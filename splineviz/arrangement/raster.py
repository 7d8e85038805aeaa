"""Scan conversion of convex polygons: which one the middle of each pixel lies in, without a Python object per
polygon.

Sums run along rows of pixels, from the left: a side that leads down adds what its polygon has to the pixels
on the right of it, and one that leads up takes it away again. Whichever way a side leads it is crossed in the
same places, so that no gap opens between neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int32, Int64

from splineviz.arrangement.blocks import blocks
from splineviz.arrangement.polygons import next_side
from splineviz.geometry.csr import Csr

__all__ = ["Bounds", "Crossings", "Polygons", "crossings", "raster", "row_blocks"]

_CELLS = 1 << 14
"""Polygons that are worked on at a time"""
_CROSSINGS = 1 << 16
_PIXELS = 1 << 16
_ONE = 1 << 32
"""What a polygon adds to its pixels besides its number, to count how many cover each"""

Bounds = tuple[float, float, float, float]


class Polygons(NamedTuple):
    """Some convex, counter-clockwise polygons that do not overlap."""

    vertices: Float64[np.ndarray, "vertex 2"]
    """uv"""
    corners: Csr
    """Vertices of each polygon"""
    rows: Int64[np.ndarray, "shown"]
    """Polygons that are shown"""


class Crossings(NamedTuple):
    """Where rows of pixels cross sides of polygons."""

    row: Int64[np.ndarray, "crossing"]
    """From below"""
    x: Float64[np.ndarray, "crossing"]
    """Pixels from the left"""
    shown: Int64[np.ndarray, "crossing"]
    """Place of the polygon among those that are shown"""
    sign: Int64[np.ndarray, "crossing"]
    """1 where the polygon begins, -1 where it ends"""


def raster(
    polygons: Polygons, numbers: Int64[np.ndarray, "shown"], bounds: Bounds, shape: tuple[int, int]
) -> Int32[np.ndarray, "row column"]:
    """Number of the polygon at the middle of each pixel, the upper row first; -1 where there is none, or more
    than one.

    Parameters
    ----------
    polygons
        Those that are shown.
    numbers
        The number of each of them, from 0 to 2^31 - 1, which several may share.
    bounds
        (u0, u1, v0, v1), uv: of all pixels together.
    shape
        Rows and columns of pixels.
    """
    height, width = shape
    steps = np.zeros(height * (width + 1), dtype=np.int64)
    for part in crossings(polygons, bounds, shape):
        place = part.row * (width + 1) + np.ceil(part.x - 0.5).astype(np.int64)
        np.add.at(steps, place, part.sign * (numbers[part.shown] + _ONE))
    shown = np.empty(shape, dtype=np.int32)
    lines = steps.reshape(height, width + 1)[::-1, :width]
    for some in row_blocks(shape):
        totals = lines[some].cumsum(1)
        shown[some] = np.where(totals >> 32 == 1, totals & (_ONE - 1), -1)
    return shown


def row_blocks(shape: tuple[int, int]) -> Iterator[slice]:
    """Runs of rows of so many pixels as are worked on at a time."""
    return blocks(shape[0], max(1, _PIXELS // shape[1]))


def crossings(polygons: Polygons, bounds: Bounds, shape: tuple[int, int]) -> Iterator[Crossings]:
    """All crossings of sides with the middles of rows, some at a time; those beyond a row's end, at that end.

    A side is crossed by rows whose middles lie at its lower end or above, and below its upper end.
    """
    (height, width), (u0, u1, v0, v1) = shape, bounds
    origin, scale = np.array([u0, v0]), np.array([width / (u1 - u0), height / (v1 - v0)])
    for part in blocks(len(polygons.rows), _CELLS):
        sides = polygons.corners.take(polygons.rows[part])
        start = (polygons.vertices[sides.values] - origin) * scale
        end = start[next_side(sides.offsets)]
        falling = start[:, 1] > end[:, 1]
        low, high = (np.where(falling[:, None], one, other) for one, other in ((end, start), (start, end)))
        first, last = (np.ceil(ends[:, 1] - 0.5).clip(0, height).astype(np.int64) for ends in (low, high))
        crossed = np.flatnonzero(last > first)
        low, high, first, n_rows = low[crossed], high[crossed], first[crossed], (last - first)[crossed]
        slope = (high[:, 0] - low[:, 0]) / (high[:, 1] - low[:, 1])
        shown, sign = part.start + sides.row_of[crossed], np.where(falling[crossed], 1, -1)
        for some in _in_parts(n_rows):
            n = n_rows[some]
            side = np.repeat(np.arange(some.start, some.stop), n)
            row = first[side] + np.arange(len(side)) - np.repeat(np.cumsum(n) - n, n)
            x = low[side, 0] + (row + 0.5 - low[side, 1]) * slope[side]
            yield Crossings(row, x.clip(0, width), shown[side], sign[side])


def _in_parts(lengths: np.ndarray) -> Iterator[slice]:
    """Runs of about so many crossings together, at least one side each."""
    ends, first = np.cumsum(lengths), 0
    while first < len(lengths):
        before = int(ends[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + _CROSSINGS, side="right")))
        yield slice(first, last)
        first = last
