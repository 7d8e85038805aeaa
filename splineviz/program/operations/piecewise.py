"""Functions of activations that are affine on each side of the breakpoints of one of them, which may jump
there: what comparisons make, until it is known whether they meet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from splineviz.program.operations.base import PRODUCT, RefusedError
from splineviz.program.trace import Call

__all__ = ["MINUS_ONE", "ONE", "ZERO", "Piecewise", "alone", "composed", "distinct", "fractions", "multiple"]

ZERO, ONE, MINUS_ONE = (np.array(Fraction(n)) for n in (0, 1, -1))
Cells = np.ndarray
"""(2 K + 1, *broadcastable) exact numbers: below the first breakpoint, at it, between it and the next ..."""


@dataclass(frozen=True, eq=False)
class Piecewise:
    """A sum of activations, with coefficients that depend on where one of them, the direction, lies.

    Numbers are exact fractions, in arrays that broadcast against ``shape`` behind their first axis.
    """

    call: Call
    """The call that made it"""
    shape: tuple[int, ...]
    slopes: Mapping[int, Cells]
    """Coefficients by slot, of activations of that shape"""
    constants: Cells
    direction: int | None = None
    """Slot whose value chooses the cell; None where there is one cell only"""
    breakpoints: np.ndarray | None = None
    """(K, *broadcastable) ascending values of the direction; None for none"""
    chosen_by: Piecewise | None = None
    """Condition that takes some of its entries, as ``x[x < 0]`` does; None for all of them"""
    compared: Call | None = None
    """The first comparison that it depends on, after which its stage is named; None for none"""

    @property
    def kinks(self) -> np.ndarray:
        """(K, *broadcastable) the breakpoints, K may be 0."""
        none = np.empty((0, *(1,) * len(self.shape)), dtype=object)
        return none if self.breakpoints is None else self.breakpoints

    @property
    def is_constant(self) -> bool:
        """True where each cell has one value."""
        return not any((slope != 0).any() for slope in self.slopes.values())

    def with_cells(self, function: Callable[[Cells], Cells]) -> Piecewise:
        """A function with the same breakpoints, of which slopes and constants are made anew."""
        slopes = {slot: function(slope) for slot, slope in self.slopes.items()}
        return replace(self, slopes=slopes, constants=function(self.constants))

    def refined(self, direction: int | None, breakpoints: np.ndarray) -> Piecewise:
        """The function with more breakpoints, its own among them."""
        cells = _cells_at(self.kinks, breakpoints)
        finer = self.with_cells(lambda values: _taken(values, cells))
        return replace(finer, direction=direction, breakpoints=breakpoints)

    def scaled(self, factor: np.ndarray) -> Piecewise:
        """The function times constants."""
        return self.with_cells(lambda values: values * factor)

    def shifted(self, constant: np.ndarray) -> Piecewise:
        """The function plus constants."""
        return replace(self, constants=self.constants + constant)

    def __add__(self, other: Piecewise) -> Piecewise:
        """The sum with a function that has the same breakpoints."""
        slots = dict.fromkeys((*self.slopes, *other.slopes))
        slopes = {s: self.slopes.get(s, ZERO) + other.slopes.get(s, ZERO) for s in slots}
        compared = self.compared or other.compared
        return replace(self, slopes=slopes, constants=self.constants + other.constants, compared=compared)

    def __mul__(self, other: Piecewise) -> Piecewise:
        """The product with a function that has the same breakpoints, where one of the two is constant."""
        for slope in self.slopes.values():
            if any(((slope != 0) & (theirs != 0)).any() for theirs in other.slopes.values()):
                raise RefusedError(PRODUCT)
        mine, theirs = self.scaled(other.constants), other.scaled(self.constants)
        total = mine + theirs
        return replace(total, constants=self.constants * other.constants)

    def where(self, yes: Piecewise, no: Piecewise) -> Piecewise:
        """``yes`` in the cells where this is not zero, ``no`` elsewhere; all with the same breakpoints."""
        holds = self.constants != 0
        chosen = yes.with_cells(lambda v: np.where(holds, v, ZERO))
        made = chosen + no.with_cells(lambda v: np.where(holds, ZERO, v))
        return replace(made, compared=self.compared or made.compared)

    def simplified(self) -> Piecewise:
        """The function without breakpoints at which nothing changes, and with no cell that is empty."""
        if self.breakpoints is None:
            return self
        empty = self.breakpoints[1:] == self.breakpoints[:-1]

        def filled(values: Cells) -> Cells:
            values = _widened(values, empty)[0].copy()
            for k, none in enumerate(empty, 1):
                values[2 * k] = np.where(none, values[2 * k - 2], values[2 * k])
            return values

        full = self.with_cells(filled)
        slopes = {slot: slope for slot, slope in full.slopes.items() if (slope != 0).any()}
        full = replace(full, slopes=slopes)
        all_values = [*full.slopes.values(), full.constants]
        kept = [
            k
            for k in range(len(self.breakpoints))
            if any((v[2 * k + 1 : 2 * k + 3] != v[2 * k : 2 * k + 1]).any() for v in all_values)
        ]
        cells = [0, *(cell for k in kept for cell in (2 * k + 1, 2 * k + 2))]
        fewer = full.with_cells(lambda values: values[cells])
        if not kept:
            return replace(fewer, direction=None, breakpoints=None)
        return replace(fewer, breakpoints=self.breakpoints[kept])


def alone(call: Call, slot: int, shape: tuple[int, ...]) -> Piecewise:
    """One activation."""
    one, zero = (np.full((1,) * (len(shape) + 1), Fraction(n), dtype=object) for n in (1, 0))
    return Piecewise(call, shape, {slot: one}, zero)


def fractions(value: Tensor | float, axes: int) -> np.ndarray:
    """(1, *broadcastable) a constant as exact numbers, for activations of so many axes."""
    tensor = value.detach() if isinstance(value, Tensor) else torch.tensor(value, dtype=torch.float64)
    if not bool(tensor.isfinite().all()):
        raise RefusedError("has entries that are not finite")
    if tensor.dim() > axes + 1 or (tensor.dim() == axes + 1 and len(tensor) != 1):
        raise RefusedError("has a constant of more axes than the activation")
    numbers = np.array([Fraction(x) for x in tensor.flatten().tolist()], dtype=object)
    return numbers.reshape((1,) * (axes + 1 - tensor.dim()) + tuple(tensor.shape))


def composed(outer: Piecewise, inner: Piecewise) -> Piecewise:
    """A function whose direction is a function of another activation, and of nothing else, in its cells."""
    assert inner.direction is not None
    thresholds, kinks = outer.kinks, inner.kinks
    arrays = inner.slopes[inner.direction], inner.constants, kinks, thresholds
    slopes, constants, kinks, thresholds = _widened(*arrays)
    roots = []
    for k, (slope, constant) in enumerate(zip(slopes[::2], constants[::2], strict=True)):
        for threshold in thresholds:
            root = (threshold - constant) / np.where(slope == 0, ONE, slope)
            if len(kinks):  # a breakpoint that is there already stands for none
                above = k == 0 or root > kinks[k - 1]
                below = k == len(kinks) or root < kinks[k]
                root = np.where((slope != 0) & above & below, root, kinks[0])
            roots.append(root)
    breakpoints = distinct(np.concatenate([kinks, np.stack(roots)]))
    cells = _cells_at(kinks, breakpoints)
    values = _taken(slopes, cells) * _inside(breakpoints) + _taken(constants, cells)
    chosen = _cell_of(values, thresholds)
    result = outer.with_cells(lambda values: _taken(values, chosen))
    return replace(result, direction=inner.direction, breakpoints=breakpoints)


def distinct(breakpoints: np.ndarray) -> np.ndarray:
    """Breakpoints in ascending order, without rows that are that before."""
    breakpoints = np.sort(breakpoints, axis=0)
    new = [k for k in range(len(breakpoints)) if (breakpoints[k : k + 1] != breakpoints[max(k - 1, 0)]).any()]
    return breakpoints[[0, *new]]


def multiple(slopes: Mapping[int, np.ndarray], of: Mapping[int, np.ndarray]) -> np.ndarray | None:
    """Factors, entry by entry, by which a sum of activations is that of another one; None if it is not."""
    factor = ZERO
    for slot, base in of.items():
        mine = slopes.get(slot, ZERO)
        factor = np.where(base != 0, mine / np.where(base != 0, base, ONE), factor)
    slots = (*slopes, *of)
    fits = all((slopes.get(s, ZERO) == factor * of.get(s, ZERO)).all() for s in slots)
    return factor if fits else None


def _inside(breakpoints: np.ndarray) -> np.ndarray:
    """A point of each cell: the breakpoints, and one between any two."""
    result = np.empty((2 * len(breakpoints) + 1, *breakpoints.shape[1:]), dtype=object)
    result[1::2] = breakpoints
    result[0], result[-1] = breakpoints[0] - 1, breakpoints[-1] + 1
    result[2:-1:2] = (breakpoints[1:] + breakpoints[:-1]) / 2
    return result


def _cell_of(values: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Number of the cell between thresholds that each value is in."""
    below, equal = thresholds[:, None] < values, thresholds[:, None] == values
    cells: np.ndarray = 2 * below.sum(0) + equal.any(0)
    return cells.astype(np.int64)


def _cells_at(own: np.ndarray, finer: np.ndarray) -> np.ndarray:
    """The cell between ``own`` breakpoints that holds each cell between ``finer`` ones, (2 K + 1, ...)."""
    if not len(own):
        return np.zeros((2 * len(finer) + 1, *finer.shape[1:]), dtype=np.int64)
    at = _cell_of(finer, own)
    above = 2 * (own[:, None] <= finer).sum(0)
    result = np.zeros((2 * len(finer) + 1, *at.shape[1:]), dtype=np.int64)
    result[1::2], result[2::2] = at, above
    return result


def _taken(values: Cells, cells: np.ndarray) -> Cells:
    """The values of chosen cells, entry by entry."""
    values, cells = _widened(values, cells)
    return np.take_along_axis(values, cells, 0)


def _widened(*arrays: np.ndarray) -> list[np.ndarray]:
    """Arrays with one shape behind their first axis."""
    shape = np.broadcast_shapes(*(a.shape[1:] for a in arrays))
    return [np.broadcast_to(a, (len(a), *shape)) for a in arrays]
