"""Rounding of the maps that cells carry forward, and the lines of their sides that are read off them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from splineviz.arrangement.cells import Cells
from splineviz.geometry.compiled import kernel
from splineviz.geometry.intrinsics import borrowed
from splineviz.geometry.rounding import FLOOR, SAFE, UNIT_ROUNDOFF
from splineviz.program.nodes import Affine, Pointwise

__all__ = [
    "EntryErrors",
    "SideLines",
    "SideUnits",
    "behind_function",
    "inherited",
    "lines_of_ties",
    "lines_of_units",
    "side_units",
    "through_move",
    "through_rows",
]


class SideLines(NamedTuple):
    """Lines (a, b, c), a u + b v + c = 0, and bounds of the errors of these numbers."""

    lines: Float64[np.ndarray, "side 3"]
    errors: Float64[np.ndarray, "side 3"]


class SideUnits(NamedTuple):
    """Sides of cells that units of one stage draw: the first unit of the edge of each."""

    side: np.ndarray
    """Index into ``cell_edges``, ascending"""
    row: np.ndarray
    """Row of its cell among those that are asked for; by `side_units` the cell"""
    unit: np.ndarray
    beyond: np.ndarray
    """The cell on the other side"""

    def of(self, cells: np.ndarray) -> SideUnits:
        """The sides of a run of cells, whose rows these then are."""
        mine = slice(*np.searchsorted(self.row, (cells[0], cells[-1] + 1)))
        return SideUnits(self.side[mine], self.row[mine] - cells[0], self.unit[mine], self.beyond[mine])


def side_units(arr: Cells) -> list[SideUnits]:
    """By stage, the sides of all cells that lie on inner edges with a unit."""
    owner = arr.cells.row_of
    pair = arr.edge_cells[arr.cell_edges]
    beyond = np.where(pair[:, 0] == owner, pair[:, 1], pair[:, 0])
    side = np.flatnonzero((beyond >= 0) & (arr.edge_units.lengths[arr.cell_edges] > 0))
    stage, unit = arr.edge_units.values[arr.edge_units.offsets[arr.cell_edges[side]]].astype(np.int64).T
    mine = [np.flatnonzero(stage == s) for s in range(len(arr.patterns))]
    return [SideUnits(side[at], owner[side[at]], unit[at], beyond[side[at]]) for at in mine]


class EntryErrors(NamedTuple):
    """Errors of single entries: for entry i at most ``rows[i] slack`` of the coefficients of u and of v, and
    with ``constants[i]`` on top of the constants."""

    rows: Float64[np.ndarray, "entry"]
    constants: Float64[np.ndarray, "entry"]
    slack: Float64[np.ndarray, "3 cell"]

    @classmethod
    def of(cls, node: Affine, norm: Tensor, error: Tensor, additions: int) -> EntryErrors:
        """From norm and error (3, cells) of the node's input; for ``additions`` see `through_rows`."""
        gain, g = node.gain, _gamma(node, additions)
        assert gain.rows is not None
        constants = np.zeros(len(gain.rows)) if gain.constants is None else g * gain.constants
        return cls(gain.rows, constants, (error + g * (norm + FLOOR)).numpy())

    @classmethod
    def alike(cls, error: Tensor, n_entries: int) -> EntryErrors:
        """The norm (3, cells) of the errors of all entries bounds each."""
        return cls(np.ones(n_entries), np.zeros(n_entries), error.numpy())

    def take(self, cells: np.ndarray) -> EntryErrors:
        """On some of the cells."""
        return self._replace(slack=np.take(self.slack, cells, axis=1))

    def at(self, cells: np.ndarray, entry: np.ndarray) -> np.ndarray:
        """(n, 3) for one entry on one cell each."""
        errors = self.rows[entry, None] * self.slack[:, cells].T
        errors[:, 2] += self.constants[entry]
        bounds: np.ndarray = SAFE * errors + FLOOR
        return bounds


def _gamma(node: Affine, additions: int) -> float:
    """Share of the magnitudes in a product with a row that rounding makes of it, in whatever order."""
    n = (node.gain.terms + 1 + additions) * UNIT_ROUNDOFF
    return n / (1.0 - n)


def through_rows(node: Affine, norm: Tensor, error: Tensor, additions: int) -> Tensor:
    """(3, cells) errors of the result of a node with coefficients, from norm and error of its input.

    Products may be taken of parts whose norms add up to ``norm``, and then be summed up in as many
    ``additions`` and products with one number.
    """
    gain, g = node.gain, _gamma(node, additions)
    rounding = g * (min(gain.magnitude, gain.row_norm) * (norm + FLOOR))
    if gain.constants is not None:
        rounding[2] += g * float(np.linalg.norm(gain.constants))
    return SAFE * (gain.norm * error + rounding) + FLOOR


def through_move(node: Affine, errors: Sequence[Tensor], norm: Tensor | None, additions: int) -> Tensor:
    """(3, cells) errors of the result of a node that moves or adds entries.

    Of one that adds, from the norm of the result, for which as for ``additions`` see `through_rows`.
    """
    every = torch.stack(list(errors))
    if norm is not None:
        return SAFE * (every.sum(0) + (2 + additions) * UNIT_ROUNDOFF * norm) + FLOOR
    moved: Tensor = SAFE * node.gain.norm * every.norm(dim=0)
    return moved


def inherited(steepest: float, error: Tensor, rounded: Tensor | float) -> Tensor:
    """(3, rows) errors behind a function of slope ``steepest`` at most.

    Its results are rounded by u times the norms ``rounded``.
    """
    return SAFE * (steepest * error + UNIT_ROUNDOFF * rounded) + FLOOR


def behind_function(node: Pointwise, error: Tensor, norm: Tensor) -> Tensor:
    """(3, rows) errors of a pointwise function's results, whose norms are at most ``norm``, (3, rows)."""
    rounded = 2.0 * norm
    rounded[2] += node.offset_norm
    return inherited(node.steepest, error, rounded)


@kernel
def lines_of_units(
    forms: Float64[np.ndarray, "form 3"],
    form: Int64[np.ndarray, "side"],
    entry: Int64[np.ndarray, "side"],
    kink: Float64[np.ndarray, "side"],
    errors: EntryErrors,
    cell: Int64[np.ndarray, "side"],
) -> SideLines:
    """Where units of a pointwise stage vanish: a form each, of an entry on a cell."""
    errors, lines, bounds = borrowed(errors), np.empty((len(form), 3)), np.empty((len(form), 3))
    for side in range(len(form)):
        i, own = entry[side], forms[form[side]]
        for k in range(3):
            lines[side, k] = own[k]
            error = errors.rows[i] * errors.slack[k, cell[side]]
            if k == 2:
                lines[side, k] -= kink[side]
                error += errors.constants[i] + UNIT_ROUNDOFF * (abs(own[k]) + abs(kink[side]))
            bounds[side, k] = SAFE * error + 2.0 * FLOOR
    return SideLines(lines, bounds)


def lines_of_ties(
    forms: np.ndarray, form: np.ndarray, entry: np.ndarray, errors: EntryErrors, cell: np.ndarray
) -> SideLines:
    """Where two entries of a tensor tie on a cell each, from their forms, (2, n) ``form`` and ``entry``."""
    a, b = forms[form[0]], forms[form[1]]
    error = errors.at(cell, entry[0]) + errors.at(cell, entry[1])
    return SideLines(a - b, SAFE * (error + UNIT_ROUNDOFF * (np.abs(a) + np.abs(b))) + FLOOR)
