"""The affine map of the network on every cell, from its own weights and the stored activation patterns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
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

__all__ = ["affine_maps", "jacobian_norms"]


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


def jacobian_norms(
    arr: Cells, program: Program | None, *, budget_bytes: int = BUDGET_BYTES
) -> Float64[np.ndarray, "cell"]:
    """Spectral norm of the full input Jacobian, (C, D), on each cell: the Lipschitz constant there, also off
    the plane.

    Products are taken from the smaller side: one backward sweep per output where C <= D, one forward sweep
    per input otherwise. Where the affine part W before the first stage narrows the input, sweeps end after
    it: J = B W, and with the triangle R of W' = Q R the singular values of J are those of B R', a matrix of
    fewer columns.

    Raises
    ------
    InputError
        If there is no network, as after loading from a file, or the cells stopped before its last stage.
    """
    program = complete_program(arr, program)
    n_in, n_out = math.prod(program.input_shape), math.prod(program.output_shape)
    sweep, factor = (_backward, n_out) if n_out <= n_in else (_forward, n_in)
    triangle = None
    # W costs D sweeps of its own, which fewer sweeps than that would not repay.
    if (
        sweep is _backward
        and arr.n_cells * n_out >= n_in
        and (parts := _split(program, budget_bytes)) is not None
    ):
        triangle, program = (
            _triangle(arr, parts[0], chunks(n_in, max(program.values_alive), budget_bytes)),
            parts[1],
        )
        n_in = len(triangle)
    norms = np.empty(arr.n_cells)
    kept = sum(
        math.prod(stage.shape) for stage in program.stages
    )  # slopes that the backward sweeps read again

    def fill(cells: np.ndarray) -> None:
        rows = sweep(arr, program, cells)
        if triangle is not None:
            rows = rows @ triangle.T
        gram = rows @ rows.transpose(1, 2)
        norms[cells] = torch.linalg.eigvalsh(gram)[:, -1].clamp_min(0.0).sqrt().numpy()

    each(
        fill, chunks(arr.n_cells, max(program.values_alive) + kept + factor * max(n_in, n_out), budget_bytes)
    )
    return norms


def _family(arr: Cells, cells: np.ndarray) -> _Family:
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
        return _Maps(
            tangent.reshape(2, -1, *tangent.shape[1:]), node.run(*(value.constant for value in values)), level
        )

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


def _split(program: Program, budget_bytes: int) -> tuple[Program, Program] | None:
    """The affine part before the first stage, and the rest as a program of its result.

    None where the rest reads more than that, where the result is no smaller than the input, or where the
    matrix is too large.
    """
    first = next((i for i, node in enumerate(program.nodes) if not isinstance(node, Affine)), None)
    if first is None:
        return None
    before, after = program.nodes[:first], program.nodes[first:]
    bend = after[0]
    assert not isinstance(bend, Affine)
    cut, shape = bend.inputs[0], bend.shape
    hidden = {0, *(node.output for node in before)} - {cut}
    n_in, n_cut = math.prod(program.input_shape), math.prod(shape)
    if (
        n_cut >= n_in
        or 8 * n_cut * n_in > budget_bytes
        or hidden.intersection(i for node in after for i in node.inputs)
    ):
        return None

    def renamed(slots: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(0 if slot == cut else slot for slot in slots)

    rest = tuple(replace(node, inputs=renamed(node.inputs), frees=renamed(node.frees)) for node in after)
    return replace(program, nodes=before, output=cut, output_shape=shape), replace(
        program, nodes=rest, input_shape=shape
    )


def _triangle(arr: Cells, head: Program, inputs: Iterable[np.ndarray]) -> Tensor:
    """R of W' = Q R for an affine program with the matrix W, (n, n) for n outputs; ``inputs`` come in runs
    that fit the memory."""
    n_in = math.prod(head.input_shape)
    columns = []
    with torch.no_grad():
        for rows in inputs:
            units = torch.zeros(len(rows), n_in, dtype=torch.float64)
            units[torch.arange(len(rows)), torch.from_numpy(rows)] = 1.0
            columns.append(_derivative(arr, head, units.reshape(-1, *head.input_shape), rows).flatten(1))
        triangle: Tensor = torch.linalg.qr(torch.cat(columns), mode="r").R
    return triangle


def _backward(arr: Cells, program: Program, cells: np.ndarray) -> Tensor:
    """(cells, C, D), one backward sweep per output."""
    with torch.enable_grad():
        x = torch.zeros(len(cells), *program.input_shape, dtype=torch.float64, requires_grad=True)
        y = _derivative(arr, program, x, cells).reshape(len(cells), -1)
        if not y.requires_grad:  # an output that reads no input
            return x.new_zeros(len(cells), y.shape[1], x[0].numel())
        rows = [
            torch.autograd.grad(y[:, c].sum(), x, retain_graph=True)[0].reshape(len(cells), -1)
            for c in range(y.shape[1])
        ]
    return torch.stack(rows, dim=1)


def _forward(arr: Cells, program: Program, cells: np.ndarray) -> Tensor:
    """(cells, D, C), the transposed Jacobian, one forward sweep per input."""
    x = torch.zeros(len(cells), *program.input_shape, dtype=torch.float64)
    columns = []
    for d in range(math.prod(program.input_shape)):
        tangent = x.clone()
        tangent.reshape(len(cells), -1)[:, d] = 1.0
        columns.append(_derivative(arr, program, tangent, cells).reshape(len(cells), -1))
    return torch.stack(columns, dim=1)


def _derivative(arr: Cells, program: Program, tangent: Tensor, cells: np.ndarray) -> Tensor:
    """The Jacobian of each cell applied to one direction of input space each."""

    def affine(node: Affine, values: Sequence[Tensor]) -> Tensor:
        return node.linear(*values)

    def pointwise(node: Pointwise, value: Tensor) -> Tensor:
        return slopes_and_intercepts(arr, node, cells)[0] * value

    def maximum(node: Maximum, value: Tensor) -> Tensor:
        return node.pick(value, arr.winners(node.stage, cells))

    return program.interpret(tangent, Interpreter(affine, pointwise, maximum))
