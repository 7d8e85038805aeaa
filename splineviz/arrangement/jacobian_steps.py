"""Jacobians of cells from those of their neighbours: across an edge of one unit they differ by a matrix of
rank one.

With j the gradient of what enters the unit, and a what the output makes of its result, the Jacobian changes
by a j' times the change of the unit's slope.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.side_lines import SideUnits
from splineviz.arrangement.slopes import derivatives
from splineviz.arrangement.unread_units import slope_changes
from splineviz.geometry.compiled import kernel
from splineviz.program.interpret import Interpreter, walk
from splineviz.program.nodes import Affine, Maximum, Pointwise
from splineviz.program.program import Program
from splineviz.program.rows import as_rows

__all__ = ["jacobians"]

_LOST = 2.0**-6
"""Share of the largest norm on the way below which a norm is worked out anew"""


class _Steps(NamedTuple):
    """For each cell of a run the neighbour that it is reached from."""

    before: Int64[np.ndarray, "cell"]
    """Row of the neighbour, which is less than the cell's own; -1 for none"""
    stage: Int64[np.ndarray, "cell"]
    unit: Int64[np.ndarray, "cell"]


def jacobians(
    arr: Cells,
    program: Program,
    cells: np.ndarray,
    sides: Sequence[SideUnits],
    in_full: Callable[[np.ndarray], Tensor],
    reduced: Callable[[Tensor], Tensor],
) -> Tensor:
    """(cells, C, D) Jacobians of a run of cells.

    ``sides`` are those of all cells, by stage; ``in_full`` works Jacobians out by their cells alone, and
    ``reduced`` makes of gradients (n, inputs) the rows that these have. A norm that is small beside those on
    the way to it, and would have their rounding, is worked out in full.
    """
    steps = _steps(arr, program, cells, sides)
    start = np.flatnonzero(steps.before < 0)
    full = in_full(cells[start])
    result = full.new_empty(len(cells), *full.shape[1:])
    result[start] = full
    effect, gradient = result.new_zeros(result.shape[:2]), result.new_zeros(len(cells), result.shape[2])
    for stage in np.unique(steps.stage[steps.before >= 0]).tolist():
        rows = np.flatnonzero((steps.before >= 0) & (steps.stage == stage))
        units, here = steps.unit[rows], torch.from_numpy(rows)
        gradient[here] = reduced(as_rows(_gradients(arr, program, stage, cells[rows], units)))
        effect[here] = _effects(arr, program, stage, cells[rows], units)
    lost = _filled(result.numpy(), steps.before, effect.numpy(), gradient.numpy())
    if len(lost):
        result[torch.from_numpy(lost)] = in_full(cells[lost])
    return result


def _steps(arr: Cells, program: Program, cells: np.ndarray, sides: Sequence[SideUnits]) -> _Steps:
    """From the neighbour of the lowest row, so that ways are short, across edges of one pointwise unit."""
    mine = [side.of(cells) for side in sides]
    row, unit = (np.concatenate([getattr(side, name) for side in mine]) for name in ("row", "unit"))
    before = np.concatenate([side.beyond for side in mine]) - cells[0]
    stage = np.repeat(np.arange(len(mine)), [len(side.row) for side in mine])
    edge = arr.cell_edges[np.concatenate([side.side for side in mine])]
    single = arr.edge_units.offsets[edge + 1] - arr.edge_units.offsets[edge] == 1
    bends = np.array([not stage.candidates for stage in program.stages])[stage]
    found = np.flatnonzero((before >= 0) & (before < row) & single & bends)
    found = found[np.lexsort((before[found], row[found]))]
    reached, first = np.unique(row[found], return_index=True)
    steps = _Steps(*(np.full(len(cells), -1) for _ in range(3)))
    for values, given in zip(steps, (before, stage, unit), strict=True):
        values[reached] = given[found[first]]
    return steps


def _place(program: Program, stage: int) -> int:
    """Which node a stage is."""
    return next(
        i for i, node in enumerate(program.nodes) if not isinstance(node, Affine) and node.stage == stage
    )


def _gradients(arr: Cells, program: Program, stage: int, cells: np.ndarray, units: np.ndarray) -> Tensor:
    """(rows, *input) gradients of what enters one unit of a stage each, on a cell each."""
    place = _place(program, stage)
    node = program.nodes[place]
    with torch.enable_grad():
        x = torch.zeros(len(cells), *program.input_shape, dtype=torch.float64, requires_grad=True)
        slots = {0: x}
        for _ in walk(program.nodes[:place], slots, derivatives(arr, cells)):
            pass
        z = as_rows(slots[node.inputs[0]])
        if not z.requires_grad:  # a unit that reads no input
            return torch.zeros_like(x)
        entries = z[torch.arange(len(cells)), torch.from_numpy(units % z.shape[1])]
        (gradient,) = torch.autograd.grad(entries.sum(), x)
    return gradient


def _effects(arr: Cells, program: Program, stage: int, cells: np.ndarray, units: np.ndarray) -> Tensor:
    """(rows, C) what the output changes by on a cell each, for a unit derivative of what enters one unit of a
    stage, as that unit takes the state that it has there.

    A slot without any change holds None.
    """
    place = _place(program, stage)
    node = program.nodes[place]
    assert isinstance(node, Pointwise)
    change = as_rows(slope_changes(node, units, node.shape))
    on = arr.pattern_bits(stage, cells)[np.arange(len(cells)), units]
    change = torch.where(torch.from_numpy(on)[:, None], change, -change).reshape(-1, *node.shape)
    slots: dict[int, Tensor | None] = dict.fromkeys(range(program.n_slots))
    slots[node.output] = change
    plain = derivatives(arr, cells)

    def affine(node: Affine, values: Sequence[Tensor | None]) -> Tensor | None:
        if all(value is None for value in values):
            return None
        shapes = (program.shapes[i] for i in node.inputs)
        filled = (
            change.new_zeros(len(cells), *shape) if value is None else value
            for value, shape in zip(values, shapes, strict=True)
        )
        return plain.affine(node, list(filled))

    def pointwise(node: Pointwise, value: Tensor | None) -> Tensor | None:
        return None if value is None else plain.pointwise(node, value)

    def maximum(node: Maximum, value: Tensor | None) -> Tensor | None:
        return None if value is None else plain.maximum(node, value)

    for _ in walk(program.nodes[place + 1 :], slots, Interpreter(affine, pointwise, maximum)):
        pass
    output = slots[program.output]
    return change.new_zeros(len(cells), 1) if output is None else as_rows(output)


@kernel
def _filled(
    jacobian: Float64[np.ndarray, "cell output input"],
    before: Int64[np.ndarray, "cell"],
    effect: Float64[np.ndarray, "cell output"],
    gradient: Float64[np.ndarray, "cell input"],
) -> Int64[np.ndarray, "lost"]:
    """Fill in the Jacobians of cells that are reached from others; those whose norm has become small on the
    way."""
    n, n_out, n_in = jacobian.shape
    largest, lost = np.empty(n), np.zeros(n, np.bool_)
    for cell in range(n):
        source, square = before[cell], 0.0
        if source < 0:
            for value in jacobian[cell].ravel():
                square += value * value
            largest[cell] = square
            continue
        for output in range(n_out):
            a = effect[cell, output]
            for i in range(n_in):
                value = jacobian[source, output, i] + a * gradient[cell, i]
                jacobian[cell, output, i] = value
                square += value * value
        largest[cell] = max(largest[source], square)
        lost[cell] = not square > _LOST * _LOST * largest[cell]
    return np.flatnonzero(lost)
