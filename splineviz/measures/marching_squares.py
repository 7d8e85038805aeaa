"""Length of the boundary between classes by marching squares, from classes and logits at the corners of
squares.

On each side of a square whose ends differ in whether a class wins, its margin over the best other class is
taken to be affine, and where it vanishes to be a point of the boundary; two points of one square are joined
by a straight line (W. Lorensen and H. Cline 1987, in two dimensions). Where a side is crossed twice neither
crossing is seen, and bends within a square are cut short.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

__all__ = ["Squares", "contour_length"]

_SQUARES = 1 << 14
"""That are worked on at a time"""


class Squares(NamedTuple):
    """Squares of a grid, their corners counter-clockwise from the lower left."""

    classes: Int64[np.ndarray, "square 4"]
    cells: Int64[np.ndarray, "square 4"]
    """In which the corners lie"""
    uv: Float64[np.ndarray, "square 4 2"]


def contour_length(
    squares: Squares, logits: Float64[np.ndarray, "cell logit 3"], step: Float64[np.ndarray, "2"]
) -> float:
    """Length of the boundary in the squares: half of that of the outlines of all classes.

    ``step`` are the sides of a square.
    """
    total = 0.0
    for first in range(0, len(squares.classes), _SQUARES):
        part = slice(first, first + _SQUARES)
        classes, uv = squares.classes[part], squares.uv[part]
        maps = logits[squares.cells[part]]
        z = maps[..., 0] * uv[..., :1] + maps[..., 1] * uv[..., 1:] + maps[..., 2]
        for k in range(4):  # the class of each corner, once
            new = (classes[:, :k] != classes[:, k : k + 1]).all(1)
            own = classes[new, k]
            total += 0.5 * _outline(_margins(z[new], own), classes[new] == own[:, None], step)
    return total


def _margins(
    z: Float64[np.ndarray, "square 4 logit"], own: Int64[np.ndarray, "square"]
) -> Float64[np.ndarray, "square 4"]:
    """(n, 4) a class's logit minus the largest other, at the corners."""
    rows = np.arange(len(z))
    rest = z.copy()
    rest[rows, :, own] = -np.inf
    margins: np.ndarray = z[rows, :, own] - rest.max(2)
    return margins


def _outline(
    margins: Float64[np.ndarray, "square 4"], inside: Bool[np.ndarray, "square 4"], step: np.ndarray
) -> float:
    """Length of the lines on which margins vanish, that of a saddle by the sign in its middle."""
    after, size = np.roll(margins, -1, axis=1), np.abs(margins)
    crossed = inside != np.roll(inside, -1, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(crossed, size / (size + np.abs(after)), 0.0)
    share[np.isnan(share)] = 0.5  # a tie all along
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    way = np.roll(corners, -1, axis=0) - corners
    points = (corners + share[..., None] * way) * step
    order = np.argsort(~crossed, axis=1, kind="stable")
    points = np.take_along_axis(points, order[..., None], axis=1)
    count = crossed.sum(1)
    # The two corners that are not like the middle of a saddle are cut off each.
    turned = (count == 4) & ((margins.sum(1) > 0) != inside[:, 0])
    points[turned] = np.roll(points[turned], 1, axis=1)
    one, other = (np.hypot(*(points[:, k] - points[:, k + 1]).T) for k in (0, 2))
    return float(one[count >= 2].sum() + other[count == 4].sum())
