"""Boxes that hold boxes: which of many things on several windows a point can lie in, or lie next to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

__all__ = ["FAN_OUT", "BoxTree", "box_tree"]

FAN_OUT = 8
"""Number of boxes in a box, at most."""


class BoxTree(NamedTuple):
    """Bounding boxes of things, then boxes of so many neighbouring boxes each, up to one that holds them all.

    The last node is the root. The children of node k, which is no thing, are the nodes from
    ``first_child[k - len(things)]`` to the next of these numbers.
    """

    boxes: Float64[np.ndarray, "node 6"]
    """Least u, v and window in a box, and then the largest"""
    things: Int64[np.ndarray, "thing"]
    """Which thing each of the first nodes is"""
    first_child: Int64[np.ndarray, "inner+1"]


def box_tree(
    low: Float64[np.ndarray, "thing 2"],
    high: Float64[np.ndarray, "thing 2"],
    window: Int64[np.ndarray, "thing"],
) -> BoxTree:
    """Tree of the bounding boxes of things, each on one window.

    Windows overlap in uv, so that the window is a third coordinate. Things are packed by rank, in strips
    along u and then along v (Leutenegger, Lopez, Edgington 1997), which suits any density.
    """
    things = _in_strips(0.5 * low + 0.5 * high, window)
    levels = [np.column_stack([low, window, high, window])[things]]
    first_child, first = [np.zeros(0, dtype=np.int64)], 0
    while len(levels[-1]) > 1:
        start = np.arange(0, len(levels[-1]), FAN_OUT)
        first_child.append(first + start)
        first += len(levels[-1])
        least, largest = (np.minimum, levels[-1][:, :3]), (np.maximum, levels[-1][:, 3:])
        levels.append(np.hstack([of.reduceat(corner, start) for of, corner in (least, largest)]))
    return BoxTree(np.concatenate(levels), things, np.concatenate([*first_child, [first]]))


def _in_strips(centre: np.ndarray, window: np.ndarray) -> np.ndarray:
    """(n,) an order in which things next to each other are close together."""
    counts = np.bincount(window)
    strip_length = np.ceil(np.sqrt(FAN_OUT * counts)).astype(np.int64)
    along_u = np.lexsort((centre[:, 0], window))
    window = window[along_u]
    rank = np.arange(len(window)) - (np.cumsum(counts) - counts)[window]
    order: np.ndarray = along_u[np.lexsort((centre[along_u, 1], rank // strip_length[window], window))]
    return order
