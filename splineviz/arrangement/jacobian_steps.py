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
from splineviz.arrangement.unit_derivatives import effects_of_units, gradients_of_units
from splineviz.geometry.compiled import kernel
from splineviz.program.program import Program
from splineviz.program.rows import as_rows

__all__ = ["jacobians"]

_LOST = 2.0**-6
"""Share of the largest norm on the way below which a norm is worked out anew"""


class _Steps(NamedTuple):
    """A spanning forest of the cells of a run: for each the neighbour that it is reached from."""

    order: Int64[np.ndarray, "cell"]
    """Rows of cells, each after the one it is reached from"""
    before: Int64[np.ndarray, "cell"]
    """Row of the neighbour; -1 for none"""
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
    effect, gradients = result.new_zeros(result.shape[:2]), [result.new_zeros(0, result.shape[2])]
    gradient = np.zeros(len(cells), dtype=np.int64)
    for stage in np.unique(steps.stage[steps.before >= 0]).tolist():
        rows = np.flatnonzero((steps.before >= 0) & (steps.stage == stage))
        units = steps.unit[rows]
        effect[torch.from_numpy(rows)] = effects_of_units(arr, program, stage, cells[rows], units)
        # Pieces of a unit's line within one cell of the stage before share what enters the unit.
        around = np.stack([_cells_before(arr, stage, cells[rows]), units])
        _, first, alike = np.unique(around, axis=1, return_index=True, return_inverse=True)
        gradient[rows] = sum(map(len, gradients)) + alike.reshape(-1)
        own = gradients_of_units(arr, program, stage, cells[rows[first]], units[first])
        gradients.append(reduced(as_rows(own)))
    lost = _filled(
        result.numpy(), steps.order, steps.before, effect.numpy(), gradient, torch.cat(gradients).numpy()
    )
    if len(lost):
        result[torch.from_numpy(lost)] = in_full(cells[lost])
    return result


def _steps(arr: Cells, program: Program, cells: np.ndarray, sides: Sequence[SideUnits]) -> _Steps:
    """By the shortest ways from the lowest row, across edges of one pointwise unit."""
    mine = [side.of(cells) for side in sides]
    row, unit = (np.concatenate([getattr(side, name) for side in mine]) for name in ("row", "unit"))
    beyond = np.concatenate([side.beyond for side in mine]) - cells[0]
    stage = np.repeat(np.arange(len(mine)), [len(side.row) for side in mine])
    edge = arr.cell_edges[np.concatenate([side.side for side in mine])]
    single = arr.edge_units.lengths[edge] == 1
    bends = np.array([not stage.candidates for stage in program.stages])[stage]
    found = np.flatnonzero((beyond >= 0) & (beyond < len(cells)) & single & bends)
    found = found[np.argsort(row[found], kind="stable")]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(row[found], minlength=len(cells)))])
    order, through = _forest(offsets, beyond[found])
    reached = np.flatnonzero(through >= 0)
    steps = _Steps(order, *(np.full(len(cells), -1) for _ in range(3)))
    for values, given in zip(steps[1:], (row, stage, unit), strict=True):
        values[reached] = given[found[through[reached]]]
    return steps


def _cells_before(arr: Cells, stage: int, cells: np.ndarray) -> np.ndarray:
    """(cells,) which cell of those before a stage, and of its units that bend there, each is part of."""
    for _, parent in reversed(arr.patterns[stage:]):
        cells = parent[cells]
    return cells


@kernel
def _forest(
    offsets: Int64[np.ndarray, "cell+1"], beyond: Int64[np.ndarray, "side"]
) -> tuple[Int64[np.ndarray, "cell"], Int64[np.ndarray, "cell"]]:
    """Cells in an order in which each comes after one next to it, and the side of that one by which it was
    found; -1 for the first of those that hang together. ``beyond`` is the cell beyond each side."""
    n = len(offsets) - 1
    order, through = np.empty(n, np.int64), np.full(n, -1, np.int64)
    seen = np.zeros(n, np.bool_)
    taken, found = 0, 0
    for root in range(n):
        if seen[root]:
            continue
        seen[root] = True
        order[found] = root
        found += 1
        while taken < found:
            cell = order[taken]
            taken += 1
            for side in range(offsets[cell], offsets[cell + 1]):
                other = beyond[side]
                if not seen[other]:
                    seen[other] = True
                    through[other] = side
                    order[found] = other
                    found += 1
    return order, through


@kernel
def _filled(
    jacobian: Float64[np.ndarray, "cell output input"],
    order: Int64[np.ndarray, "cell"],
    before: Int64[np.ndarray, "cell"],
    effect: Float64[np.ndarray, "cell output"],
    gradient: Int64[np.ndarray, "cell"],
    gradients: Float64[np.ndarray, "gradient input"],
) -> Int64[np.ndarray, "lost"]:
    """Fill in the Jacobians of cells that are reached from others, in this order; those whose norm has become
    small on the way. ``gradient`` is the row of ``gradients`` of each cell."""
    n, n_out, n_in = jacobian.shape
    largest, lost = np.empty(n), np.zeros(n, np.bool_)
    for cell in order:
        source, square = before[cell], 0.0
        if source < 0:
            for value in jacobian[cell].ravel():
                square += value * value
            largest[cell] = square
            continue
        own = gradients[gradient[cell]]
        for output in range(n_out):
            a = effect[cell, output]
            for i in range(n_in):
                value = jacobian[source, output, i] + a * own[i]
                jacobian[cell, output, i] = value
                square += value * value
        largest[cell] = max(largest[source], square)
        lost[cell] = not square > _LOST * _LOST * largest[cell]
    return np.flatnonzero(lost)
