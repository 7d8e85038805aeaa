"""Rounding of the maps that cells carry forward, and the lines of their sides that are read off them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    "SideLines",
    "SideUnits",
    "inherited",
    "lines_of_ties",
    "lines_of_units",
    "side_units",
    "through_affine",
]


class SideLines(NamedTuple):
    """Lines (a, b, c), a u + b v + c = 0, and bounds of the errors of these numbers."""

    lines: Float64[np.ndarray, "side 3"]
    errors: Float64[np.ndarray, "side 3"]


@dataclass(frozen=True)
class SideUnits:
    """Sides of cells with an edge that a unit draws: the first unit of each."""

    side: np.ndarray
    """Index into ``cell_edges``"""
    row: np.ndarray
    """Row of its cell among those that are asked for; by `side_units` the cell"""
    stage: np.ndarray
    unit: np.ndarray
    beyond: np.ndarray
    """The cell on the other side"""

    def take(self, which: np.ndarray) -> SideUnits:
        """Some of them."""
        return SideUnits(
            self.side[which], self.row[which], self.stage[which], self.unit[which], self.beyond[which]
        )

    def of(self, arr: Cells, cells: np.ndarray) -> SideUnits:
        """The sides of some cells, whose rows these then are."""
        wanted = arr.cells.places(cells)
        place = np.searchsorted(self.side, wanted.values)
        place = np.minimum(place, max(len(self.side) - 1, 0))
        found = self.side[place] == wanted.values if len(self.side) else np.zeros(len(place), bool)
        mine = self.take(place[found])
        return SideUnits(mine.side, wanted.row_of[found], mine.stage, mine.unit, mine.beyond)


def side_units(arr: Cells) -> SideUnits:
    """The sides of all cells that lie on inner edges with a unit, in order."""
    owner = arr.cells.row_of
    pair = arr.edge_cells[arr.cell_edges]
    beyond = np.where(pair[:, 0] == owner, pair[:, 1], pair[:, 0])
    side = np.flatnonzero((beyond >= 0) & (arr.edge_units.lengths[arr.cell_edges] > 0))
    units = arr.edge_units.values[arr.edge_units.offsets[arr.cell_edges[side]]].astype(np.int64)
    return SideUnits(side, owner[side], units[:, 0], units[:, 1], beyond[side])


def through_affine(
    node: Affine, norms: Sequence[Tensor], errors: Sequence[Tensor]
) -> Callable[[Tensor], Tensor]:
    """(3, rows) errors of an affine node's result, from norms and errors of its inputs.

    The function returned takes the norms of the result, which a sum is rounded by.
    """
    gain = node.gain

    def bound(result: Tensor) -> Tensor:
        if gain.kind == "layout":
            stacked: Tensor = torch.stack(list(errors)).norm(dim=0)
            return SAFE * gain.norm * stacked
        if gain.kind == "sum":
            return SAFE * (torch.stack(list(errors)).sum(0) + UNIT_ROUNDOFF * result) + FLOOR
        (x,), (error,) = norms, errors
        g = (gain.terms + 1) * UNIT_ROUNDOFF / (1.0 - (gain.terms + 1) * UNIT_ROUNDOFF)
        rounding = g * (min(gain.magnitude, gain.row_norm) * (x + FLOOR))
        if gain.constants is not None:
            rounding[2] += g * float(np.linalg.norm(gain.constants))
        return SAFE * (gain.norm * error + rounding) + FLOOR

    return bound


def inherited(steepest: float, error: Tensor, rounded: Tensor | float) -> Tensor:
    """(3, rows) errors behind a function of slope ``steepest`` at most.

    Its results are rounded by u times the norms ``rounded``.
    """
    return SAFE * (steepest * error + UNIT_ROUNDOFF * rounded) + FLOOR


def lines_of_units(
    node: Pointwise, tangent: Tensor, constant: Tensor, error: Tensor, rows: np.ndarray, unit: np.ndarray
) -> SideLines:
    """Where units of a pointwise stage vanish, on the cells in some rows."""
    breakpoint_, entry = np.divmod(unit, int(np.prod(node.shape, dtype=np.int64)))
    lines = _entries(tangent, constant, rows, entry)
    kink = node.kinks[breakpoint_, entry]
    errors = error[:, torch.from_numpy(rows)].T.numpy().copy()
    errors[:, 2] += UNIT_ROUNDOFF * (np.abs(lines[:, 2]) + np.abs(kink))
    lines[:, 2] -= kink
    return SideLines(lines, SAFE * errors + FLOOR)


def lines_of_ties(
    tangent: Tensor, constant: Tensor, error: Tensor, rows: np.ndarray, one: np.ndarray, other: np.ndarray
) -> SideLines:
    """Where two entries of a tensor tie each, ``one`` and ``other``, on the cells in some rows."""
    a, b = (_entries(tangent, constant, rows, entry) for entry in (one, other))
    errors = 2.0 * error[:, torch.from_numpy(rows)].T.numpy()
    return SideLines(a - b, SAFE * (errors + UNIT_ROUNDOFF * (np.abs(a) + np.abs(b))) + FLOOR)


def _entries(tangent: Tensor, constant: Tensor, rows: np.ndarray, entry: np.ndarray) -> np.ndarray:
    """(n, 3) coefficients of u, of v, and constants of single entries, one for each row."""
    row, entries = torch.from_numpy(rows), torch.from_numpy(entry)
    u, v, w = (part.reshape(len(constant), -1)[row, entries] for part in (*tangent, constant))
    return torch.stack([u, v, w], dim=1).numpy()
