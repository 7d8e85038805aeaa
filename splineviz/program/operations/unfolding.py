"""Convolutions as one matrix product: for devices, whose libraries have slow ones for float64 and some that
are no plain sums, and for products of our own."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from splineviz.program.operations.pool_windows import on_axes

__all__ = ["Multiply", "unfolded", "unfolded_transposed"]

Multiply = Callable[[Tensor, Tensor], Tensor]
"""Products (group, row, output) of rows (group, row, entry) with matrices (group, entry, output)."""


def unfolded(
    x: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    stride: int | list[int],
    padding: int | list[int] | str,
    dilation: int | list[int],
    groups: int,
    multiply: Multiply = torch.matmul,
) -> Tensor:
    """Convolve as `torch.nn.functional.conv1d`, ``conv2d`` or ``conv3d`` do with these arguments, ``x``
    (batch, channels, *sizes)."""
    sizes = tuple(kernel.shape[2:])
    n, axes = len(x), len(sizes)
    strides, dilations = on_axes(axes, stride), on_axes(axes, dilation)
    spans = [d * (k - 1) for d, k in zip(dilations, sizes, strict=True)]
    if isinstance(padding, str):
        pads = [(span // 2, span - span // 2) if padding == "same" else (0, 0) for span in spans]
    else:
        pads = [(p, p) for p in on_axes(axes, padding)]
    windows = _padded(x, pads)
    for axis in range(axes):
        windows = windows.unfold(2 + axis, spans[axis] + 1, strides[axis])[..., :: dilations[axis]]
    places = tuple(windows.shape[2 : 2 + axes])
    windows = windows.reshape(n, groups, x.shape[1] // groups, *windows.shape[2:]).movedim(
        (1, 2), (0, 2 + axes)
    )
    # (groups, batch, *places, channels, *sizes)
    rows = windows.reshape(groups, n * math.prod(places), math.prod(kernel.shape[1:]))
    result = multiply(rows, kernel.reshape(groups, len(kernel) // groups, -1).transpose(1, 2))
    result = (
        result.reshape(groups, n, *places, len(kernel) // groups)
        .movedim((0, -1), (1, 2))
        .reshape(n, len(kernel), *places)
    )
    return result if bias is None else result + bias.reshape(-1, *(1,) * axes)


def unfolded_transposed(
    x: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    stride: int | list[int],
    padding: int | list[int],
    output_padding: int | list[int],
    groups: int,
    dilation: int | list[int],
    multiply: Multiply = torch.matmul,
) -> Tensor:
    """Convolve as `torch.nn.functional.conv_transpose1d`, ``2d`` or ``3d`` do with these arguments.

    That is a convolution with the kernel turned round, of the input with zeros between its entries and round
    them.
    """
    sizes, n_in = kernel.shape[2:], kernel.shape[0] // groups
    axes = len(sizes)
    strides, dilations, paddings, extras = (
        on_axes(axes, v) for v in (stride, dilation, padding, output_padding)
    )
    spread = x.new_zeros(
        *x.shape[:2], *(s * (size - 1) + 1 for s, size in zip(strides, x.shape[2:], strict=True))
    )
    places = spread
    for axis, step in enumerate(strides):
        places = places[(slice(None),) * (2 + axis) + (slice(None, None, step),)]
    places.copy_(x)
    first = [d * (k - 1) - p for d, k, p in zip(dilations, sizes, paddings, strict=True)]
    padded = _padded(spread, [(f, f + extra) for f, extra in zip(first, extras, strict=True)])
    turned = kernel.reshape(groups, n_in, -1, *sizes).transpose(1, 2).flip(tuple(range(3, 3 + axes)))
    return unfolded(padded, turned.reshape(-1, n_in, *sizes), bias, 1, 0, dilation, groups, multiply)


def _padded(x: Tensor, pads: list[tuple[int, int]]) -> Tensor:
    """Put zeros before and after the entries of each of the last axes; torch counts these from the last
    one."""
    return functional.pad(x, [p for pair in reversed(pads) for p in pair])
