"""The affine map of the network on every cell, from its own weights and the stored activation patterns."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from splineviz.arrangement.cell_groups import cell_groups
from splineviz.arrangement.cells import Cells
from splineviz.arrangement.group_maps import GroupMaps
from splineviz.arrangement.levels import Levels
from splineviz.arrangement.side_lines import side_units
from splineviz.arrangement.slopes import BUDGET_BYTES, complete_program
from splineviz.program.program import Program
from splineviz.values.threads import each

__all__ = ["BoundedMaps", "affine_maps", "bounded_maps"]

_CELLS = 1 << 13
"""Of a batch, at most"""


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
    fitted to vertices and no sign is taken from floating point. Cells next to each other are a group, which
    shares the products of all units that do not switch in it.

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

    def fill(first: np.ndarray) -> None:
        cells = np.arange(first[0], first[-1])
        levels = Levels.of(arr, cells, first - first[0])
        groups = GroupMaps(arr, program, levels, [units.of(cells) for units in sides])
        mine = slice(first[0], first[-1])
        maps[mine], error = groups.result()
        errors[mine] = error.T.numpy()
        for side, found in groups.lines:
            lines[side], line_errors[side] = found

    with np.errstate(over="ignore", invalid="ignore"):
        most = max(3, budget_bytes // (8 * max(program.values_alive[1:], default=1)))
        each(fill, _batches(*cell_groups(arr, program, most), most))
    return BoundedMaps(maps, errors, lines, line_errors)


def _batches(first: np.ndarray, rows: np.ndarray, most: int) -> Iterator[np.ndarray]:
    """First cells of groups one after the other that take ``most`` rows together, and not too many cells for
    there to be work for all cores."""
    start, taken = 0, 0
    for group in range(len(rows)):
        taken += int(rows[group])
        end = group + 1
        if end == len(rows) or taken + rows[end] > most or first[end + 1] - first[start] > _CELLS:
            yield first[start : end + 1]
            start, taken = end, 0
