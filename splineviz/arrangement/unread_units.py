"""Which units the output of the network does not read: past pieces of slope 0 a change of theirs vanishes
exactly."""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.slopes import BUDGET_BYTES, chunks, on_pieces
from splineviz.program.program import Affine, Maximum, Pointwise, Program
from splineviz.values.threads import each

__all__ = ["without_effect"]


def without_effect(arr: Cells, program: Program, edges: np.ndarray) -> Bool[np.ndarray, "edge"]:
    """Whether none of the units that change state across an inner edge moves the output, on the edge's left
    cell.

    The jump of the gradient is a sum over these units of what each does to the output: nothing is left of the
    sum where nothing is left of any of them. A unit's own change is taken as 1 and carried from its stage on,
    so that the test costs less the later the stage, and ends where all have vanished. That it comes out as 0
    is no matter of rounding: entries are 0 where they meet slopes of 0, maxima that others win, and
    coefficients of 0.
    """
    units = arr.edge_units.take(edges)
    row, (stage, unit) = units.row_of, units.values.T
    idle = units.lengths > 0  # nothing is known of an edge without units
    cells, shapes = arr.edge_cells[edges, 0], _shapes(program)
    for s in np.unique(stage):
        mine = np.flatnonzero(stage == s)

        def mark(part: np.ndarray, s: int = int(s), mine: np.ndarray = mine) -> None:
            here = mine[part]
            seen = _reaches(arr, program, s, cells[row[here]], unit[here].astype(np.int64), shapes)
            idle[row[here[seen]]] = False

        each(mark, chunks(len(mine), 2 * max(program.values_alive[s:]), BUDGET_BYTES))
    return idle


def _reaches(
    arr: Cells,
    program: Program,
    stage: int,
    cells: np.ndarray,
    units: np.ndarray,
    shapes: dict[int, tuple[int, ...]],
) -> np.ndarray:
    """(rows,) whether the output moves with a unit of a stage, on a cell each."""
    at = next(
        i for i, node in enumerate(program.nodes) if not isinstance(node, Affine) and node.stage == stage
    )
    start = program.nodes[at]
    assert not isinstance(start, Affine)
    slots = {start.output: _changes(start, units, shapes[start.output])}
    rows = np.arange(len(units))
    for node in (None, *program.nodes[at + 1 :]):
        if node is not None:
            values = [slots.get(i) for i in node.inputs]
            if any(value is not None for value in values):
                slots[node.output] = _passed(arr, node, values, cells[rows], shapes)
            for slot in node.frees:
                slots.pop(slot, None)
        if not isinstance(node, Affine):
            moved = sum((_moved(value) for value in slots.values()), start=np.zeros(len(rows), dtype=bool))
            if not moved.all():
                kept = torch.from_numpy(np.flatnonzero(moved))
                rows, slots = rows[moved], {slot: value[kept] for slot, value in slots.items()}
            if not len(rows):
                break
    result = np.zeros(len(units), dtype=bool)
    if program.output in slots:
        result[rows] = _moved(slots[program.output])
    return result


def _moved(value: Tensor) -> np.ndarray:
    """(rows,) which have an entry that is not 0."""
    moved: np.ndarray = (value != 0).flatten(1).any(1).numpy()
    return moved


def _changes(node: Pointwise | Maximum, units: np.ndarray, shape: tuple[int, ...]) -> Tensor:
    """(rows, *shape) what a unit that changes its state adds to the slopes of a node's result."""
    n = math.prod(shape)
    change = torch.zeros(len(units), n, dtype=torch.float64)
    rows, entries = torch.arange(len(units)), torch.from_numpy(units % n)
    if isinstance(node, Maximum):
        change[rows, entries] = 1.0
    else:
        slopes = node.slopes.expand(-1, *shape).flatten(1)
        piece = torch.from_numpy(units // n)
        change[rows, entries] = slopes[piece + 1, entries] - slopes[piece, entries]
    return change.reshape(-1, *shape)


def _passed(
    arr: Cells,
    node: Affine | Pointwise | Maximum,
    values: list[Tensor | None],
    cells: np.ndarray,
    shapes: dict[int, tuple[int, ...]],
) -> Tensor:
    """What a node makes of changes; None stands for none at all."""
    known = next(value for value in values if value is not None)
    if isinstance(node, Affine):
        filled = (
            known.new_zeros(len(known), *shapes[i]) if v is None else v
            for i, v in zip(node.inputs, values, strict=True)
        )
        return node.linear(*filled)
    if isinstance(node, Pointwise):
        return on_pieces(arr, node, cells)[0] * known
    return node.pick(known, arr.winners(node.stage, cells))


def _shapes(program: Program) -> dict[int, tuple[int, ...]]:
    """The shape of every slot, without batch."""
    slots = {0: torch.zeros(1, *program.input_shape, dtype=torch.float64)}
    shapes = {0: program.input_shape}
    with torch.no_grad():
        for node in program.nodes:
            slots[node.output] = node.run(*(slots[i] for i in node.inputs))
            shapes[node.output] = tuple(slots[node.output].shape[1:])
            for slot in node.frees:
                del slots[slot]
    return shapes
