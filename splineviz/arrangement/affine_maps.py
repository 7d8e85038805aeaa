"""The affine map of the network on every cell, from its own weights and the stored activation patterns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.side_lines import (
    EntryErrors,
    SideUnits,
    inherited,
    lines_of_ties,
    lines_of_units,
    side_units,
    through_move,
    through_rows,
)
from splineviz.arrangement.slopes import BUDGET_BYTES, chunks, complete_program, slopes_and_intercepts
from splineviz.program.interpret import Interpreter
from splineviz.program.nodes import Affine, Maximum, Pointwise
from splineviz.program.program import Program
from splineviz.values.threads import each

__all__ = ["BoundedMaps", "affine_maps", "bounded_maps"]


class _Family(NamedTuple):
    """A run of cells and their ancestors: level 0 are the windows, level s + 1 the cells after stage s."""

    ids: list[np.ndarray]
    """By level: which windows or cells."""
    parent: list[Tensor]
    """By level but the first: row of each in the level before."""
    example: list[np.ndarray]
    """By level: a cell of the arrangement that descends from each."""


class _Maps(NamedTuple):
    """Coefficients of u and of v, (2, rows, *shape), and constants, (rows, *shape), with a row for each of a
    level's cells; and bounds of their rounding."""

    tangent: Tensor
    constant: Tensor
    error: Tensor
    """(3, rows) norm over all entries of the errors of the coefficients of u, of v, and of the constants, at
    most"""
    level: int
    entries: EntryErrors | None = None
    """Bounds for single entries, where they are known better than that"""


@dataclass(frozen=True)
class BoundedMaps:
    """The maps of all cells and the lines of their sides, each with a proven bound of its rounding."""

    maps: Float64[np.ndarray, "cell output 3"]
    errors: Float64[np.ndarray, "cell 3"]
    """Of the coefficients of u, of v and of the constant of any output, at most"""
    lines: Float64[np.ndarray, "side 3"]
    """(a, b, c) of the line a u + b v + c = 0 of each side, aligned with ``cell_edges``, as the cell has it;
    NaN on the rim"""
    line_errors: Float64[np.ndarray, "side 3"]


def affine_maps(
    arr: Cells, program: Program | None, *, budget_bytes: int = BUDGET_BYTES
) -> Float64[np.ndarray, "cell output 3"]:
    """The map of the network on each cell: output = A [u, v, 1].

    The weights are multiplied out along the activation pattern that is stored with each cell; nothing is
    fitted to vertices and no sign is taken from floating point. Cells that were one until a stage share the
    products up to there.

    Parameters
    ----------
    arr
        Cells with their patterns.
    program
        Their network; None stands for one that is not known, and is refused.
    budget_bytes
        Memory for the tensors that one thread has under way. The cells are worked off in chunks that fit.

    Returns
    -------
    (F, C, 3) float64; C is the size of the flattened output.

    Raises
    ------
    InputError
        If there is no network, as after loading from a file, or the cells stopped before its last stage.

    Examples
    --------
    >>> import splineviz as sv, torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    >>> arr = sv.arrange(sv.load_program(model), sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1))
    >>> affine_maps(arr, arr.program).shape == (arr.n_cells, 3, 3)
    True
    """
    return bounded_maps(arr, program, budget_bytes=budget_bytes).maps


def bounded_maps(arr: Cells, program: Program | None, *, budget_bytes: int = BUDGET_BYTES) -> BoundedMaps:
    """The maps of `affine_maps`, with proven bounds, and what follows from them about the sides of cells.

    The rules for rounding are those of the running bounds in docs/certification.md, cell by cell.
    """
    program = complete_program(arr, program)
    maps = np.empty((arr.n_cells, math.prod(program.output_shape), 3))
    errors = np.empty((arr.n_cells, 3))
    lines, line_errors = (np.full((len(arr.cell_edges), 3), np.nan) for _ in range(2))
    sides = side_units(arr)

    def fill(cells: np.ndarray) -> None:
        mine = sides.of(arr, cells)
        result = _maps_of(arr, program, cells, mine, lines, line_errors)
        maps[cells, :, :2] = result.tangent.reshape(2, len(cells), -1).permute(1, 2, 0).numpy()
        maps[cells, :, 2] = result.constant.reshape(len(cells), -1).numpy()
        errors[cells] = result.error.T.numpy()

    with np.errstate(over="ignore", invalid="ignore"):
        each(fill, chunks(arr.n_cells, 3 * max(program.values_alive), budget_bytes))
    return BoundedMaps(maps, errors, lines, line_errors)


