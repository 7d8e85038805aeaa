"""Spectral norms of the full input Jacobian of the network on every cell."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.jacobian_steps import jacobians
from splineviz.arrangement.side_lines import side_units
from splineviz.arrangement.slopes import BUDGET_BYTES, chunks, complete_program, derivatives
from splineviz.program.nodes import Affine
from splineviz.program.program import Program
from splineviz.program.rows import as_rows
from splineviz.values.threads import each

__all__ = ["jacobian_norms"]

_FEW = 4
"""Outputs, for fewer of which a sweep for each is cheaper than one there and back"""


def jacobian_norms(
    arr: Cells, program: Program | None, *, budget_bytes: int = BUDGET_BYTES
) -> Float64[np.ndarray, "cell"]:
    """(F,) spectral norm of the full input Jacobian (C, D) on each cell: the Lipschitz constant there.

    All directions of input space count, not only those of the plane.

    With several outputs, cells have the Jacobian of a neighbour and a matrix of rank one (`jacobian_steps`).
    Else, and where there is no such neighbour, products are taken from the smaller side: one backward sweep
    per output where C <= D, one forward sweep per input otherwise. Where the affine part W before the first
    stage narrows the input, sweeps end after it: J = B W, and with the triangle R of W' = Q R the singular
    values of J are those of B R', a matrix of fewer columns.

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
    repaid = sweep is _backward and arr.n_cells * n_out >= n_in
    if repaid and (parts := _split(program, budget_bytes)) is not None:
        triangle = _triangle(arr, parts[0], chunks(n_in, max(program.values_alive), budget_bytes))
        n_in, program = len(triangle), parts[1]
    steps = sweep is _backward and n_out >= _FEW
    sides = side_units(arr)
    norms = np.empty(arr.n_cells)
    kept = sum(math.prod(stage.shape) for stage in program.stages)  # slopes that backward sweeps read again
    size = max(program.values_alive) + kept + factor * max(n_in, n_out)

    def reduced(rows: Tensor) -> Tensor:
        return rows if triangle is None else rows @ triangle.T

    def in_full(cells: np.ndarray) -> Tensor:
        return reduced(sweep(arr, program, cells))

    def fill(cells: np.ndarray) -> None:
        rows = jacobians(arr, program, cells, sides, in_full, reduced) if steps else in_full(cells)
        gram = rows @ rows.transpose(1, 2)
        norms[cells] = torch.linalg.eigvalsh(gram)[:, -1].clamp_min(0.0).sqrt().numpy()

    each(fill, chunks(arr.n_cells, size, budget_bytes))
    return norms


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
    read = hidden.intersection(i for node in after for i in node.inputs)
    if n_cut >= n_in or 8 * n_cut * n_in > budget_bytes or read:
        return None

    def renamed(slots: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(0 if slot == cut else slot for slot in slots)

    rest = tuple(replace(node, inputs=renamed(node.inputs), frees=renamed(node.frees)) for node in after)
    head = replace(program, nodes=before, output=cut, output_shape=shape)
    return head, replace(program, nodes=rest, input_shape=shape)


def _triangle(arr: Cells, head: Program, inputs: Iterable[np.ndarray]) -> Tensor:
    """R of W' = Q R for an affine program with the matrix W, (n, n) for n outputs; ``inputs`` come in runs
    that fit the memory."""
    n_in = math.prod(head.input_shape)
    columns = []
    with torch.no_grad():
        for rows in inputs:
            units = torch.zeros(len(rows), n_in, dtype=torch.float64)
            units[torch.arange(len(rows)), torch.from_numpy(rows)] = 1.0
            columns.append(as_rows(_derivative(arr, head, units.reshape(-1, *head.input_shape), rows)))
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
    return program.interpret(tangent, derivatives(arr, cells))
