"""The decisions on which the combinatorics rest, each with the error estimate that says when floating point settles it.

A unit is an affine function on every face. ``scale[unit] * slack[v]`` estimates how far its float64 value at vertex ``v`` is
from the exact value at the exact vertex; `bound` in the tables is such an estimate too. All else follows from values:

- *sign of a unit at a vertex*: decided where the value exceeds `MARGIN` times its estimate (`classify`);
- *order of two crossings on an edge*, and *orientation of three chords of a face*, read as the order of two crossings on
  the third: decided where the parameters differ by more than `MARGIN` times their two estimates (`crossing`, `in_order`).

What is not decided is taken as a coincidence (a zero, one vertex) and counted.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from splineviz.geometry.compiled import part
from splineviz.geometry.intrinsics import popcount

__all__ = ["EPS", "MARGIN", "Signs", "classify", "crossing", "in_order"]

EPS = 2.0**-53

MARGIN = 16.0
"""How many times its estimated error a number must lie away from a coincidence to decide against it."""


class Signs(NamedTuple):
    """Strict signs of every unit at every vertex: two bit sets (vertex, word); in neither means zero."""

    positive: np.ndarray
    negative: np.ndarray
    zeros: int
    """Number of pairs (unit, vertex) whose value is within its bound of zero."""
    open: int
    """Of these, how many have a bound above 0, so that the exact value need not be 0."""


@part()
def classify(z: Any, scale: Any, slack: Any, first: Any) -> Any:
    """`Signs` of the values z (V, units), known within scale (units,) times slack (V,); values within that of 0 are set to 0.

    Zeros of units in words before ``first`` are not counted: they have cut, and vanish at vertices by construction.
    """
    n_vertices, n_units = z.shape
    n_words = max(1, (n_units + 63) // 64)
    positive, negative = np.empty((n_vertices, n_words), np.uint64), np.empty((n_vertices, n_words), np.uint64)
    above, below = np.zeros(64 * n_words, np.uint8), np.zeros(64 * n_words, np.uint8)
    above_words, below_words = above.view(np.uint64), below.view(np.uint64)
    n_zero = 0
    n_open = 0
    for v in range(n_vertices):
        row, bound = z[v], MARGIN * slack[v]
        for j in range(n_units):
            x, least = row[j], bound * scale[j]
            above[j] = x > least
            below[j] = x < -least
        decided = np.uint64(0)
        for w in range(n_words):
            positive[v, w], negative[v, w] = _pack(above_words, 8 * w), _pack(below_words, 8 * w)
            decided += popcount(positive[v, w]) + popcount(negative[v, w])
        if np.int64(decided) < n_units:
            for j in range(n_units):
                if abs(row[j]) <= bound * scale[j]:
                    row[j] = 0.0
                    if j >= 64 * first:
                        n_zero += 1
                        n_open += bound * scale[j] > 0.0
    return Signs(positive, negative, n_zero, n_open)


@part(forceinline=True)
def _pack(words: Any, first: Any) -> Any:
    """64 bytes that are 0 or 1, in eight words, as one word of bits; a multiplication gathers eight bytes at a time."""
    result = np.uint64(0)
    for i in range(8):
        result |= ((words[first + i] * np.uint64(0x0102040810204080)) >> np.uint64(56)) << np.uint64(8 * i)
    return result


@part(forceinline=True)
def crossing(za: Any, zb: Any, bound_a: Any, bound_b: Any) -> Any:
    """Parameter in [0, 1] at which an affine function with values za, zb of opposite sign vanishes, and its bound."""
    spread = za - zb
    if spread == 0.0:
        return 0.5, 0.5
    t = min(1.0, max(0.0, za / spread))
    return t, min(1.0, ((1.0 - t) * bound_a + t * bound_b) / abs(spread) + 4.0 * EPS)


@part(forceinline=True)
def in_order(t_first: Any, bound_first: Any, t_second: Any, bound_second: Any) -> Any:
    """Whether the first crossing certainly lies before the second."""
    return t_second - t_first > MARGIN * (bound_first + bound_second)
