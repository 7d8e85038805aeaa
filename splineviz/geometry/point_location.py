"""Polygons that points lie in, by the parity of the sides to the right of a point; and their boxes.

Half-planes would not do: rounding leaves cells that are not quite convex, and half-planes would lose the
slivers between neighbours.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int8, Int64

from splineviz.geometry.box_tree import FAN_OUT, BoxTree
from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.predicates import TINY
from splineviz.geometry.rounding import UNIT_ROUNDOFF

__all__ = ["lowest_polygons", "polygon_boxes"]

# Shewchuk's bound for the sign of a 2 x 2 orientation determinant, relative to the sum of its two products.
_ORIENTATION = (3.0 + 16.0 * UNIT_ROUNDOFF) * UNIT_ROUNDOFF
_OPEN = 2


@kernel
def lowest_polygons(
    points: Float64[np.ndarray, "point 2"],
    windows: Int64[np.ndarray, "point"],
    vertices: Float64[np.ndarray, "vertex 2"],
    offsets: Int64[np.ndarray, "cell+1"],
    corners: Int64[np.ndarray, "side"],
    tree: BoxTree,
    answers: Int8[np.ndarray, "question"],
) -> tuple[Int64[np.ndarray, "point"], Int64[np.ndarray, "question 3"]]:
    """The lowest closed polygon that each point lies in, -1 for none; and questions (point, a, b): on which
    side of the line through vertices a and b, taken in this order, does the point lie?

    A point with a question has no answer yet. Call again with these points, and ``answers`` (1 left, -1
    right, 0 on the line) in the order of the questions, which do not depend on answers.
    """
    found, questions, n_asked = np.full(len(points), -1, np.int64), np.empty((16, 3), np.int64), 0
    boxes, things, first_child, n_things = tree.boxes, tree.things, tree.first_child, len(tree.things)
    stack = np.empty(FAN_OUT * 24, np.int64)
    for i in range(len(points)):
        x, y, window = points[i, 0], points[i, 1], windows[i]
        root, height = len(boxes) - 1, 0
        if root >= 0 and _holds(boxes, root, x, y, window):
            stack[0], height = root, 1
        while height > 0:
            height -= 1
            node = stack[height]
            if node >= n_things:
                for child in range(first_child[node - n_things], first_child[node - n_things + 1]):
                    if _holds(boxes, child, x, y, window):
                        stack[height] = child
                        height += 1
                continue
            cell, odd, on_side = things[node], False, False
            a = corners[offsets[cell + 1] - 1]
            for k in range(offsets[cell], offsets[cell + 1]):
                b = corners[k]
                low, high = min(vertices[a, 1], vertices[b, 1]), max(vertices[a, 1], vertices[b, 1])
                if low <= y <= high:
                    turn = _turn(vertices, a, b, x, y)
                    if turn == _OPEN:
                        if n_asked == len(questions):
                            questions = np.concatenate((questions, np.empty_like(questions)))
                        questions[n_asked, 0], questions[n_asked, 1], questions[n_asked, 2] = i, a, b
                        turn = answers[n_asked] if n_asked < len(answers) else 0
                        n_asked += 1
                    left, right = min(vertices[a, 0], vertices[b, 0]), max(vertices[a, 0], vertices[b, 0])
                    on_side |= turn == 0 and left <= x <= right
                    odd ^= y < high and turn == (1 if vertices[b, 1] > vertices[a, 1] else -1)
                a = b
            if (odd or on_side) and (found[i] < 0 or cell < found[i]):
                found[i] = cell
    return found, questions[:n_asked]


@kernel
def polygon_boxes(
    vertices: Float64[np.ndarray, "vertex 2"],
    offsets: Int64[np.ndarray, "cell+1"],
    corners: Int64[np.ndarray, "side"],
) -> tuple[Float64[np.ndarray, "cell 2"], Float64[np.ndarray, "cell 2"]]:
    """(F, 2) least and largest coordinates of the corners of each polygon."""
    n = len(offsets) - 1
    low, high = np.full((n, 2), np.inf), np.full((n, 2), -np.inf)
    for cell in range(n):
        for k in range(offsets[cell], offsets[cell + 1]):
            for axis in range(2):
                low[cell, axis] = min(low[cell, axis], vertices[corners[k], axis])
                high[cell, axis] = max(high[cell, axis], vertices[corners[k], axis])
    return low, high


@part()
def _holds(boxes: Float64[np.ndarray, "node 6"], node: int, x: float, y: float, window: int) -> bool:
    """Whether a closed box holds a point of a window; not for NaN."""
    inside: bool = (
        (boxes[node, 0] <= x)
        & (x <= boxes[node, 3])
        & (boxes[node, 1] <= y)
        & (y <= boxes[node, 4])
        & (boxes[node, 2] <= window)
        & (window <= boxes[node, 5])
    )
    return inside


@part()
def _turn(vertices: Float64[np.ndarray, "vertex 2"], a: int, b: int, x: float, y: float) -> int:
    """1 where a point lies left of the line from vertex a to vertex b, -1 right of it, 0 on it; or that
    rounding leaves it open."""
    ax, ay, bx, by = vertices[a, 0] - x, vertices[a, 1] - y, vertices[b, 0] - x, vertices[b, 1] - y
    if (ax == 0.0 and (ay == 0.0 or bx == 0.0)) or (by == 0.0 and (bx == 0.0 or ay == 0.0)):
        return 0  # both products hold a factor zero, which a difference is only of equal numbers
    left, right = ax * by, ay * bx
    if abs(left - right) > _ORIENTATION * (abs(left) + abs(right)) + TINY:
        return 1 if left > right else -1
    return _OPEN
