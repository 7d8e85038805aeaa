"""Moves of units between two checkpoints of one network: the area between their lines before and after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.arrangement.result import Arrangement
from splineviz.comparison.common_refinement import Overlay

__all__ = ["StageMoves", "UnitMoves", "unit_moves"]

_STATES = 1 << 24  # unpacked at once


@dataclass(frozen=True)
class StageMoves:
    """The units of one stage that either network draws in the window."""

    stage: int
    both: int
    only_first: int
    only_second: int
    mean: float | None
    """Mean distance that the lines that both draw moved, by length: all areas between them over all lengths;
    None where there is none."""
    median: float | None
    """Median distance that each of them moved."""


@dataclass(frozen=True, eq=False)
class UnitMoves:
    """The n units whose line, the union of their edges, is in the window before or after."""

    stage: Int64[np.ndarray, "unit"]
    unit: Int64[np.ndarray, "unit"]
    """Column of its stage."""
    lengths: Float64[np.ndarray, "unit 2"]
    """Length of the line in the first and in the second network; 0 for none."""
    switched: Float64[np.ndarray, "unit"]
    """Area on which the unit has another state in the second network than in the first: what lies between its
    two lines."""

    @property
    def moved(self) -> Float64[np.ndarray, "unit"]:
        """(n,) how far the line moved: the area between its two positions, over the mean of their lengths.
        NaN if one is missing.

        For a line that is shifted by s across a window it is s. It is 0 only if nothing moved.
        """
        moved: np.ndarray = np.full(len(self.unit), np.nan)
        np.divide(self.switched, self.lengths.mean(1), out=moved, where=self.lengths.min(1) > 0)
        return moved

    def by_stage(self) -> list[StageMoves]:
        """Moves of the units of each stage that has one in the window."""
        rows = []
        for stage in np.unique(self.stage).tolist():
            here = self.stage == stage
            lengths, drawn = self.lengths[here], self.lengths[here] > 0
            both = drawn.all(1)
            counts = (int(both.sum()), *(int((drawn[:, k] & ~drawn[:, 1 - k]).sum()) for k in (0, 1)))
            mean = median = None
            if both.any():
                mean = float(self.switched[here][both].sum() / lengths[both].mean(1).sum())
                median = float(np.median(self.moved[here][both]))
            rows.append(StageMoves(stage, counts[0], counts[1], counts[2], mean, median))
        return rows


def unit_moves(first: Arrangement, second: Arrangement, both: Overlay) -> UnitMoves:
    """Measure the move of each unit's line from one arrangement to the other, with the overlay of the two."""
    assert first.info is not None
    start = np.cumsum([0, *(stage.n_units for stage in first.info.stages)])
    lengths = np.stack([_lengths(arr, start) for arr in (first, second)], axis=1)
    switched = np.concatenate(
        [np.zeros(0), *(_switched(both, *stages) for stages in zip(*both.stages, strict=True))]
    )
    units = np.flatnonzero(lengths.any(1))
    stage = np.searchsorted(start, units, side="right") - 1
    return UnitMoves(stage, units - start[stage], lengths[units], switched[units])


def _lengths(arr: Arrangement, start: np.ndarray) -> np.ndarray:
    """(units,) length of the line of each unit, counted through all stages."""
    ends = arr.vertices[arr.edges[arr.edge_units.row_of]]
    owner = start[arr.edge_units.values[:, 0]] + arr.edge_units.values[:, 1]
    lengths: np.ndarray = np.zeros(start[-1])
    np.add.at(lengths, owner, np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1))
    return lengths


def _switched(both: Overlay, first: int, second: int) -> np.ndarray:
    """(units,) area on which the units of two stages of the overlay, unit by unit, have different states."""
    arr = both.arrangement
    assert arr.info is not None
    stage = arr.info.stages[first]
    total = np.zeros(stage.n_units)
    if first == second:
        return total
    states, size = arr.winners if stage.candidates else arr.pattern_bits, max(1, _STATES // stage.n_units)
    for begin in range(0, arr.n_cells, size):
        cells = np.arange(begin, min(begin + size, arr.n_cells))
        total += both.areas[cells] @ (states(first, cells) != states(second, cells))
    return total
