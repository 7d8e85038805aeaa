"""Nominal and exact places of vertices.

Values at a vertex are those of its faces' affine functions at *one* point, the vertex's nominal place, but
for rounding. That point is not where the lines through the vertex cross: each line passes it at some
distance. A new vertex on an edge lies, nominally, on the straight line between the nominal places of its
ends, where interpolated values place the new line. So what a nominal place is away from a line is fixed when
the line is drawn, and new vertices on it are no farther off than those between which they lie. Errors of
position are not multiplied from birth to birth, and errors of values stay those of rounding alone.

Where a vertex belongs follows from two of its lines, those of the two sides of one of its faces. There the
difference of the exact place from the nominal one is a share of the ways along both sides, and what it makes
of a value the same shares of the value's differences along them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.intrinsics import borrowed
from splineviz.geometry.rounding import SAFE, UNIT_ROUNDOFF
from splineviz.geometry.subdivision import Arrays

__all__ = ["Places", "find_places", "places_of", "way"]

_UNKNOWN = 1e30
"""Share of a side where the lines of a corner do not tell the place"""

_MOST = 2.0**-30
"""Largest share that estimates take for likely: beyond it all units near a vertex would pass for
coincidences, only because its lines are nearly parallel"""

_ENOUGH = 2.0**-40
"""Shares below which no better corner is looked for"""


class Places(NamedTuple):
    """Differences of the exact places of all vertices from the nominal ones, each by one corner of one
    face."""

    neighbours: Int64[np.ndarray, "vertex 2"]
    """The vertices before and after each round that face; the vertex itself where no face has it"""
    shares: Float64[np.ndarray, "vertex 4"]
    """Shares of the ways to either of them: estimated, then proven"""
    distance: Float64[np.ndarray, "vertex 2"]
    """uv; estimated and proven"""


@kernel
def places_of(arrays: Arrays) -> Places:
    """`find_places` for callers in Python."""
    return find_places(arrays)


@part()
def find_places(arrays: Arrays) -> Places:
    """Places of all vertices, by their best corners."""
    arrays = borrowed(arrays)
    vertices, offsets, side_vertex, side_edge = (
        arrays.vertices,
        arrays.offsets,
        arrays.side_vertex,
        arrays.side_edge,
    )
    n = len(vertices)
    neighbours, shares, distance = np.empty((n, 2), np.int64), np.zeros((n, 4)), np.zeros((n, 2))
    best, corner = np.full(n, np.inf), np.full(n, -1, np.int64)
    for f in range(len(offsets) - 1):
        start, stop = offsets[f], offsets[f + 1]
        before = stop - 1
        for k in range(start, stop):
            v, after = side_vertex[k], side_vertex[k + 1 if k + 1 < stop else start]
            if best[v] > _ENOUGH:
                size = _size(arrays, v, side_vertex[before], after, side_edge[before], side_edge[k])
                if size < best[v] or corner[v] < 0:
                    best[v], corner[v] = size, k
                    neighbours[v, 0], neighbours[v, 1] = before, after
            before = k
    for v in range(n):
        if corner[v] < 0:
            neighbours[v, 0], neighbours[v, 1] = v, v
            continue
        before, k = neighbours[v, 0], corner[v]
        a, b = side_vertex[before], neighbours[v, 1]
        neighbours[v, 0] = a
        share = _corner(arrays, v, a, b, side_edge[before], side_edge[k])
        first, second = way(arrays, v, a), way(arrays, v, b)
        for i in range(4):
            shares[v, i] = share[i]
        for i in range(2):
            distance[v, i] = SAFE * (share[2 * i] * first + share[2 * i + 1] * second)
    return Places(neighbours, shares, distance)


@part(forceinline=True)
def _size(arrays: Arrays, v: int, a: int, b: int, before: int, after: int) -> float:
    """About how large the shares of a corner are, proven ones if there are any; see `_corner`."""
    points, edges, stray = arrays.vertices, arrays.edges, arrays.stray
    i, j = 0 if edges[before, 0] == v else 1, 0 if edges[after, 0] == v else 1
    first, second = stray[before, 2 + i], stray[after, 2 + j]
    unknown = first == np.inf or second == np.inf
    if unknown or first + second == 0.0:
        first, second = stray[before, i], stray[after, j]
    ax, ay = points[a, 0] - points[v, 0], points[a, 1] - points[v, 1]
    bx, by = points[b, 0] - points[v, 0], points[b, 1] - points[v, 1]
    size = first * (abs(ax) + abs(ay)) + second * (abs(bx) + abs(by))
    # Where nothing is proven of any corner, the one that is likely to be best.
    return float((size + (1e30 if unknown else 0.0)) / max(abs(ax * by - ay * bx), 1e-300))


@part(forceinline=True)
def way(arrays: Arrays, v: int, a: int) -> float:
    """Distance of the nominal places of two vertices, at most."""
    x, y = arrays.vertices[a, 0] - arrays.vertices[v, 0], arrays.vertices[a, 1] - arrays.vertices[v, 1]
    return float(np.sqrt(x * x + y * y) + 4.0 * arrays.rounding)


@part(forceinline=True)
def _corner(
    arrays: Arrays, v: int, a: int, b: int, before: int, after: int
) -> tuple[float, float, float, float]:
    """Shares of the ways from v to a and to b, estimated and proven, by which v's exact place may differ.

    The lines of the edges ``before``, from a, and ``after``, to b, cross there. Of the line through v and a
    at distances d from v and d' from a, the distance changes by at least h = (1 - k) H - k |b - v| from v to
    b, where k = (d + d') / |a - v| bounds how much the line may be turned, and H is the height of b above a -
    v. With s the share of the way to b and r that to a, s h <= d + r (d + d'); and likewise for the other
    line.
    """
    points, edges, stray, c = arrays.vertices, arrays.edges, arrays.stray, arrays.rounding
    ax, ay = points[a, 0] - points[v, 0], points[a, 1] - points[v, 1]
    bx, by = points[b, 0] - points[v, 0], points[b, 1] - points[v, 1]
    i, j = 0 if edges[before, 0] == v else 1, 0 if edges[after, 0] == v else 1
    if (
        stray[before, 2 + i] == 0.0
        and stray[after, 2 + j] == 0.0
        and stray[before, i] + stray[after, j] == 0.0
    ):
        return 0.0, 0.0, 0.0, 0.0
    long_a, long_b = np.sqrt(ax * ax + ay * ay), np.sqrt(bx * bx + by * by)
    area = abs(ax * by - ay * bx) - (8.0 * c + 4.0 * UNIT_ROUNDOFF * max(long_a, long_b)) * (long_a + long_b)
    if area <= 0.0:
        return _MOST, _MOST, _UNKNOWN, _UNKNOWN
    likely = _shares(
        area, long_a, long_b, c, stray[before, i], stray[before, 1 - i], stray[after, j], stray[after, 1 - j]
    )
    proven = _shares(
        area,
        long_a,
        long_b,
        c,
        stray[before, 2 + i],
        stray[before, 3 - i],
        stray[after, 2 + j],
        stray[after, 3 - j],
    )
    return min(likely[0], _MOST), min(likely[1], _MOST), proven[0], proven[1]


@part(forceinline=True)
def _shares(
    area: float, long_a: float, long_b: float, c: float, a: float, a_end: float, b: float, b_end: float
) -> tuple[float, float]:
    """Shares of the ways to a and to b, from the distances of two lines; see `_corner`.

    Where there is an area, both ways are longer than 8 c, and lengths are right to 4 c.
    """
    turn_a, turn_b = (a + a_end) / (long_a - 4.0 * c), (b + b_end) / (long_b - 4.0 * c)
    long_a, long_b = long_a + 4.0 * c, long_b + 4.0 * c
    high_b = (1.0 - turn_a) * (area / long_a) * (1.0 - 1e-9) - turn_a * long_b
    high_a = (1.0 - turn_b) * (area / long_b) * (1.0 - 1e-9) - turn_b * long_a
    if not (high_a > 0.0 and high_b > 0.0 and turn_a < 0.5 and turn_b < 0.5):
        return _UNKNOWN, _UNKNOWN
    on_b, mixed_b, on_a, mixed_a = a / high_b, (a + a_end) / high_b, b / high_a, (b + b_end) / high_a
    rest = 1.0 - mixed_a * mixed_b
    if not rest > 0.5:
        return _UNKNOWN, _UNKNOWN
    return (
        SAFE * (on_a + mixed_a * on_b) / rest,
        SAFE * (on_b + mixed_b * on_a) / rest,
    )
