"""Windows of pools: the positions along each axis that an output is taken from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Int64

__all__ = ["on_axes", "pool_axes", "pool_positions"]


def on_axes(axes: int, value: int | Sequence[int]) -> tuple[int, ...]:
    """Numbers, one per axis; an empty list stays empty."""
    numbers = [value] if isinstance(value, int) else value
    return tuple(numbers) * (axes if len(numbers) == 1 else 1)


def pool_axes(op: str) -> int:
    """Number of axes that a pool slides along, from the name of its operation."""
    return int(op.removesuffix("_with_indices")[-2])


def pool_positions(
    op: str, argument: Callable[[str], Any], sizes: Sequence[int], outputs: Sequence[int]
) -> list[Int64[np.ndarray, "output place"]]:
    """Positions (outputs, places) in the windows of a max-pool, along each of its axes; -1 for none.

    ``argument`` gives the operation's arguments by name; ``sizes`` and ``outputs`` are the lengths of the
    axes before and after.
    """
    if op.startswith("adaptive"):
        return [_adaptive(n, m) for n, m in zip(sizes, outputs, strict=True)]
    axes = len(sizes)
    kernel, padding, dilation = (
        on_axes(axes, argument(name)) for name in ("kernel_size", "padding", "dilation")
    )
    stride = on_axes(axes, argument("stride")) or kernel
    return [_strided(*row) for row in zip(sizes, outputs, kernel, stride, padding, dilation, strict=True)]


def _strided(size: int, outputs: int, kernel: int, stride: int, padding: int, dilation: int) -> np.ndarray:
    at = np.arange(outputs)[:, None] * stride - padding + np.arange(kernel) * dilation
    return np.where((at >= 0) & (at < size), at, -1)


def _adaptive(size: int, outputs: int) -> np.ndarray:
    """Positions from floor(i size / outputs) to ceil((i + 1) size / outputs)."""
    first = np.arange(outputs) * size // outputs
    last = -(-(np.arange(outputs) + 1) * size // outputs)
    at = first[:, None] + np.arange((last - first).max())
    return np.where(at < last[:, None], at, -1)
