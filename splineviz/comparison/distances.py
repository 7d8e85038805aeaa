"""Distances between two line drawings: Hausdorff and mean distance between sets of segments, between proven
bounds.

Along a piece of a segment from p to q, of length l, let d be the distance to the other drawing.

- *From above*: the distance to one of its segments is convex, so d lies below the chord of that distance's
  values at p and q.
- *From below*: the distance to one point b satisfies
  |x - b|^2 = (1 - t) |p - b|^2 + t |q - b|^2 - t (1 - t) l^2 at x = p + t (q - p),
  so d lies above the distance to the apex of a triangle with the sides l, d(p), d(q).
- *From below, beside long segments*: the distance to each segment lies above its tangent at the middle of the
  piece, being convex, and the least of these tangents, over all segments that can be nearest, is concave, so
  that it lies above its chord.

Pieces between whose bounds too much is open are halved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from jaxtyping import Float64

from splineviz.comparison.within import Within

__all__ = ["LineDistances", "line_distances"]

_SHARP = 1e-9  # share of the width of the drawings
_ROUNDS = 60


@dataclass(frozen=True)
class LineDistances:
    """Distances between two drawings, in input distance."""

    hausdorff: Within
    """The farthest that a point of either is from the other."""
    mean: Within
    """Mean over both, by length, of the distance to the other."""
    first_to_second: Within
    """Mean over the first of the distance to the second."""
    second_to_first: Within


def line_distances(
    first: Float64[np.ndarray, "segment 2 2"],
    second: Float64[np.ndarray, "other 2 2"],
    *,
    tolerance: float = 1e-4,
) -> LineDistances:
    """Distances between two drawings.

    Parameters
    ----------
    first, second
        (n, 2, 2) and (m, 2, 2) ends of segments, uv; some of a length above 0 in both.
    tolerance
        How far apart the bounds of a mean may be, as a share of it. Those of the Hausdorff distance are 1e-9
        of the drawings' width apart at most.

    Examples
    --------
    >>> one, other = np.array([[[0.0, 0.0], [4.0, 0.0]]]), np.array([[[0.0, 3.0], [8.0, 3.0]]])
    >>> found = line_distances(one, other)
    >>> round(found.hausdorff.value, 6), round(found.first_to_second.value, 6)
    (5.0, 3.0)
    """
    sides = [segments[(segments[:, 0] != segments[:, 1]).any(1)] for segments in (first, second)]
    width = float(np.ptp(np.concatenate(sides).reshape(-1, 2), axis=0).max())
    there, back = (_directed(sides[i], sides[1 - i], tolerance, _SHARP * width) for i in (0, 1))
    both = (there.integral + back.integral) / (there.length + back.length)
    bounds = (
        np.maximum(there.largest, back.largest),
        both,
        there.integral / there.length,
        back.integral / back.length,
    )
    return LineDistances(*(Within.between(float(low), float(high)) for low, high in bounds))


@dataclass(frozen=True, eq=False)
class _Directed:
    """Distances from one drawing to the other: bounds (2,) of the integral and of the largest distance, and
    the length."""

    integral: np.ndarray
    largest: np.ndarray
    length: float


@dataclass(frozen=True, eq=False)
class _Others:
    """The drawing that distances are taken to."""

    ends: np.ndarray
    """(m, 2, 2)"""
    lines: np.ndarray
    tree: shapely.STRtree

    @classmethod
    def of(cls, ends: np.ndarray) -> _Others:
        """Index segments (m, 2, 2) for questions about the nearest."""
        lines = shapely.linestrings(ends)
        return cls(ends, lines, shapely.STRtree(lines))

    def nearest(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nearest segment of each point, and its distance."""
        nearest, distance = np.zeros(len(points), dtype=np.int64), np.zeros(len(points))
        (row, found), far = self.tree.query_nearest(
            shapely.points(points), return_distance=True, all_matches=False
        )
        nearest[row], distance[row] = found, far
        return nearest, distance

    def tangents(self, pieces: np.ndarray, reach: np.ndarray) -> np.ndarray:
        """(n,) integral of the chord of the least tangent at the middle of pieces (n, 2, 2), over the
        segments within reach."""
        piece, near = self.tree.query(shapely.linestrings(pieces), predicate="dwithin", distance=reach)
        order = np.argsort(piece, kind="stable")
        piece, near = piece[order], near[order]
        p, q = pieces[piece, 0], pieces[piece, 1]
        a, along = self.ends[near, 0], self.ends[near, 1] - self.ends[near, 0]
        middle = (p + q) / 2
        t = np.clip(((middle - a) * along).sum(1) / (along**2).sum(1), 0.0, 1.0)
        away = middle - (a + t[:, None] * along)
        distance = np.linalg.norm(away, axis=1)
        rise = (
            np.divide((away * (q - p)).sum(1), distance, out=np.zeros(len(distance)), where=distance > 0) / 2
        )
        start = np.flatnonzero(np.diff(piece, prepend=-1))
        total = np.minimum.reduceat(distance - rise, start) + np.minimum.reduceat(distance + rise, start)
        chord: np.ndarray = np.linalg.norm(pieces[:, 1] - pieces[:, 0], axis=1) * total / 2
        return chord


