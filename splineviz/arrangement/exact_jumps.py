"""Bends of the function at edges in exact arithmetic, from its derivatives across the edge on both sides."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from splineviz.arrangement.cells import Cells
from splineviz.exact.digits import ExactTensor, InexactError, split
from splineviz.exact.forward import affine, in_states, picked, work
from splineviz.program.interpret import Interpreter
from splineviz.program.nodes import Affine, Maximum, Pointwise
from splineviz.program.program import Program

__all__ = ["bends"]

_LIMIT = 1e9
"""Edges, times the products of two numbers that one derivative takes"""


def bends(arr: Cells, program: Program, edges: np.ndarray, direction: Tensor) -> np.ndarray | None:
    """(n,) bool: at which inner edges the function bends, by directions (n, *shape), x, across them.

    A continuous function has one derivative along an edge, so the derivatives across it tell whether the two
    affine maps are one. None where that cannot be told exactly, or takes too long.
    """
    if len(edges) * work(program) > _LIMIT:
        return None
    cells = arr.edge_cells[edges].T.reshape(-1)  # those on the left, then those on the right
    digits, exponent = split(torch.cat([direction, direction]))
    start = ExactTensor(digits, exponent, 1, torch.ones(1, len(cells), dtype=torch.float64))

    def through(node: Affine, values: Sequence[ExactTensor]) -> ExactTensor:
        return affine(node, values, constants=False)

    def pointwise(node: Pointwise, x: ExactTensor) -> ExactTensor:
        return in_states(node, x, arr.pattern_bits(node.stage, cells), constants=False)

    def maximum(node: Maximum, x: ExactTensor) -> ExactTensor:
        return picked(node, x, arr.winners(node.stage, cells))

    try:
        result = program.interpret(start, Interpreter(through, pointwise, maximum))
    except InexactError:
        return None
    left, right = (x.reshape(len(result.digits), len(edges), -1) for x in result.digits.chunk(2, dim=1))
    different: np.ndarray = (left != right).any(0).any(1).numpy()
    return different
