"""The affine map of the network on every cell, from its own weights and the stored activation patterns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.slopes import BUDGET_BYTES, chunks, complete_program, slopes_and_intercepts
from splineviz.program.interpret import Interpreter
from splineviz.program.nodes import Affine, Maximum, Pointwise
from splineviz.program.program import Program
from splineviz.values.threads import each

__all__ = ["affine_maps"]


class _Family(NamedTuple):
    """A run of cells and their ancestors: level 0 are the windows, level s + 1 the cells after stage s."""

    ids: list[np.ndarray]
    """By level: which windows or cells."""
    parent: list[Tensor]
    """By level but the first: row of each in the level before."""
    example: list[np.ndarray]
    """By level: a cell of the arrangement that descends from each."""


class _Maps(NamedTuple):
    """Coefficients of u and of v, (2, rows, *shape), and constants, (rows, *shape), with a row for each of a
    level's cells."""

    tangent: Tensor
    constant: Tensor
    level: int


def affine_maps(
    arr: Cells, program: Program | None, *, budget_bytes: int = BUDGET_BYTES
) -> Float64[np.ndarray, "cell output 3"]:
    """The map of the network on each cell: output = A [u, v, 1].

    The weights are multiplied out along the activation pattern that is stored with each cell; nothing is
    fitted to vertices and no sign is taken from floating point. Cells that were one until a stage share the
    products up to there.

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
    program = complete_program(arr, program)
    maps = np.empty((arr.n_cells, math.prod(program.output_shape), 3))

    def fill(cells: np.ndarray) -> None:
        tangent, constant = _maps_of(arr, program, cells)
        maps[cells, :, :2] = tangent.reshape(2, len(cells), -1).permute(1, 2, 0).numpy()
        maps[cells, :, 2] = constant.reshape(len(cells), -1).numpy()

    each(fill, chunks(arr.n_cells, 3 * max(program.values_alive), budget_bytes))
    return maps


def _family(arr: Cells, cells: np.ndarray) -> _Family:
    """Some cells and their ancestors at every level."""
    ids, example = [cells], [cells]
    parents: list[Tensor] = []
    for _, parent in reversed(arr.patterns):
        unique, first, row = np.unique(parent[ids[0]], return_index=True, return_inverse=True)
        ids.insert(0, unique)
        example.insert(0, example[0][first])
        parents.insert(0, torch.from_numpy(row.astype(np.int64)))
    return _Family(ids, parents, example)


def _maps_of(arr: Cells, program: Program, cells: np.ndarray) -> tuple[Tensor, Tensor]:
    """Tangents (2, cells, *output_shape) and constants (cells, *output_shape)."""
    family = _family(arr, cells)
    windows = arr.cell_window[family.example[0]]
    basis = np.stack([arr.planes[w].basis for w in windows], axis=1)
    origin = np.stack([arr.planes[w].origin for w in windows])

    def descend(value: _Maps, level: int) -> _Maps:
        for row in family.parent[value.level : level]:
            value = _Maps(_rows(value.tangent, 1, row), _rows(value.constant, 0, row), level)
        return value

    def affine(node: Affine, values: Sequence[_Maps]) -> _Maps:
        level = max(value.level for value in values)
        values = [descend(value, level) for value in values]
        tangent = node.linear(*(value.tangent.flatten(0, 1) for value in values))
        constant = node.run(*(value.constant for value in values))
        return _Maps(tangent.reshape(2, -1, *tangent.shape[1:]), constant, level)

    def pointwise(node: Pointwise, value: _Maps) -> _Maps:
        level = node.stage + 1
        value = descend(value, level)
        slope, intercept = slopes_and_intercepts(arr, node, family.example[level])
        return _Maps(slope * value.tangent, slope * value.constant + intercept, level)

    def maximum(node: Maximum, value: _Maps) -> _Maps:
        level = node.stage + 1
        value = descend(value, level)
        winners = arr.winners(node.stage, family.example[level])
        tangent = torch.stack([node.pick(part, winners) for part in value.tangent])
        return _Maps(tangent, node.pick(value.constant, winners), level)

    start = _Maps(
        torch.from_numpy(basis).reshape(2, len(windows), *program.input_shape),
        torch.from_numpy(origin).reshape(len(windows), *program.input_shape),
        0,
    )
    result = program.interpret(start, Interpreter(affine, pointwise, maximum))
    result = descend(result, len(family.parent))
    return result.tangent, result.constant


def _rows(x: Tensor, axis: int, row: Tensor) -> Tensor:
    """Rows along an axis; copies of a single one take no memory."""
    if x.shape[axis] > 1:
        return x.index_select(axis, row)
    return x.expand(*x.shape[:axis], len(row), *x.shape[axis + 1 :])
