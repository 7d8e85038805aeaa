"""Units that the output of the network does not read: past pieces of slope 0 a change of theirs vanishes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.slopes import BUDGET_BYTES, chunks, slopes_and_intercepts
from splineviz.program.interpret import Interpreter, walk
from splineviz.program.nodes import Affine, Maximum, Pointwise
from splineviz.program.program import Program
from splineviz.program.rows import as_rows
from splineviz.values.threads import each

__all__ = ["slope_changes", "without_effect"]


def without_effect(arr: Cells, program: Program, edges: np.ndarray) -> Bool[np.ndarray, "edge"]:
    """(E,) bool: across which inner edges no unit that changes its state moves the output, on the left cell.

    The jump of the gradient is a sum over these units of their effects on the output: nothing is left of the
    sum where nothing is left of any of them. A unit's own change is taken as 1 and carried from its stage on,
    so that the test costs less the later the stage, and ends where all have vanished. That it comes out as 0
    is no matter of rounding: entries are 0 where they meet slopes of 0, maxima that others win, and
    coefficients of 0. Which entries are not 0 is all that counts, so after each node these are numbers drawn
    at random between 1 and 2: sums of them neither underflow nor cancel, however small the coefficients are.
    """
    units = arr.edge_units.take(edges)
    row, (stage, unit) = units.row_of, units.values.T
    idle = units.lengths > 0  # nothing is known of an edge without units
    cells = arr.edge_cells[edges, 0]
    for s in np.unique(stage):
        mine = np.flatnonzero(stage == s)

        def mark(part: np.ndarray, s: int = int(s), mine: np.ndarray = mine) -> None:
            here = mine[part]
            seen = _reaches(arr, program, s, cells[row[here]], unit[here].astype(np.int64))
            idle[row[here[seen]]] = False

        each(mark, chunks(len(mine), 2 * max(program.values_alive[s:]), BUDGET_BYTES))
    return idle


def _reaches(arr: Cells, program: Program, stage: int, cells: np.ndarray, units: np.ndarray) -> np.ndarray:
    """(rows,) bool: whether the output moves with a unit of a stage, on a cell each.

    A slot without any change holds None, and rows in which every change has vanished are dropped.
    """
    start = program.ways[stage][-1]
    assert not isinstance(start, Affine)
    after = program.nodes[next(i for i, node in enumerate(program.nodes) if node is start) + 1 :]
    rows = np.arange(len(units))
    slots: dict[int, Tensor | None] = dict.fromkeys(range(program.n_slots))
    slots[start.output] = _drawn(start, slope_changes(start, units, program.shapes[start.output]))

    def affine(node: Affine, values: Sequence[Tensor | None]) -> Tensor | None:
        known = next((value for value in values if value is not None), None)
        if known is None:
            return None
        filled = (
            known.new_zeros(len(known), *program.shapes[i]) if value is None else value
            for i, value in zip(node.inputs, values, strict=True)
        )
        return _drawn(node, node.linear(*filled))

    def pointwise(node: Pointwise, value: Tensor | None) -> Tensor | None:
        return value if value is None else _drawn(node, _slopes(arr, node, cells[rows]) * value)

    def maximum(node: Maximum, value: Tensor | None) -> Tensor | None:
        return None if value is None else node.pick(value, arr.winners(node.stage, cells[rows]))

    for node in chain([start], walk(after, slots, Interpreter(affine, pointwise, maximum))):
        if isinstance(node, Affine):
            continue
        moved = np.zeros(len(rows), dtype=bool)
        for slot, value in slots.items():
            if value is not None and slot not in node.frees:
                moved |= _moved(value)
        if not moved.all():
            kept = torch.from_numpy(np.flatnonzero(moved))
            rows = rows[moved]
            slots.update({slot: value[kept] for slot, value in slots.items() if value is not None})
        if not len(rows):
            break
    result = np.zeros(len(units), dtype=bool)
    change = slots.get(program.output)
    if change is not None:
        result[rows] = _moved(change)
    return result


def _slopes(arr: Cells, node: Pointwise, cells: np.ndarray) -> Tensor:
    return slopes_and_intercepts(arr, node, cells)[0]


def _drawn(node: Affine | Pointwise | Maximum, value: Tensor) -> Tensor:
    """Random numbers in place of those entries of a node's result (rows, ...) that are not 0; no two nodes
    have the same."""
    generator = torch.Generator().manual_seed(node.output)
    draws = 1.0 + torch.rand(value.shape[1:], generator=generator, dtype=torch.float64)
    return torch.where(value != 0, draws, 0.0)


def _moved(value: Tensor) -> np.ndarray:
    """(rows,) bool: which rows of (rows, ...) have an entry that is not 0."""
    moved: np.ndarray = as_rows(value != 0).any(1).numpy()
    return moved


def slope_changes(node: Pointwise | Maximum, units: np.ndarray, shape: tuple[int, ...]) -> Tensor:
    """(rows, *shape) change of the slopes of a node's result as one unit a row changes its state."""
    n = math.prod(shape)
    change = torch.zeros(len(units), n, dtype=torch.float64)
    rows, entries = torch.arange(len(units)), torch.from_numpy(units % n)
    if isinstance(node, Maximum):
        change[rows, entries] = 1.0
    else:
        slopes = as_rows(node.slopes.expand(-1, *shape))
        piece = torch.from_numpy(units // n)
        change[rows, entries] = slopes[piece + 1, entries] - slopes[piece, entries]
    return change.reshape(-1, *shape)
