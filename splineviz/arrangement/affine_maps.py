"""The affine map of the network on every cell, from its own weights and the stored activation patterns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.levels import Levels
from splineviz.arrangement.sibling_runs import Family, results, runs
from splineviz.arrangement.side_lines import (
    EntryErrors,
    SideUnits,
    behind_function,
    inherited,
    lines_of_ties,
    lines_of_units,
    side_units,
    through_move,
    through_rows,
)
from splineviz.arrangement.slopes import BUDGET_BYTES, chunks, complete_program
from splineviz.program.interpret import Interpreter
from splineviz.program.nodes import Affine, Maximum, Pointwise
from splineviz.program.program import Program
from splineviz.values.threads import each

__all__ = ["BoundedMaps", "affine_maps", "bounded_maps"]

_SWITCHES = 12
"""Units that may switch on a run of cells. With more a product serves more cells, and more columns are added
on each."""


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

    def at(self, row: Tensor, level: int) -> _Maps:
        """The maps of a later level's cells, with the row of each."""
        entries = self.entries and self.entries.take(row)
        tangent, constant = _rows(self.tangent, 1, row), _rows(self.constant, 0, row)
        return _Maps(tangent, constant, self.error[:, row], level, entries)


@dataclass(frozen=True)
class _Siblings:
    """A pointwise function on the cells of the level that it divides, to be worked out by what reads it."""

    node: Pointwise
    value: _Maps
    """What enters, on the faces of an earlier level"""
    family: Family
    level: int

    @classmethod
    def of(cls, node: Pointwise, value: _Maps, row: np.ndarray, words: np.ndarray) -> _Siblings:
        """From the row in the value, and the bits, of each cell."""
        n = len(value.constant)
        entering = value.tangent.reshape(2, n, -1), value.constant.reshape(n, -1)
        tangent, constant = (np.ascontiguousarray(x.numpy()) for x in entering)
        return cls(node, value, Family(tangent, constant, row, words, *node.pieces), node.stage + 1)

    @cached_property
    def maps(self) -> _Maps:
        """The function's results on every cell."""
        every = runs(self.family, 0, np.arange(len(self.family.constant.T), dtype=np.uint64))
        u, v, w = (torch.from_numpy(x).reshape(-1, *self.node.shape) for x in (every.u, every.v, every.w))
        return _Maps(torch.stack([u, v]), w, self._error(every.norms), self.level)

    def products(self, node: Affine) -> _Maps:
        """Their products with the matrix of a node."""
        used = self.family.entries
        shared = runs(self.family, _SWITCHES, used)
        columns = torch.from_numpy(node.columns[used])
        u, v, w = ((torch.from_numpy(x) @ columns).numpy() for x in (shared.u, shared.v, shared.w))
        tangent, constant = results(self.family, shared, u, v, w, node.columns, node.row_constants)
        norm, error = torch.from_numpy(shared.norms), self._error(shared.norms)
        return _Maps(
            torch.from_numpy(tangent),
            torch.from_numpy(constant),
            through_rows(node, norm, error),
            self.level,
            EntryErrors.of(node, norm, error),
        )

    def _error(self, norms: np.ndarray) -> Tensor:
        entering = self.value.error.index_select(1, torch.from_numpy(self.family.face))
        return behind_function(self.node, entering, torch.from_numpy(norms))


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
    products up to there, and behind it what units have in common that stay as they are on a run of cells.

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
        result = _maps_of(arr, program, cells, [units.of(cells) for units in sides], lines, line_errors)
        maps[cells, :, :2] = result.tangent.reshape(2, len(cells), -1).permute(1, 2, 0).numpy()
        maps[cells, :, 2] = result.constant.reshape(len(cells), -1).numpy()
        errors[cells] = result.error.T.numpy()

    with np.errstate(over="ignore", invalid="ignore"):
        each(fill, chunks(arr.n_cells, 3 * max(program.values_alive), budget_bytes))
    return BoundedMaps(maps, errors, lines, line_errors)


def _maps_of(
    arr: Cells,
    program: Program,
    cells: np.ndarray,
    sides: Sequence[SideUnits],
    lines: np.ndarray,
    line_errors: np.ndarray,
) -> _Maps:
    """The maps of some cells; the lines of some sides are put where they belong."""
    levels = Levels.of(arr, cells)
    last = len(levels.parent)
    windows = arr.cell_window[levels.example[0]]
    basis = np.stack([arr.planes[w].basis for w in windows], axis=1)
    origin = np.stack([arr.planes[w].origin for w in windows])

    def maps(value: _Maps | _Siblings, level: int | None = None) -> _Maps:
        """The maps of every cell, of a later level on demand."""
        value = value.maps if isinstance(value, _Siblings) else value
        if level is None or level == value.level:
            return value
        return value.at(levels.ancestors(value.level, level), level)

    def affine(node: Affine, values: Sequence[_Maps | _Siblings]) -> _Maps:
        first = values[0]
        if isinstance(first, _Siblings) and node.matrix is not None and len(first.node.shape) == 1:
            return first.products(node)
        level = max(value.level for value in values)
        given = [maps(value, level) for value in values]
        tangent = node.linear(*(value.tangent.flatten(0, 1) for value in given))
        tangent = tangent.reshape(2, -1, *tangent.shape[1:])
        constant = node.run(*(value.constant for value in given))
        norms, errors = [_norms(v.tangent, v.constant) for v in given], [v.error for v in given]
        if node.gain.rows is None:
            error = through_move(node, errors, _norms(tangent, constant) if len(given) > 1 else norms[0])
            return _Maps(tangent, constant, error, level)
        error = through_rows(node, norms[0], errors[0])
        return _Maps(tangent, constant, error, level, EntryErrors.of(node, norms[0], errors[0]))

    def pointwise(node: Pointwise, value: _Maps | _Siblings) -> _Siblings:
        level = node.stage + 1
        value = maps(value)
        row = levels.ancestors(value.level, level).numpy()
        mine = sides[node.stage]
        entering, errors = row[levels.ancestors(level, last).numpy()[mine.row]], value.entries or value.error
        lines[mine.side], line_errors[mine.side] = lines_of_units(
            node, value.tangent, value.constant, errors, entering, mine.unit
        )
        return _Siblings.of(node, value, row, arr.patterns[node.stage][0][levels.ids[level]])

    def maximum(node: Maximum, value: _Maps | _Siblings) -> _Maps:
        level = node.stage + 1
        value = maps(value, level)
        winners = arr.winners(node.stage, levels.example[level])
        mine = sides[node.stage]
        rows = levels.ancestors(level, last).numpy()[mine.row]
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
    return maps(result, last)


def _norms(tangent: Tensor, constant: Tensor) -> Tensor:
    """(3, rows) norms of all entries."""
    n = len(constant)
    return torch.cat([tangent.reshape(2, n, -1).norm(dim=2), constant.reshape(1, n, -1).norm(dim=2)])


def _rows(x: Tensor, axis: int, row: Tensor) -> Tensor:
    """Rows along an axis; copies of a single one take no memory."""
    if x.shape[axis] > 1:
        return x.index_select(axis, row)
    return x.expand(*x.shape[:axis], len(row), *x.shape[axis + 1 :])
