"""Maps of a network on groups of cells, carried from input to output, and the lines of cells' sides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.group_forms import Lists, Terms
from splineviz.arrangement.group_stages import (
    Entering,
    applied,
    pieces,
    switching,
    with_results,
    with_sides,
    with_winners,
)
from splineviz.arrangement.group_tensors import GroupState, Shared
from splineviz.arrangement.levels import Levels
from splineviz.arrangement.side_lines import (
    EntryErrors,
    SideLines,
    SideUnits,
    behind_function,
    inherited,
    lines_of_ties,
    lines_of_units,
    through_move,
    through_rows,
)
from splineviz.geometry.csr import Csr
from splineviz.program.interpret import Interpreter
from splineviz.program.nodes import Affine, Maximum, Pointwise
from splineviz.program.program import Program

__all__ = ["GroupMaps"]

_Grown = tuple[Terms, np.ndarray]
"""Terms of one level more, and the powers of two of its units"""


class GroupMaps:
    """Carries tensors through a network on groups of cells, one level after the other."""

    def __init__(self, arr: Cells, program: Program, levels: Levels, sides: Sequence[SideUnits]) -> None:
        self.arr, self.program, self.levels, self.sides = arr, program, levels, sides
        self.state = GroupState(levels)
        self.lines: list[tuple[np.ndarray, SideLines]] = []
        """By stage: some sides, and their lines"""

    def result(self) -> tuple[np.ndarray, Tensor]:
        """Maps (cells, outputs, 3), and bounds of their errors, (3, cells)."""
        planes = [self.arr.planes[w] for w in self.state.windows]
        frame = np.stack(
            [*(p.basis[0] for p in planes), *(p.basis[1] for p in planes), *(p.origin for p in planes)]
        )
        rows = torch.from_numpy(frame).reshape(-1, *self.program.input_shape)
        start = Shared(rows, (), False, torch.zeros(3, self.state.n_groups, dtype=torch.float64), 0)
        value = self.program.interpret(start, Interpreter(self._affine, self._pointwise, self._maximum))
        n, n_groups = math.prod(self.program.output_shape), self.state.n_groups
        maps, _ = self.state.forms(value, Lists(np.arange(n_groups + 1) * n, np.tile(np.arange(n), n_groups)))
        return maps.reshape(-1, n, 3), self.state.error(value)

    def _affine(self, node: Affine, values: Sequence[Shared]) -> Shared:
        state, values = self.state, self.state.aligned(values)
        first, errors = values[0], [self.state.error(value) for value in values]
        rows = _products(node, values)
        constants = node.run(*(value.rows.new_zeros(1, *value.rows.shape[1:]) for value in values))
        if constants.any():
            n = state.n_owners(first.of_groups)
            rows = torch.cat([rows[: 2 * n], rows[2 * n : 3 * n] + constants, rows[3 * n :]])
        result = Shared(rows, first.stages, first.of_groups, errors[0], state.level)
        if node.gain.rows is None:
            norm = state.norm(result) if node.gain.kind == "sum" else None
            return replace(result, error=through_move(node, errors, norm, state.additions))
        asked = node, state.norm(first), errors[0], state.additions
        return replace(result, error=through_rows(*asked), entries=EntryErrors.of(*asked))

    def _pointwise(self, node: Pointwise, value: Shared) -> Shared:
        state, levels, n = self.state, self.levels, math.prod(node.shape)
        before, first = levels.first[node.stage : node.stage + 2]
        words = self.arr.patterns[node.stage][0][levels.ids[node.stage + 1]]
        units, side = switching(words, first, n), self.sides[node.stage]
        cell = levels.ancestors(node.stage, len(levels.parent))[side.row]
        breakpoint_, entry = np.divmod(side.unit, n)
        of_group = np.searchsorted(side.row, levels.first[-1])
        asked, place = with_sides(units, of_group, entry, n)
        forms, begin = state.forms(value, asked)
        group = np.repeat(np.arange(state.n_groups), np.diff(of_group))
        form = begin[group] + (cell - before[group]) * np.diff(asked.first)[group] + place
        kink = node.kinks[breakpoint_, entry]
        self.lines.append(
            (side.side, lines_of_units(forms, form, entry, kink, state.entry_errors(value), cell))
        )
        entering = Entering(forms, begin, asked, before, first, levels.parent[node.stage])
        grown = with_results(state.terms, state.start, entering, units, state.known, words, *node.pieces)
        shared = pieces(words, first, units, *node.pieces)
        flat, norms = applied(value.flat, *state.sources(value), 2 * state.n_groups, *shared)
        result = self._behind(node, value, units, grown, torch.from_numpy(flat).reshape(-1, *node.shape))
        norm = state.norm(result, np.concatenate([norms, grown[1]]))
        return replace(result, error=behind_function(node, result.error, norm), norm=norm)

    def _maximum(self, node: Maximum, value: Shared) -> Shared:
        state, levels, n = self.state, self.levels, math.prod(node.shape)
        before, first = levels.first[node.stage : node.stage + 2]
        parent, of_cell = levels.parent[node.stage], np.repeat(np.arange(state.n_groups), np.diff(first))
        winners = self.arr.winners(node.stage, levels.example[node.stage + 1])
        shared = winners[first[:-1]]
        switch = np.logical_or.reduceat(winners != shared[of_cell], first[:-1])
        units = Lists(np.append(0, np.cumsum(switch.sum(1))), np.nonzero(switch)[1])
        here = Csr(units.first, units.values).take(of_cell)
        side = self.sides[node.stage]
        seen = levels.ancestors(node.stage + 1, len(levels.parent))[side.row]
        beyond = self.arr.winners(node.stage, side.beyond)[np.arange(len(seen)), side.unit]
        cell, unit = (
            np.concatenate([here.row_of, seen, seen]),
            np.concatenate([here.values, side.unit, side.unit]),
        )
        won = winners[cell, unit]
        won[len(won) - len(seen) :] = beyond
        entry = node.windows[unit, won]
        keys, place = np.unique(of_cell[cell] * n + entry, return_inverse=True)
        asked = Lists(np.searchsorted(keys, np.arange(state.n_groups + 1) * n), keys % n)
        forms, begin = state.forms(value, asked)
        group = of_cell[cell]
        form = begin[group] + (parent[cell] - before[group]) * np.diff(asked.first)[group]
        form += place - asked.first[group]
        n_own = len(here.values)
        ties = form[n_own:].reshape(2, -1), entry[n_own:].reshape(2, -1)
        self.lines.append((side.side, lines_of_ties(forms, *ties, state.entry_errors(value), parent[seen])))
        entering = Entering(forms, begin, asked, before, first, parent)
        grown = with_winners(state.terms, state.start, entering, units, state.known, form[:n_own])
        source, groups = state.sources(value)
        index = np.where(switch, -1, node.windows[np.arange(len(node.windows)), shared])[groups]
        rows = np.where(index >= 0, value.flat[source[:, None], index], 0.0)
        picked = torch.from_numpy(rows).reshape(-1, *node.output_shape)
        result = self._behind(node, value, units, grown, picked)
        return replace(result, error=inherited(math.sqrt(node.copies), result.error, 0.0))

    def _behind(
        self, node: Pointwise | Maximum, value: Shared, units: Lists, grown: _Grown, rows: Tensor
    ) -> Shared:
        """A value behind a stage, with the errors that enter; all cells are those behind it from here on."""
        self.state.advance(units, grown[0])
        stages, single = (*value.stages, node.stage), (units.values, grown[1])
        return Shared(rows, stages, True, self.state.error(value), self.state.level, single=single)


def _products(node: Affine, values: Sequence[Shared]) -> Tensor:
    """The linear part of a node on all rows: a unit's product with a matrix is one of its columns."""
    first = values[0]
    if first.single is None or node.matrix is None or first.rows.ndim != 2:
        products: Tensor = node.linear(*(value.complete for value in values))
        return products
    n, (entry, factor) = len(first.rows), first.single
    rows = first.rows.new_empty(n + len(entry), len(node.matrix))
    torch.mm(first.rows, node.matrix.T, out=rows[:n])
    np.multiply(node.columns[entry], factor[:, None], out=rows[n:].numpy())
    return rows
