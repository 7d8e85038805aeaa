"""Rounding of the maps that cells carry forward, and the lines of their sides that are read off them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from splineviz.arrangement.cells import Cells
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


@dataclass(frozen=True)
class EntryErrors:
    """Errors of single entries behind an affine node: for entry i at most ``rows[i] slack`` of the
    coefficients of u and of v, and with ``constants[i]`` on top of the constants."""

    rows: np.ndarray
    constants: np.ndarray
    slack: Tensor
    """(3, rows of cells)"""

    @classmethod
    def of(cls, node: Affine, norm: Tensor, error: Tensor) -> EntryErrors:
        """From norm and error (3, rows) of the node's input."""
        gain, g = node.gain, _gamma(node)
        assert gain.rows is not None
        constants = np.zeros(len(gain.rows)) if gain.constants is None else g * gain.constants
        return cls(gain.rows, constants, error + g * (norm + FLOOR))

    def take(self, row: Tensor) -> EntryErrors:
        """For some cells."""
        return EntryErrors(self.rows, self.constants, self.slack[:, row])

    def at(self, rows: np.ndarray, entry: np.ndarray) -> np.ndarray:
        """(n, 3) for one entry on one cell each."""
        errors = self.rows[entry, None] * self.slack[:, torch.from_numpy(rows)].T.numpy()
        errors[:, 2] += self.constants[entry]
        bounds: np.ndarray = SAFE * errors + FLOOR
        return bounds


def _gamma(node: Affine) -> float:
    """Share of the magnitudes in a product with a row that rounding makes of it, in whatever order."""
    n = (node.gain.terms + 1) * UNIT_ROUNDOFF
    return n / (1.0 - n)


def through_rows(node: Affine, norm: Tensor, error: Tensor) -> Tensor:
    """(3, rows) errors of the result of a node with coefficients, from norm and error of its input."""
    gain, g = node.gain, _gamma(node)
    rounding = g * (min(gain.magnitude, gain.row_norm) * (norm + FLOOR))
    if gain.constants is not None:
        rounding[2] += g * float(np.linalg.norm(gain.constants))
    return SAFE * (gain.norm * error + rounding) + FLOOR


def through_move(node: Affine, errors: Sequence[Tensor], result: Tensor) -> Tensor:
    """(3, rows) errors of the result of a node that moves or adds entries, from the norms of the result."""
    every = torch.stack(list(errors))
    if node.gain.kind == "sum":
        return SAFE * (every.sum(0) + UNIT_ROUNDOFF * result) + FLOOR
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


Errors = Tensor | EntryErrors
"""Of the norm of all entries, (3, rows), or of single ones"""


def lines_of_units(
    node: Pointwise, tangent: Tensor, constant: Tensor, error: Errors, rows: np.ndarray, unit: np.ndarray
) -> SideLines:
    """Where units of a pointwise stage vanish, on the cells in some rows."""
    breakpoint_, entry = np.divmod(unit, int(np.prod(node.shape, dtype=np.int64)))
    lines = _entries(tangent, constant, rows, entry)
    kink = node.kinks[breakpoint_, entry]
    errors = _errors(error, rows, entry)
    errors[:, 2] += UNIT_ROUNDOFF * (np.abs(lines[:, 2]) + np.abs(kink))
    lines[:, 2] -= kink
    return SideLines(lines, SAFE * errors + FLOOR)


def lines_of_ties(
    tangent: Tensor, constant: Tensor, error: Errors, rows: np.ndarray, one: np.ndarray, other: np.ndarray
) -> SideLines:
    """Where two entries of a tensor tie each, ``one`` and ``other``, on the cells in some rows."""
    a, b = (_entries(tangent, constant, rows, entry) for entry in (one, other))
    errors = _errors(error, rows, one) + _errors(error, rows, other)
    return SideLines(a - b, SAFE * (errors + UNIT_ROUNDOFF * (np.abs(a) + np.abs(b))) + FLOOR)


def _errors(error: Errors, rows: np.ndarray, entry: np.ndarray) -> np.ndarray:
    """(n, 3) of one entry on one cell each."""
    if isinstance(error, EntryErrors):
        return error.at(rows, entry)
    return error[:, torch.from_numpy(rows)].T.numpy().copy()


def _entries(tangent: Tensor, constant: Tensor, rows: np.ndarray, entry: np.ndarray) -> np.ndarray:
    """(n, 3) coefficients of u, of v, and constants of single entries, one for each row."""
    row, entries = torch.from_numpy(rows), torch.from_numpy(entry)
    u, v, w = (part.reshape(len(constant), -1)[row, entries] for part in (*tangent, constant))
    return torch.stack([u, v, w], dim=1).numpy()