def _family(arr: Cells, cells: np.ndarray) -> _Family:
    """Some cells and their ancestors at every level."""
    ids, example = [cells], [cells]
    parents: list[Tensor] = []
    for _, parent in reversed(arr.patterns):
        unique, first, row = np.unique(parent[ids[0]], return_index=True, return_inverse=True)
        ids.insert(0, unique)
        example.insert(0, example[0][first])
        parents.insert(0, torch.from_numpy(row.astype(np.int64)))
    return _Family(ids, parents, example)


def _maps_of(
    arr: Cells,
    program: Program,
    cells: np.ndarray,
    sides: SideUnits,
    lines: np.ndarray,
    line_errors: np.ndarray,
) -> _Maps:
    """The maps of some cells; the lines of some sides are put where they belong."""
    family = _family(arr, cells)
    windows = arr.cell_window[family.example[0]]
    basis = np.stack([arr.planes[w].basis for w in windows], axis=1)
    origin = np.stack([arr.planes[w].origin for w in windows])
    own = [np.arange(len(cells))]  # by level, the last one first: the row of each cell
    for parent in reversed(family.parent):
        own.append(parent.numpy()[own[-1]])
    own.reverse()

    def descend(value: _Maps, level: int) -> _Maps:
        for row in family.parent[value.level : level]:
            entries = value.entries and value.entries.take(row)
            tangent, constant = _rows(value.tangent, 1, row), _rows(value.constant, 0, row)
            value = _Maps(tangent, constant, value.error[:, row], level, entries)
        return value

    def affine(node: Affine, values: Sequence[_Maps]) -> _Maps:
        level = max(value.level for value in values)
        values = [descend(value, level) for value in values]
        tangent = node.linear(*(value.tangent.flatten(0, 1) for value in values))
        tangent = tangent.reshape(2, -1, *tangent.shape[1:])
        constant = node.run(*(value.constant for value in values))
        norms, errors = [_norms(v.tangent, v.constant) for v in values], [v.error for v in values]
        if node.gain.rows is None:
            error = through_move(node, errors, _norms(tangent, constant) if len(values) > 1 else norms[0])
            return _Maps(tangent, constant, error, level)
        error = through_rows(node, norms[0], errors[0])
        return _Maps(tangent, constant, error, level, EntryErrors.of(node, norms[0], errors[0]))

    def pointwise(node: Pointwise, value: _Maps) -> _Maps:
        level = node.stage + 1
        value = descend(value, level)
        mine = sides.take(sides.stage == node.stage)
        lines[mine.side], line_errors[mine.side] = lines_of_units(
            node, value.tangent, value.constant, value.entries or value.error, own[level][mine.row], mine.unit
        )
        slope, intercept = slopes_and_intercepts(arr, node, family.example[level])
        tangent, steep = slope * value.tangent, slope * value.constant
        constant = steep + intercept
        rounding = _norms(tangent, steep) + _norms(tangent, constant)
        return _Maps(tangent, constant, inherited(node.steepest, value.error, rounding), level)

    def maximum(node: Maximum, value: _Maps) -> _Maps:
        level = node.stage + 1
        value = descend(value, level)
        winners = arr.winners(node.stage, family.example[level])
        mine = sides.take(sides.stage == node.stage)
        rows = own[level][mine.row]
        beyond = arr.winners(node.stage, mine.beyond)[np.arange(len(rows)), mine.unit]
        entries = (node.windows[mine.unit, place] for place in (winners[rows, mine.unit], beyond))
        lines[mine.side], line_errors[mine.side] = lines_of_ties(
            value.tangent, value.constant, value.entries or value.error, rows, *entries
        )
        tangent = torch.stack([node.pick(part, winners) for part in value.tangent])
        constant = node.pick(value.constant, winners)
        return _Maps(tangent, constant, inherited(math.sqrt(node.copies), value.error, 0.0), level)

    start = _Maps(
        torch.from_numpy(basis).reshape(2, len(windows), *program.input_shape),
        torch.from_numpy(origin).reshape(len(windows), *program.input_shape),
        torch.zeros(3, len(windows), dtype=torch.float64),
        0,
    )
    result = program.interpret(start, Interpreter(affine, pointwise, maximum))
    return descend(result, len(family.parent))


def _norms(tangent: Tensor, constant: Tensor) -> Tensor:
    """(3, rows) norms of all entries."""
    n = len(constant)
    return torch.cat([tangent.reshape(2, n, -1).norm(dim=2), constant.reshape(1, n, -1).norm(dim=2)])


def _rows(x: Tensor, axis: int, row: Tensor) -> Tensor:
    """Rows along an axis; copies of a single one take no memory."""
    if x.shape[axis] > 1:
        return x.index_select(axis, row)
    return x.expand(*x.shape[:axis], len(row), *x.shape[axis + 1 :])
