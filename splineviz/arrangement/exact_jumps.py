"""Whether the function bends at an edge, in exact arithmetic: its derivatives on both sides in a direction
across the edge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.slopes import propagate
from splineviz.exact.digits import ExactTensor, InexactError, split
from splineviz.exact.forward import affine, work
from splineviz.program.program import Affine, Maximum, Pointwise, Program

__all__ = ["bends"]

_LIMIT = 1e9
"""Edges, times the products of two numbers that one derivative takes"""


def bends(arr: Cells, program: Program, edges: np.ndarray, direction: Tensor) -> np.ndarray | None:
    """(n,) whether the function bends at inner edges, in directions of input space (n, *shape) that are not
    along them.

    Continuous, it has one derivative along an edge, so those across it tell whether the two affine maps are
    one. None where that cannot be told exactly, or takes too long.
    """
    if len(edges) * work(program) > _LIMIT:
        return None
    cells = arr.edge_cells[edges].T.reshape(-1)  # those on the left, then those on the right
    digits, exponent = split(torch.cat([direction, direction]))
    start = ExactTensor(digits, exponent, 1, torch.ones(1, len(cells), dtype=torch.float64))

    def through(node: Affine, values: Sequence[ExactTensor]) -> ExactTensor:
        return affine(node, values, constants=False)

    def pointwise(node: Pointwise, x: ExactTensor) -> ExactTensor:
        on = torch.from_numpy(np.ascontiguousarray(arr.pattern_bits(node.stage, cells)))
        on = on.reshape(len(cells), len(node.breakpoints), *node.shape)
        result = x.weighted(torch.mul, node.slopes[0], 1)
        for k in range(len(node.breakpoints)):
            result = x.weighted(torch.mul, node.slopes[k + 1], 1).where(on[:, k], result)
        return result

    def maximum(node: Maximum, x: ExactTensor) -> ExactTensor:
        winners = np.tile(arr.winners(node.stage, cells), (len(x.digits), 1))
        return x.map(lambda x: node.pick(x, winners))

    try:
        result = propagate(program, start, through, pointwise, maximum)
    except InexactError:
        return None
    left, right = (x.reshape(len(result.digits), len(edges), -1) for x in result.digits.chunk(2, dim=1))
    different: np.ndarray = (left != right).any(0).any(1).numpy()
    return different
