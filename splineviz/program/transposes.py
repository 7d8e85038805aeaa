"""Transposes of affine nodes: rows of coefficients, taken from a node's result back to its inputs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from splineviz.program.nodes import Affine

__all__ = ["transposed"]


def transposed(node: Affine, rows: Tensor, shapes: Sequence[tuple[int, ...]]) -> list[Tensor]:
    """Rows (n, *output) times the linear part of a node: (n, *shape) for each of its inputs' shapes."""
    if node.matrix is not None:
        return [rows @ node.matrix]
    with torch.enable_grad():
        given = [torch.zeros(len(rows), *shape, dtype=torch.float64).requires_grad_() for shape in shapes]
        result = node.linear(*given)
        if not result.requires_grad:
            return [torch.zeros_like(x) for x in given]
        found = torch.autograd.grad(result, given, rows, allow_unused=True)
    return [torch.zeros_like(x) if part is None else part for x, part in zip(given, found, strict=True)]
