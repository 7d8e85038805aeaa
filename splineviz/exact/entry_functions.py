"""Affine functions that entries of a tensor are on faces, read from the maps of the faces; and the kinds of
numbers that these are carried in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from splineviz.exact import double_double, fields
from splineviz.exact.balls import Line, balls
from splineviz.exact.carried import Kind
from splineviz.exact.double_double import DoubleDouble, exact_sum
from splineviz.exact.fields import PRIMES, Residues, in_fields
from splineviz.exact.line_crossings import Lines
from splineviz.geometry.rounding import SAFE
from splineviz.plane import Plane

__all__ = ["BITS", "IN_FIELDS", "IN_TWO_FLOATS", "EntryFunctions", "entry_functions"]

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

    def lines(self, columns: np.ndarray, shift: int | None = None) -> list[Line]:
        """Some of the functions, each times 2^shift; as far as float64 allows if none is given."""
        high, low, error = (part[:, columns] for part in (self.high, self.low, self.error))
        minus = np.zeros_like(high)
        minus[0] = self.kinks[columns]
        if shift is None:
            largest = np.maximum(np.abs(high).max(0), np.maximum(np.abs(minus[0]), 2.0**-900))
            shifts = BITS - np.frexp(largest)[1].astype(np.int64)
        else:
            shifts = np.full(len(columns), shift)
        flat = [x.reshape(-1) for x in (high, low, minus, error)]
        found, n = balls(flat[0], flat[1], flat[2], flat[3], np.tile(shifts, 3)), len(columns)
        return list(zip(found[:n], found[n : 2 * n], found[2 * n :], strict=True))

    def write(self, columns: np.ndarray, lines: Lines, rows: np.ndarray) -> None:
        """Put some of the functions into columns ``rows`` of lines."""
        high, low, error = (part[:, columns] for part in (self.high, self.low, self.error))
        kinks = self.kinks[columns]
        if kinks.any():
            size = np.abs(high[0]) + np.abs(kinks)
            first, more = exact_sum(torch.from_numpy(high[0]), torch.from_numpy(-kinks))
            high[0], low[0] = first.numpy(), low[0] + more.numpy()
            error[0] = SAFE * (error[0] + 2.0**-103 * size)
        for column, own in zip(lines, (high, low, error), strict=True):
            column[:, rows] = own


def entry_functions(
    x: DoubleDouble,
    rows: np.ndarray,
    entries: np.ndarray,
    minus: np.ndarray | None,
    kinks: np.ndarray | None,
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
        first, more = exact_sum(first, -other)
        rest = rest - low[at, minus] + more
    bound: np.ndarray = SAFE * (error + 2.0**-103 * sizes.numpy())
    none = np.zeros(len(rows)) if kinks is None else kinks
    return EntryFunctions(first.numpy(), rest.numpy(), bound, none)


def _residues(
    x: Residues, rows: np.ndarray, entries: np.ndarray, minus: np.ndarray | None, kinks: np.ndarray | None
) -> np.ndarray:
    """(fields, 3, n) likewise, of residues: each a residue or the difference of two or three."""
    values = x.values.reshape(*x.values.shape[:2], -1)
    at = rows + values.shape[1] // 3 * np.arange(3)[:, None]
    found = values[:, at, entries]
    if minus is not None:
        found = found - values[:, at, minus]
    if kinks is not None:
        found[:, 0] -= in_fields(torch.from_numpy(kinks))
    result: np.ndarray = found.numpy()
    return result


def _frame(plane: Plane, shape: tuple[int, ...]) -> Tensor:
    return torch.from_numpy(np.concatenate([plane.origin[None], plane.basis])).reshape(-1, *shape)


_ONE = np.array([1.0, 0.0, 0.0])
"""Constants count for the value at the origin, and not for derivatives"""


def _two_floats_of(plane: Plane, shape: tuple[int, ...]) -> DoubleDouble:
    rows = _frame(plane, shape)
    return DoubleDouble(rows, torch.zeros_like(rows), np.zeros(3), _ONE)


def _residues_of(plane: Plane, shape: tuple[int, ...]) -> Residues:
    return Residues(in_fields(_frame(plane, shape)), torch.from_numpy(_ONE))


IN_TWO_FLOATS = Kind(
    _two_floats_of,
    double_double.affine,
    double_double.pointwise_in_states,
    entry_functions,
    products=20.0,
    numbers=2,
)
"""About a hundred bits, with bounds"""

IN_FIELDS = Kind(
    _residues_of,
    fields.affine,
    fields.pointwise_in_states,
    _residues,
    products=3.0 * len(PRIMES),
    numbers=len(PRIMES),
)
"""Residues, by which zeros are told"""
