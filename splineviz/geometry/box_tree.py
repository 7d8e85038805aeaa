"""Boxes that hold boxes: which of many things on several windows a point can lie in, or lie next to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

__all__ = ["FAN_OUT", "BoxTree", "box_tree", "in_strips_of_tree"]

FAN_OUT = 8
"""Number of boxes in a box, at most."""

_STRIPS, _STEPS = 64, 1024
"""Along u, and along v in each strip, in which points are looked up: both in 16 bits, which sort fastest"""


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


def in_strips_of_tree(
    points: Float64[np.ndarray, "point 2"], window: Int64[np.ndarray, "point"], tree: BoxTree
) -> Int64[np.ndarray, "point"]:
    """(n,) an order of points in which those next to each other, by window, come close together.

    Looked up in this order, points find the boxes of the tree that they need in the processor's caches. It
    is no more than that: points that are not in the tree, or no numbers, have a place in it, too.
    """
    if not len(tree.things):
        return np.arange(len(points))
    low, high = tree.boxes[-1, :2], tree.boxes[-1, 3:5]
    with np.errstate(all="ignore"):
        places = np.nan_to_num((points - low) / (high - low))
    steps = np.clip(places, 0.0, 1.0) * (_STRIPS - 1, _STEPS - 1)
    u, v = steps.astype(np.uint16).T
    return _by_window(np.argsort(u * np.uint16(_STEPS) + v, kind="stable"), window)


def _in_strips(centre: np.ndarray, window: np.ndarray) -> np.ndarray:
    """(n,) an order in which things next to each other are close together."""
    counts = np.bincount(window)
    strip_length = np.ceil(np.sqrt(FAN_OUT * counts)).astype(np.int64)
    along_u = _by_window(np.argsort(centre[:, 0]), window)
    window = window[along_u]
    rank = np.arange(len(window)) - (np.cumsum(counts) - counts)[window]
    n_strips = -(-counts // np.maximum(strip_length, 1))
    strip = np.empty(len(window), dtype=np.min_scalar_type(n_strips.sum()))
    strip[along_u] = (np.cumsum(n_strips) - n_strips)[window] + rank // strip_length[window]
    along_v = np.argsort(centre[:, 1])
    return along_v[np.argsort(strip[along_v], kind="stable")]


def _by_window(order: np.ndarray, window: np.ndarray) -> np.ndarray:
    """(n,) an order of things, with those of each window together."""
    if not len(window) or window.min() == window.max():
        return order
    return order[np.argsort(window[order], kind="stable")]