@dataclass(frozen=True, eq=False)
class _Pieces:
    """Pieces of segments with the distance at their ends, and the segment that is nearest there."""

    ends: np.ndarray
    """(n, 2, 2)"""
    distance: np.ndarray
    """(n, 2)"""
    nearest: np.ndarray
    """(n, 2)"""

    def halves(self, rows: np.ndarray, others: _Others) -> _Pieces:
        """Cut the pieces of these rows at their middles."""
        ends, distances, nearests = self.ends[rows], self.distance[rows], self.nearest[rows]
        middle = ends.mean(1)
        nearest, distance = others.nearest(middle)
        columns = ((ends, middle), (distances, distance), (nearests, nearest))
        parts = ([np.stack([whole[:, 0], at], 1), np.stack([at, whole[:, 1]], 1)] for whole, at in columns)
        return _Pieces(*(np.concatenate(pair) for pair in parts))

    def bounds(self, others: _Others) -> np.ndarray:
        """(5, n) low and high integral, low and high largest distance, and length."""
        length = np.linalg.norm(self.ends[:, 1] - self.ends[:, 0], axis=1)
        p, q = self.distance.T
        at_q, at_p = (
            shapely.distance(shapely.points(self.ends[:, 1 - k]), others.lines[self.nearest[:, k]])
            for k in (0, 1)
        )
        high = length / 2 * np.minimum(p + at_q, q + at_p)
        top = np.minimum(np.maximum(p, at_q), np.maximum(q, at_p))
        low = _to_apex(length, p, q)
        beside = np.flatnonzero(
            (top < length) & (low < high)
        )  # far from all segments, the apex is the better bound
        if len(beside):
            low[beside] = np.maximum(
                low[beside], others.tangents(self.ends[beside], top[beside] * (1 + 1e-12))
            )
        return np.stack(
            [np.minimum(low, high), high, np.maximum(p, q), np.maximum(top, np.maximum(p, q)), length]
        )


def _directed(segments: np.ndarray, others_ends: np.ndarray, tolerance: float, sharp: float) -> _Directed:
    others = _Others.of(others_ends)
    nearest, distance = (found.reshape(-1, 2) for found in others.nearest(segments.reshape(-1, 2)))
    open_ = _Pieces(segments, distance, nearest)
    integral, largest = np.zeros(2), np.zeros(2)
    whole = float(np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1).sum())
    for round_ in range(_ROUNDS):
        low, high, least, most, length = open_.bounds(others)
        largest[0] = max(largest[0], least.max())
        # What a piece may leave open of the mean, by its length.
        allowed = (tolerance * (integral[0] + low.sum()) / whole + sharp) * length
        done = ((high - low <= allowed) & (most <= largest[0] + sharp)) | (round_ == _ROUNDS - 1)
        integral += low[done].sum(), high[done].sum()
        largest[1] = max(largest[1], most[done].max(initial=0.0))
        if done.all():
            break
        open_ = open_.halves(np.flatnonzero(~done), others)
    return _Directed(integral, np.array([largest[0], largest.max()]), whole)


def _to_apex(length: np.ndarray, p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Integral, along the side of a triangle, of the distance to its apex, whose distances from the side's
    ends are p and q.

    Where there is no such triangle, since the side is longer than the others together, that of what the
    distance is at least.
    """
    foot = (length**2 + p**2 - q**2) / (2 * length)
    height = np.sqrt(np.maximum(p**2 - foot**2, 0.0))
    whole = _primitive(length - foot, height) + _primitive(foot, height)
    bound: np.ndarray = np.where(p + q <= length, (p**2 + q**2) / 2, whole)
    return bound


def _primitive(x: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Integral of sqrt(t^2 + height^2) for t from 0 to x."""
    ratio = np.divide(x, height, out=np.zeros_like(x), where=height > 0)
    integral: np.ndarray = (x * np.hypot(x, height) + height**2 * np.arcsinh(ratio)) / 2
    return integral
