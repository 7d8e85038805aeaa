"""Convolutions as one matrix product, for devices: their libraries have slow ones for float64, and some that are no plain sums."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional

from splineviz.program.operations.pooling import on_axes

__all__ = ["unfolded"]


def unfolded(
    x: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    stride: int | list[int],
    padding: int | list[int] | str,
    dilation: int | list[int],
    groups: int,
) -> Tensor:
    """What `torch.nn.functional.conv1d`, ``conv2d`` or ``conv3d`` make of the same arguments, ``x`` (batch, channels, *sizes)."""
    sizes = tuple(kernel.shape[2:])
    n, axes = len(x), len(sizes)
    strides, dilations = on_axes(axes, stride), on_axes(axes, dilation)
    spans = [d * (k - 1) for d, k in zip(dilations, sizes, strict=True)]
    if isinstance(padding, str):
        pads = [(span // 2, span - span // 2) if padding == "same" else (0, 0) for span in spans]
    else:
        pads = [(p, p) for p in on_axes(axes, padding)]
    windows = functional.pad(x, [p for pair in reversed(pads) for p in pair])
    for axis in range(axes):
        windows = windows.unfold(2 + axis, spans[axis] + 1, strides[axis])[..., :: dilations[axis]]
    places = tuple(windows.shape[2 : 2 + axes])
    windows = windows.reshape(n, groups, -1, *windows.shape[2:]).movedim((1, 2), (0, 2 + axes))
    rows = windows.reshape(groups, n * math.prod(places), -1)  # from (groups, batch, *places, channels, *sizes)
    result: Tensor = rows @ kernel.reshape(groups, len(kernel) // groups, -1).transpose(1, 2)
    result = result.reshape(groups, n, *places, -1).movedim((0, -1), (1, 2)).reshape(n, len(kernel), *places)
    return result if bias is None else result + bias.reshape(-1, *(1,) * axes)
