"""Affine functions that entries of a tensor are on faces, read from the maps of the faces in two float64."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from splineviz.exact.balls import Ball, Line
from splineviz.exact.double_double import DoubleDouble, two_sum
from splineviz.geometry.rounding import SAFE

__all__ = ["BITS", "EntryFunctions", "entry_functions"]

BITS = 190
"""Bits of the whole numbers that stand for two float64"""


class EntryFunctions(NamedTuple):
    """Values at the plane's origin and two derivatives, one column for each function."""

    high: np.ndarray
    """(3, n)"""
    low: np.ndarray
    error: np.ndarray
    """(3, n) bounds"""
    kinks: np.ndarray
    """(n,) numbers that are taken away from the values"""

    def line(self, i: int, shift: int | None = None) -> Line:
        """The i-th function times 2^shift; as far as float64 allows if none is given."""
        high, low, error, kink = self.high[:, i], self.low[:, i], self.error[:, i], float(self.kinks[i])
        if shift is None:
            shift = BITS - math.frexp(max(float(np.abs(high).max()), abs(kink), 2.0**-900))[1]
        c, p, q = (
            Ball.of(a, b, e, shift)
            for a, b, e in zip(high.tolist(), low.tolist(), error.tolist(), strict=True)
        )
        return (c - Ball.of(kink, 0.0, 0.0, shift) if kink else c), p, q


def entry_functions(
    x: DoubleDouble,
    rows: np.ndarray,
    entries: np.ndarray,
    minus: np.ndarray | None = None,
    kinks: np.ndarray | None = None,
) -> EntryFunctions:
    """Functions of entries, less those of others or constants.

    Parameters
    ----------
    x
        (3 faces, ...) values at the origin of all faces, then both derivatives.
    rows, entries, minus
        (n,) face, entry of its flat tensor, and the entry to take away.
    kinks
        (n,) constants to take away.
    """
    at = rows + len(x.high) // 3 * np.arange(3)[:, None]
    high, low = (t.reshape(len(t), -1) for t in (x.high, x.low))
    first, rest, error = high[at, entries], low[at, entries], x.error[at]
    sizes = first.abs()
    if minus is not None:
        other = high[at, minus]
        sizes, error = sizes + other.abs(), 1.5 * error
        first, more = two_sum(first, -other)
        rest = rest - low[at, minus] + more
    bound: np.ndarray = SAFE * (error + 2.0**-103 * sizes.numpy())
    none = np.zeros(len(rows)) if kinks is None else kinks
    return EntryFunctions(first.numpy(), rest.numpy(), bound, none)
