"""Evidence of forward passes on every cell: one pass at a point inside each, the rest follows from its
derivatives there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from splineviz.checking.claim import Claim
from splineviz.checking.network import EnteringValues, Layout, Network
from splineviz.program.program import Maximum

__all__ = ["Evidence", "Patterns", "gather", "runs"]


@dataclass(frozen=True, eq=False)
class Patterns:
    """States of all units for some rows, as bits in the columns of a layout."""

    on: np.ndarray
    """(N, bytes)"""
    unsure: np.ndarray
    """(N, bytes) the columns that rounding could have decided."""
    n_columns: int

    def __len__(self) -> int:
        return len(self.on)

    def bits(self, rows: np.ndarray) -> np.ndarray:
        """(rows, columns) bool"""
        return np.unpackbits(self.on[rows], axis=1, count=self.n_columns).view(bool)

    def settle(self, row: int, bits: np.ndarray) -> None:
        """Replace the states of one row by those that exact arithmetic confirmed."""
        self.on[row] = np.packbits(bits)
        self.unsure[row] = 0

    def same_as(
        self, rows: np.ndarray, other: Patterns, other_rows: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(N, columns) where rows of two patterns differ, and where rounding leaves that open."""
        differ = self.on[rows] ^ other.on[other_rows]
        open_ = self.unsure[rows] | other.unsure[other_rows]
        return (np.unpackbits(x, axis=1, count=self.n_columns).view(bool) for x in (differ, open_))  # type: ignore[return-value]


@dataclass(frozen=True, eq=False)
class Evidence:
    """Found for each cell at its point, ``claim.points``."""

    patterns: Patterns
    value: np.ndarray | None
    """(F, C) the output there; None where the last stage was not arranged."""
    gradient: np.ndarray | None
    """(F, C, 2) of the output, in uv."""
    error: np.ndarray
    """(F,) how far any output there can be from the exact one."""
    cut: np.ndarray
    """(F,) how far a unit's kink reaches into the cell, in uv."""
    seeming_cut: np.ndarray
    """(F,) how far it seems to, before the rounding of the unit is taken off."""


def runs(n: int, rows: int) -> Iterator[np.ndarray]:
    """Consecutive numbers from 0 to n, some at a time."""
    for start in range(0, n, rows):
        yield np.arange(start, min(n, start + rows))


def gather(claim: Claim, network: Network) -> Evidence:
    """One pass at the point of each cell, with two derivatives."""
    layout, f = network.layout, claim.n_cells
    n_columns = int(layout.first_column[-1])
    width = (n_columns + 7) // 8
    patterns = Patterns(np.zeros((f, width), np.uint8), np.zeros((f, width), np.uint8), n_columns)
    cuts, errors, values, gradients = np.zeros((2, f)), np.zeros(f), [], []
    for cells in runs(f, network.rows):
        window = claim.cell_window[cells]
        x, error = claim.lift(claim.points[cells], window)
        readings, value, off, gradient = network.read(x, error, claim.directions(window))
        patterns.on[cells], patterns.unsure[cells] = packed(layout, readings, len(cells))
        cuts[:, cells] = _cuts(claim, readings, cells)
        errors[cells] = off.max(1, initial=0.0)
        if value is not None and gradient is not None:
            values.append(value)
            gradients.append(np.moveaxis(gradient, 0, 2))
    done = network.whole
    return Evidence(
        patterns,
        np.concatenate(values) if done else None,
        np.concatenate(gradients) if done else None,
        errors,
        *cuts,
    )


def packed(layout: Layout, readings: list[EnteringValues], n: int) -> tuple[np.ndarray, np.ndarray]:
    """(N, bytes) states and doubts of the columns of all stages."""
    on, unsure = [np.zeros((n, 0), bool)], [np.zeros((n, 0), bool)]
    for stage, reading in enumerate(readings):
        on.append(layout.columns_of(stage, reading.states))
        unsure.append(np.repeat(reading.unsure, layout.bits[stage], axis=1))
    return np.packbits(np.concatenate(on, 1), axis=1), np.packbits(np.concatenate(unsure, 1), axis=1)


def _cuts(claim: Claim, readings: list[EnteringValues], cells: np.ndarray) -> np.ndarray:
    """(2, cells) depth, in uv, of the worst unit's cut into each of some consecutive cells: less its
    rounding, and as it seems."""
    sides = np.arange(claim.offsets[cells[0]], claim.offsets[cells[-1] + 1])
    row = claim.side_cell[sides] - cells[0]
    step = claim.vertices[claim.corner[sides]] - claim.points[claim.side_cell[sides]]
    depth = np.zeros((2, len(sides)))
    for reading in readings:
        for beyond, error, steepness in (_overtaken if isinstance(reading.node, Maximum) else _crossed)(
            reading, row, step
        ):
            for found, allowed in zip(depth, (error, 0.0), strict=True):
                left = beyond - allowed
                where = (left > 0) & (steepness > 0)
                cut = np.divide(left, steepness, out=np.zeros_like(left), where=where)
                np.maximum(found, cut.max(1, initial=0.0), out=found)
    return np.maximum.reduceat(depth, claim.offsets[cells] - claim.offsets[cells[0]], axis=1)


Passed = tuple[np.ndarray, np.ndarray, np.ndarray]
"""(sides, units) how far beyond its kink a unit is at a corner, the error of that, and its steepness"""


def _crossed(reading: EnteringValues, row: np.ndarray, step: np.ndarray) -> Iterator[Passed]:
    """Units at corners, beyond the kink where they have another state than at the cell's point."""
    slope = reading.slope[:, row]
    corner = reading.value[row] + slope[0] * step[:, :1] + slope[1] * step[:, 1:]
    steepness = np.hypot(slope[0], slope[1])
    n = reading.value.shape[1]
    for k, kink in enumerate(reading.node.kinks):  # type: ignore[union-attr]
        on = reading.states[row, k * n : (k + 1) * n]
        yield np.where(on, kink - corner, corner - kink), reading.error[row], steepness


def _overtaken(reading: EnteringValues, row: np.ndarray, step: np.ndarray) -> Iterator[Passed]:
    """Maxima at corners, where the winner of the cell's point loses to a candidate."""
    node, slope = reading.node, reading.slope[:, row]
    assert isinstance(node, Maximum)
    corner = reading.value[row] + slope[0] * step[:, :1] + slope[1] * step[:, 1:]
    winner = node.windows[np.arange(len(node.windows)), reading.states[row]]
    at = np.arange(len(row))[:, None]
    for candidate in node.windows.T:
        other = np.where(candidate < 0, winner, candidate)
        beyond = corner[at, other] - corner[at, winner]
        steepness = np.hypot(*(slope[:, at, other] - slope[:, at, winner]))
        yield beyond, reading.error[row[:, None], other] + reading.error[row[:, None], winner], steepness
