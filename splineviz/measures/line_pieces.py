"""Intervals of a line on which values are affine, and their pieces of one class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

__all__ = ["Intervals", "class_pieces"]


@dataclass(frozen=True, eq=False)
class Intervals:
    """Intervals of [0, 1], with values that are affine on each."""

    ends: Float64[np.ndarray, "interval 2"]
    """Where each begins and ends, as a share of the line"""
    values: Float64[np.ndarray, "interval 2 value"]
    """At both ends"""

    @property
    def sizes(self) -> Float64[np.ndarray, "interval"]:
        """(n,) shares of the line."""
        sizes: np.ndarray = self.ends[:, 1] - self.ends[:, 0]
        return sizes

    def take(self, rows: Int64[np.ndarray, "piece"]) -> Intervals:
        """Some of the intervals."""
        return Intervals(self.ends[rows], self.values[rows])

    def part(
        self,
        rows: Int64[np.ndarray, "piece"],
        low: Float64[np.ndarray, "piece"],
        high: Float64[np.ndarray, "piece"],
    ) -> Intervals:
        """Parts of some of the intervals, from shares ``low`` to shares ``high`` of each."""
        shares = np.column_stack([low, high])
        start, end = self.ends[rows, :1], self.ends[rows, 1:]
        ends = (1.0 - shares) * start + shares * end
        first, last = self.values[rows, :1], self.values[rows, 1:]
        return Intervals(ends, (1.0 - shares[:, :, None]) * first + shares[:, :, None] * last)

    def within(self, low: float, high: float) -> Intervals:
        """What lies between two places of the line."""
        rows = np.flatnonzero((self.ends[:, 0] < high) & (self.ends[:, 1] > low) & (self.sizes > 0))
        start, size = self.ends[rows, 0], self.sizes[rows]
        shares = [np.clip((at - start) / size, 0.0, 1.0) for at in (low, high)]
        return self.part(rows, *shares)


def class_pieces(intervals: Intervals) -> tuple[Intervals, Int64[np.ndarray, "piece"]]:
    """The intervals cut where the largest value changes, and the class of each piece: its largest value.

    The class of a piece gives way to that which meets it first; of several to the steepest. Slopes of winners
    increase along an interval, so that there are no more rounds than classes, for all intervals at once. Ties
    belong to the steepest, and of those to the lowest class.
    """
    first = intervals.values[:, 0]
    slope = intervals.values[:, 1] - first
    rows, at = np.arange(len(first)), np.zeros(len(first))
    own = np.where(first == first.max(1, keepdims=True), slope, -np.inf).argmax(1)
    found = []
    while len(rows):
        here = np.arange(len(rows))
        steeper = slope[rows] - slope[rows, own][:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            meets = (first[rows, own][:, None] - first[rows]) / steeper
        meets = np.where(steeper > 0, np.maximum(meets, at[:, None]), np.inf)
        end = meets.min(1)
        following = np.where(meets == end[:, None], slope[rows], -np.inf).argmax(1)
        kept = np.flatnonzero(np.minimum(end, 1.0) > at)
        found.append((rows[kept], at[kept], np.minimum(end, 1.0)[kept], own[here[kept]]))
        goes_on = end < 1.0
        rows, at, own = rows[goes_on], end[goes_on], following[goes_on]
    row, low, high, classes = (np.concatenate(column) for column in zip(*found, strict=True))
    return intervals.part(row, low, high), classes
