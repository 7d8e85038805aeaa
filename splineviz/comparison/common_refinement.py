"""The common refinement of the cells of two networks, and which cell of either its cells lie in."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64, Int64

from splineviz.arrangement.jumps import joined_cells
from splineviz.arrangement.result import Arrangement
from splineviz.program import Program
from splineviz.program.side_by_side import side_by_side

__all__ = ["Overlay", "overlay"]


@dataclass(frozen=True, eq=False)
class Overlay:
    """The cells that two networks side by side make of a window, cut by their decision boundaries as well:
    its pieces."""

    arrangement: Arrangement
    """Arrangement whose cells are the pieces, F of them."""
    cells: Int64[np.ndarray, "piece"]
    """The cell of the common refinement that a piece lies in."""
    first: Int64[np.ndarray, "piece"]
    """The cell of the first network, numbered by first piece."""
    second: Int64[np.ndarray, "piece"]
    """The cell of the second network, likewise."""
    classes: Int64[np.ndarray, "piece 2"] | None
    """Class by each network; None where they have different numbers of outputs."""
    n_outputs: tuple[int, int]
    stages: tuple[tuple[int, ...], tuple[int, ...]]
    """The stages of the arrangement that are those of either network, in its order."""
    drawn: tuple[Bool[np.ndarray, "edge"], Bool[np.ndarray, "edge"]]
    """(E,) each: the edges that the first network draws, and those that the second does."""

    @property
    def areas(self) -> Float64[np.ndarray, "piece"]:
        """(F,) area of each piece."""
        return self.arrangement.areas

    @property
    def n_cells(self) -> int:
        """Number of cells of the common refinement."""
        return int(self.cells.max(initial=-1)) + 1

    @cached_property
    def change(self) -> Float64[np.ndarray, "piece output 3"]:
        """(F, C, 3) the second network's affine map on each piece minus the first's; there is none if outputs
        differ in number."""
        n = self.n_outputs[0]
        difference: np.ndarray = self.arrangement.affine[:, n:] - self.arrangement.affine[:, :n]
        return difference


def overlay(first: Program, second: Program, arrange: Callable[[Program], Arrangement]) -> Overlay:
    """Arrange two networks side by side; ``arrange`` says where and how.

    The common refinement is cut by the engine, so its cells are those of the exact arithmetic, proven like
    any others. A cell of one network is convex, so its parts hang together across edges that the network does
    not draw: joining them gives it back.

    Raises
    ------
    InputError
        If the networks' inputs have different sizes.
    """
    n_outputs = math.prod(first.output_shape), math.prod(second.output_shape)
    both = side_by_side(first, second, decisions=n_outputs[0] == n_outputs[1])
    arr = arrange(both.program)
    drawn = _drawn_by(arr, both.stages[0]), _drawn_by(arr, both.stages[1])
    classes = (
        None
        if both.decisions is None
        else np.stack([arr.winners(stage)[:, 0] for stage in both.decisions], axis=1)
    )
    cells, one, other = (joined_cells(arr, ~edges) for edges in (drawn[0] | drawn[1], *drawn))
    return Overlay(arr, cells, one, other, classes, n_outputs, both.stages, drawn)


def _drawn_by(arr: Arrangement, stages: Sequence[int]) -> np.ndarray:
    """(E,) whether an edge belongs to a unit of these stages."""
    drawn = np.zeros(arr.n_edges, dtype=bool)
    drawn[arr.edge_units.row_of[np.isin(arr.edge_units.values[:, 0], stages)]] = True
    return drawn
