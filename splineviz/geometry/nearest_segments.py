"""Distances of points to the nearest of many segments."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.geometry.box_tree import FAN_OUT, BoxTree
from splineviz.geometry.compiled import kernel, part

__all__ = ["nearest_segments"]


@kernel
def nearest_segments(
    points: Float64[np.ndarray, "point 2"],
    windows: Int64[np.ndarray, "point"],
    segments: Float64[np.ndarray, "segment 4"],
    tree: BoxTree,
) -> Float64[np.ndarray, "point"]:
    """Distance of each point to the nearest segment of its window; infinite where there is none.

    A segment is u and v of its first end, and then of its second.
    """
    boxes, things, first_child, n_things = tree.boxes, tree.things, tree.first_child, len(tree.things)
    found, stack, bounds = (
        np.full(len(points), np.inf),
        np.empty(FAN_OUT * 24, np.int64),
        np.empty(FAN_OUT * 24),
    )
    for i in range(len(points)):
        x, y, window = points[i, 0], points[i, 1], windows[i]
        stack[0], bounds[0], height = len(boxes) - 1, 0.0, min(len(boxes), 1)
        while height > 0:
            height -= 1
            node = stack[height]
            if bounds[height] >= found[i]:
                continue
            if node < n_things:
                if boxes[node, 2] == window:
                    found[i] = min(found[i], _to_segment(segments, things[node], x, y))
                continue
            nearest = height
            for child in range(first_child[node - n_things], first_child[node - n_things + 1]):
                bound = _to_box(boxes, child, x, y, window)
                if bound < found[i]:
                    stack[height], bounds[height] = child, bound
                    nearest = height if bound < bounds[nearest] else nearest
                    height += 1
            if height > nearest:  # the nearest is looked at first, and then rules out others
                last = height - 1
                stack[last], stack[nearest] = stack[nearest], stack[last]
                bounds[last], bounds[nearest] = bounds[nearest], bounds[last]
    return found


@part()
def _to_box(boxes: Float64[np.ndarray, "node 6"], node: int, x: float, y: float, window: int) -> float:
    """Distance of a point to a box; infinite where that holds nothing of the point's window."""
    if window < boxes[node, 2] or window > boxes[node, 5]:
        return np.inf
    across = max(boxes[node, 0] - x, 0.0, x - boxes[node, 3])
    along = max(boxes[node, 1] - y, 0.0, y - boxes[node, 4])
    return math.sqrt(across * across + along * along)


@part()
def _to_segment(segments: Float64[np.ndarray, "segment 4"], segment: int, x: float, y: float) -> float:
    """Distance of a point to a segment, which may be a point."""
    ax, ay = segments[segment, 0] - x, segments[segment, 1] - y
    bx, by = segments[segment, 2] - x, segments[segment, 3] - y
    dx, dy = segments[segment, 2] - segments[segment, 0], segments[segment, 3] - segments[segment, 1]
    if ax * dx + ay * dy >= 0.0:
        return math.hypot(ax, ay)
    if bx * dx + by * dy <= 0.0:
        return math.hypot(bx, by)
    beside: float = abs(ax * dy - ay * dx) / math.hypot(dx, dy)
    return beside
