"""Proof in exact arithmetic that the cells of a segment are right.

On each cell the states that were found make the network one affine map. So they are right, or a unit
contradicts them at one end of the cell; and ends are where the first unit that changes its state there
vanishes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from splineviz.exact.digits import ExactTensor, InexactError
from splineviz.exact.forward import affine, distances, in_states, picked
from splineviz.exact.pieces import split
from splineviz.geometry.csr import Csr
from splineviz.geometry.rounding import UNIT_ROUNDOFF
from splineviz.program.interpret import Interpreter, walk
from splineviz.program.nodes import Maximum, Pointwise
from splineviz.program.program import Program
from splineviz.program.rows import as_rows

__all__ = ["confirmed", "rounded"]

States = Callable[[int], np.ndarray]
"""Of a stage the states of its units in each cell, (cells, units)"""

_TINY = 2.0**-1000


@dataclass(frozen=True, eq=False)
class _Claim:
    """Signs that states imply for functions that are affine on each cell: the units of a stage, or one
    candidate of each of its maxima."""

    stage: int
    place: int
    """-1 for units that are no maxima"""
    z: ExactTensor
    """(2 cells, n) the functions of each cell, first at one end of the whole segment, then at the other"""
    sign: np.ndarray
    """(cells, n) 1 if a function must not be negative on the cell, -1 if it must not be positive, 0 if all is
    well"""
    strict: np.ndarray
    """(cells, n) whether it must not be zero on the whole cell"""

    def integers(self, cells: np.ndarray, entries: np.ndarray) -> list[tuple[int, int]]:
        """Values of some functions at both ends of the segment, times one positive number."""
        n = len(self.sign)
        return list(zip(self.z.integers(cells, entries), self.z.integers(cells + n, entries), strict=True))

    def holds(self, knots: list[Fraction]) -> bool:
        """Whether no function has a sign at an end of its cell that it must not have."""
        t = np.array([float(knot) for knot in knots])[:, None]
        a, b = (x.numpy() for x in rounded(self.z).chunk(2))
        slack = (len(self.z.digits) + 16.0) * UNIT_ROUNDOFF * (np.abs(a) + np.abs(b)) + _TINY
        low, high = (self.sign * (a + at * (b - a)) for at in (t[:-1], t[1:]))
        zero = (self.z.signs() == 0).numpy()
        well = (
            (self.sign == 0)
            | (zero[: len(a)] & zero[len(a) :] & ~self.strict)
            | ((low > slack) & (high > slack))
        )
        cells, entries = np.nonzero(~well)
        for cell, entry, (p, q) in zip(
            cells.tolist(), entries.tolist(), self.integers(cells, entries), strict=True
        ):
            ends = [
                p * (knot.denominator - knot.numerator) + q * knot.numerator
                for knot in knots[cell : cell + 2]
            ]
            if min(int(self.sign[cell, entry]) * x for x in ends) < 0 or (
                self.strict[cell, entry] and not any(ends)
            ):
                return False
        return True


def confirmed(program: Program, ends: Tensor, units: Csr, states: States) -> bool:
    """True where exact arithmetic confirms all cells of a segment; False where a node has no exact form.

    Parameters
    ----------
    program
        The network.
    ends
        (2, *input_shape) where the segment begins and ends.
    units
        A row for each knot, of the (stage, unit) that change their state there.
    states
        (cells, units) the states of a stage in each cell: whether units are on, or the winners of maxima.
    """
    try:
        knots = _knots(program, ends, units, states)
        return all(a < b for a, b in pairwise(knots)) and all(
            claim.holds(knots) for claim in _claims(program, ends, len(knots) - 1, states)
        )
    except InexactError:
        return False


def _knots(program: Program, ends: Tensor, units: Csr, states: States) -> list[Fraction]:
    """The exact place of every knot, in [0, 1]; 0 for what is none."""
    n_cells = len(units) - 1
    knots = [Fraction(0)] * n_cells + [Fraction(1)]
    first = units.values[units.offsets[1:-2]]
    for claim in _claims(program, ends, n_cells, states):
        cells = np.flatnonzero(first[:, 0] == claim.stage)
        if claim.place >= 0:
            cells = cells[states(claim.stage)[cells + 1, first[cells, 1]] == claim.place]
        for cell, (p, q) in zip(cells.tolist(), claim.integers(cells, first[cells, 1]), strict=True):
            knots[cell + 1] = Fraction(p, p - q) if p != q else Fraction(0)
    return knots


def _claims(program: Program, ends: Tensor, n_cells: int, states: States) -> Iterator[_Claim]:
    """The claims of all stages, in their order; each is computed as it is asked for."""

    def pointwise(node: Pointwise, x: ExactTensor) -> ExactTensor:
        return in_states(node, x, np.tile(states(node.stage), (2, 1)))

    def maximum(node: Maximum, x: ExactTensor) -> ExactTensor:
        return picked(node, x, states(node.stage))

    digits, exponent = split(ends.repeat_interleave(n_cells, 0))
    slots = {0: ExactTensor(digits, exponent, 1, torch.ones(1, 2 * n_cells, dtype=torch.float64))}
    for node in walk(program.nodes, slots, Interpreter(affine, pointwise, maximum)):
        if isinstance(node, Pointwise):
            on = states(node.stage)
            yield _Claim(node.stage, -1, distances(node, slots[node.inputs[0]]), np.where(on, 1, -1), on)
        elif isinstance(node, Maximum):
            yield from _maxima(node, slots[node.inputs[0]], slots[node.output], states(node.stage))


def _maxima(node: Maximum, x: ExactTensor, top: ExactTensor, winners: np.ndarray) -> Iterator[_Claim]:
    """No candidate is larger than the winner (cells, W) of its window, nor, in a lower place, as large
    everywhere."""

    largest, entered = top.map(as_rows), x.map(as_rows)
    for place, entries in enumerate(node.windows.T):
        ahead = entered.map(
            partial(torch.index_select, dim=1, index=torch.from_numpy(np.maximum(entries, 0)))
        ).plus(largest, -1.0)
        asked = (entries >= 0) & (winners != place)
        yield _Claim(node.stage, place, ahead, -1 * asked, place < winners)


def rounded(x: ExactTensor) -> Tensor:
    """(V, n) the numbers times one positive number, each with a relative error of as many roundings as there
    are digits.

    From the top, what comes is less than a unit of what is there, and that is rounded only where it is far
    more.
    """
    total, unit = x.digits[-1].clone(), 1.0
    for digits in x.digits.flip(0)[1:]:
        unit /= 1 << 16
        total += digits * unit
    return total
