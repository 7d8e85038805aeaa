"""Derivatives round single units: of what enters a unit by the network's input, and of the output by the
unit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.slopes import derivatives, slopes_and_intercepts
from splineviz.arrangement.unread_units import slope_changes
from splineviz.program.interpret import Interpreter, walk
from splineviz.program.nodes import Affine, Maximum, Pointwise
from splineviz.program.program import Program
from splineviz.program.rows import as_rows
from splineviz.program.transposes import transposed

__all__ = ["effects_of_units", "gradients_of_units"]


class _Rows(NamedTuple):
    """A tensor for each different unit of a stage, or for each row."""

    x: Tensor
    by_row: bool


def _place(program: Program, stage: int) -> int:
    """Which node a stage is."""
    return next(
        i for i, node in enumerate(program.nodes) if not isinstance(node, Affine) and node.stage == stage
    )


def gradients_of_units(
    arr: Cells, program: Program, stage: int, cells: np.ndarray, units: np.ndarray
) -> Tensor:
    """(rows, *input) gradients of what enters one unit of a stage each, on a cell each.

    From the unit back to the input; up to the first node that bends they are those of the unit.
    """
    place = _place(program, stage)
    unit_node = program.nodes[place]
    assert not isinstance(unit_node, Affine)
    n_entries = math.prod(unit_node.shape)
    different, of_row = np.unique(units % n_entries, return_inverse=True)
    spread = _by_row(of_row)
    one = torch.zeros(len(different), n_entries, dtype=torch.float64)
    one[torch.arange(len(different)), torch.from_numpy(different)] = 1.0
    adjoint = {unit_node.inputs[0]: _Rows(one.reshape(-1, *unit_node.shape), False)}
    for node in reversed(program.nodes[:place]):
        own = adjoint.pop(node.output, None)
        if own is None:
            continue
        if isinstance(node, Affine):
            shapes = [program.shapes[slot] for slot in node.inputs]
            parts = [_Rows(part, own.by_row) for part in transposed(node, own.x, shapes)]
        elif isinstance(node, Pointwise):
            parts = [_Rows(slopes_and_intercepts(arr, node, cells)[0] * spread(own), True)]
        else:
            shape = program.shapes[node.inputs[0]]
            parts = [_Rows(_unpicked(node, spread(own), arr.winners(node.stage, cells), shape), True)]
        for slot, part in zip(node.inputs, parts, strict=True):
            given = adjoint.get(slot)
            adjoint[slot] = part if given is None else _Rows(spread(given) + spread(part), True)
    if 0 not in adjoint:  # a unit that reads no input
        return torch.zeros(len(cells), *program.input_shape, dtype=torch.float64)
    return spread(adjoint[0])


def _unpicked(node: Maximum, own: Tensor, winners: np.ndarray, shape: tuple[int, ...]) -> Tensor:
    """(rows, *shape) what rows of coefficients of maxima are, as coefficients of the candidates."""
    with torch.enable_grad():
        x = torch.zeros(len(own), *shape, dtype=torch.float64).requires_grad_()
        (found,) = torch.autograd.grad(node.pick(x, winners), x, own)
    return found


def _by_row(of_row: np.ndarray) -> Callable[[_Rows], Tensor]:
    """A function that makes (rows, ...) of tensors by different units; ``of_row`` (rows,) is the unit."""
    index = torch.from_numpy(of_row.reshape(-1))
    return lambda value: value.x if value.by_row else value.x[index]


def effects_of_units(
    arr: Cells, program: Program, stage: int, cells: np.ndarray, units: np.ndarray
) -> Tensor:
    """(rows, C) what the output changes by on a cell each, for a unit derivative of what enters one unit of a
    stage, as that unit takes the state that it has there.

    Up to the next node that bends it is that of the unit. A slot without any change holds None.
    """
    place = _place(program, stage)
    node = program.nodes[place]
    assert isinstance(node, Pointwise)
    different, of_row = np.unique(units, return_inverse=True)
    spread = _by_row(of_row)
    slots: dict[int, _Rows | None] = dict.fromkeys(range(program.n_slots))
    slots[node.output] = _Rows(slope_changes(node, different, node.shape), False)
    plain = derivatives(arr, cells)

    def affine(node: Affine, values: Sequence[_Rows | None]) -> _Rows | None:
        given = [value for value in values if value is not None]
        if not given:
            return None
        by_row = any(value.by_row for value in given)
        n = len(cells) if by_row else len(different)
        filled = [
            torch.zeros(n, *program.shapes[slot], dtype=torch.float64)
            if value is None
            else (spread(value) if by_row else value.x)
            for slot, value in zip(node.inputs, values, strict=True)
        ]
        return _Rows(plain.affine(node, filled), by_row)

    def pointwise(node: Pointwise, value: _Rows | None) -> _Rows | None:
        return None if value is None else _Rows(plain.pointwise(node, spread(value)), True)

    def maximum(node: Maximum, value: _Rows | None) -> _Rows | None:
        return None if value is None else _Rows(plain.maximum(node, spread(value)), True)

    for _ in walk(program.nodes[place + 1 :], slots, Interpreter(affine, pointwise, maximum)):
        pass
    output = slots[program.output]
    if output is None:
        return torch.zeros(len(cells), 1, dtype=torch.float64)
    on = torch.from_numpy(arr.pattern_bits(stage, cells)[np.arange(len(cells)), units])
    effects = as_rows(spread(output))
    return torch.where(on[:, None], effects, -effects)
