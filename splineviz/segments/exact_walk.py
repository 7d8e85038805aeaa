"""The cells of a segment in exact arithmetic, for segments on which rounding leaves it open which there are.

On each cell the network is one affine map of t, known from its values at both ends of the whole segment; so a
unit vanishes at a rational t, and cells of any size are told apart.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from splineviz.exact.digits import ExactTensor
from splineviz.exact.forward import affine, distances, in_states, picked, work
from splineviz.exact.pieces import split
from splineviz.program.nodes import Affine, Maximum
from splineviz.program.program import Program
from splineviz.program.rows import as_rows
from splineviz.segments.exact_changes import changes_of_maxima, changes_of_units

__all__ = ["ExactWalk", "affordable", "exact_walk"]

_LIMIT = 4e8
"""Products of two numbers for one segment: a few seconds"""
_CALL = 1e4
"""Products of two numbers in the time that a node takes, however few cells there are"""


@dataclass(frozen=True)
class ExactWalk:
    """The cells of a segment, exactly."""

    knots: list[Fraction]
    states: list[np.ndarray]
    """By stage, (cells, units): whether units are on, or the places of winners"""
    values: np.ndarray
    """(K + 1, C) output at the knots, rounded once"""


def affordable(program: Program, n_cells: int) -> bool:
    """Whether a segment of about so many cells may be walked exactly."""
    return 2.0 * n_cells * work(program) + _CALL * len(program.nodes) <= _LIMIT


def exact_walk(program: Program, ends: Tensor) -> ExactWalk:
    """The cells from one of two points (2, *input_shape) to the other.

    Raises
    ------
    InexactError
        If a node of the program has no exact form.
    """
    knots = [Fraction(0), Fraction(1)]
    digits, exponent = split(ends)
    slots = {0: ExactTensor(digits, exponent, 1, torch.ones(1, 2, dtype=torch.float64))}
    states: list[np.ndarray] = []
    for node in program.nodes:
        if isinstance(node, Affine):
            slots[node.output] = affine(node, [slots[i] for i in node.inputs])
        else:
            x = slots[node.inputs[0]]
            if isinstance(node, Maximum):
                changes = changes_of_maxima(node, x.map(as_rows), knots)
            else:
                changes = changes_of_units(distances(node, x), knots)
            after = sorted({*knots, *changes.cuts()})
            parent = np.array([bisect_left(knots, t) for t in after[1:]]) - 1
            slots = {slot: _parts(live, parent) for slot, live in slots.items()}
            found, x = changes.states(knots, after, parent), slots[node.inputs[0]]
            states = [*(done[parent] for done in states), found]
            knots = after
            slots[node.output] = (
                picked(node, x, found)
                if isinstance(node, Maximum)
                else in_states(node, x, np.tile(found, (2, 1)))
            )
        for slot in node.frees:
            slots.pop(slot, None)
    return ExactWalk(knots, states, _values(slots[program.output], knots))


def _parts(x: ExactTensor, parent: np.ndarray) -> ExactTensor:
    """A tensor (2 cells, ...) on parts of the cells."""
    n = x.digits.shape[1] // 2
    rows = torch.from_numpy(np.concatenate([parent, n + parent]))
    return replace(x, digits=x.digits[:, rows], one=x.one[:, rows])


def _values(x: ExactTensor, knots: list[Fraction]) -> np.ndarray:
    """(K + 1, C) at the knots: at the beginning of each cell, and at the end of the last."""
    flat = x.map(lambda values: values.reshape(len(values), -1))
    n, n_outputs = len(knots) - 1, flat.digits.shape[2]
    cells, outputs = np.repeat(np.arange(n), n_outputs), np.tile(np.arange(n_outputs), n)
    first, last = (flat.integers(cells + end, outputs) for end in (0, n))
    unit = Fraction(1, flat.divisor) / Fraction(2) ** flat.exponent
    rows = [
        [
            _float((p + (q - p) * t) * unit)
            for p, q in zip(first[i : i + n_outputs], last[i : i + n_outputs], strict=True)
        ]
        for i, t in zip(range(0, n * n_outputs, n_outputs), knots, strict=False)
    ]
    rows.append([_float(q * unit) for q in last[-n_outputs:]])
    return np.array(rows)


def _float(x: Fraction) -> float:
    """The nearest float64, infinite beyond the largest."""
    try:
        return x.numerator / x.denominator
    except OverflowError:
        return float("inf") if x > 0 else float("-inf")
