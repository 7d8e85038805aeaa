"""Slopes of a network's pointwise nodes on cells, by their patterns; and runs of cells that fit a cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from splineviz.arrangement.cells import Cells
from splineviz.errors import InputError
from splineviz.program.interpret import Interpreter
from splineviz.program.nodes import Affine, Maximum, Pointwise
from splineviz.program.program import Program

__all__ = [
    "BUDGET_BYTES",
    "PatternsOfCells",
    "chunks",
    "complete_program",
    "derivatives",
    "slopes_and_intercepts",
]

BUDGET_BYTES = 32 << 20
"""Memory for the tensors under way: what fits a cache is carried three times as fast as what does not."""


class PatternsOfCells(Protocol):
    """The activation patterns of the cells of a plane, or of a line."""

    def pattern_bits(self, stage: int, cells: np.ndarray | None = None) -> np.ndarray:
        """(cells, units) bool, the units of one stage that are on."""

    def winners(self, stage: int, cells: np.ndarray | None = None) -> np.ndarray:
        """(cells, units) int, the winner of each maximum of one stage."""


def complete_program(arr: Cells, program: Program | None) -> Program:
    """The network of some cells, on each of which its output is affine.

    Raises
    ------
    InputError
        If the arrangement was loaded from a file, which holds no network, or stopped before the last stage.
    """
    if program is None:
        raise InputError(
            "this needs the network, and an arrangement loaded from a file does not hold it",
            hint="load it with sv.load(path, program=...), or save it with affine=True",
            command_hint="write the file with slice --affine",
        )
    if len(arr.patterns) < len(program.stages):
        raise InputError(
            f"the arrangement stopped after {len(arr.patterns)} of {len(program.stages)} stages, so "
            "the output is not affine on its cells",
            hint="arrange without a stage",
        )
    return program


def slopes_and_intercepts(arr: PatternsOfCells, node: Pointwise, cells: np.ndarray) -> tuple[Tensor, Tensor]:
    """Slopes and intercepts of a pointwise node at its entries on some cells, both (cells, *shape)."""
    n_breakpoints = len(node.breakpoints)
    bits = torch.from_numpy(np.ascontiguousarray(arr.pattern_bits(node.stage, cells)))
    on = bits.reshape(len(cells), n_breakpoints, *node.shape)
    slope, intercept = (x[0].expand(len(cells), *node.shape) for x in (node.slopes, node.intercepts))
    for k in range(n_breakpoints):  # breakpoints ascend, so the last one that is on names the piece
        slope = torch.where(on[:, k], node.slopes[k + 1], slope)
        intercept = torch.where(on[:, k], node.intercepts[k + 1], intercept)
    return slope, intercept


def derivatives(arr: PatternsOfCells, cells: np.ndarray) -> Interpreter[Tensor]:
    """Derivatives (cells, ...) along one direction of input space each, carried on a cell each."""

    def affine(node: Affine, values: Sequence[Tensor]) -> Tensor:
        return node.linear(*values)

    def pointwise(node: Pointwise, value: Tensor) -> Tensor:
        return slopes_and_intercepts(arr, node, cells)[0] * value

    def maximum(node: Maximum, value: Tensor) -> Tensor:
        return node.pick(value, arr.winners(node.stage, cells))

    return Interpreter(affine, pointwise, maximum)


def chunks(n_cells: int, values_per_cell: int, budget_bytes: int) -> Iterator[np.ndarray]:
    """Runs of cell ids that fit the budget, each at least one cell."""
    size = max(1, budget_bytes // (8 * values_per_cell))
    for start in range(0, n_cells, size):
        yield np.arange(start, min(start + size, n_cells))
