"""A constant matrix along one axis."""

from __future__ import annotations

from torch import Tensor

__all__ = ["along_axis"]


def along_axis(x: Tensor, axis: int, matrix: Tensor) -> Tensor:
    """Replace the n entries along an axis by the m sums of (m, n) ``matrix``."""
    if axis == x.dim() - 1:
        return x @ matrix.to(x.dtype).t()
    return (x.transpose(axis, -1) @ matrix.to(x.dtype).t()).transpose(axis, -1)
