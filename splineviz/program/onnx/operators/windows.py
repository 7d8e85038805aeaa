"""Windows of convolutions and pools: strides, dilations, padding and its automatic forms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor
from torch.nn import functional

from splineviz.program.onnx.node import OnnxNode, RefusedNodeError

__all__ = ["Windows", "batch_of_maps", "padded", "windows_of"]


@dataclass(frozen=True)
class Windows:
    """Windows over the spatial axes; one number, or pair of numbers, for each of them."""

    lengths: tuple[int, ...]
    """Lengths of the axes of the tensor they lie on."""
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]
    """Entries of padding before and after."""
    ceil: bool

    @property
    def symmetric(self) -> bool:
        """Whether as much is added before as after, on every axis."""
        return all(before == after for before, after in self.pads)

    @property
    def before(self) -> tuple[int, ...]:
        """Entries of padding before each axis."""
        return tuple(before for before, _ in self.pads)

    def counts(self) -> tuple[int, ...]:
        """Number of windows along each axis."""
        return tuple(len(self.taps(axis)) for axis in range(len(self.kernel)))

    def taps(self, axis: int) -> np.ndarray:
        """(windows, kernel) the positions that each window reads; those of padding are negative, or not below
        the length."""
        n, k, s, d = (numbers[axis] for numbers in (self.lengths, self.kernel, self.stride, self.dilation))
        before, after = self.pads[axis]
        room = n + before + after - d * (k - 1) - 1
        count = (-(-room // s) if self.ceil else room // s) + 1
        if self.ceil and (count - 1) * s >= n + before:
            count -= 1  # a window that would start behind the last entry
        return np.arange(count)[:, None] * s - before + np.arange(k) * d


def windows_of(node: OnnxNode, kernel: tuple[int, ...]) -> Windows:
    """The windows that a node's attributes tell of."""
    lengths = node.shape()[2:]
    axes = len(kernel)
    stride = tuple(node.attribute("strides", [1] * axes))
    dilation = tuple(node.attribute("dilations", [1] * axes))
    auto = node.attribute("auto_pad", "NOTSET")
    pads = node.attribute("pads", [0] * (2 * axes)) if auto == "NOTSET" else [0] * (2 * axes)
    pairs = list(zip(pads[:axes], pads[axes:], strict=True))
    if auto.startswith("SAME"):
        for i, (n, k, s, d) in enumerate(zip(lengths, kernel, stride, dilation, strict=True)):
            total = max(0, ((n - 1) // s) * s + d * (k - 1) + 1 - n)
            half = total // 2
            pairs[i] = (half, total - half) if auto == "SAME_UPPER" else (total - half, half)
    return Windows(lengths, kernel, stride, dilation, tuple(pairs), bool(node.attribute("ceil_mode", 0)))


def batch_of_maps(node: OnnxNode) -> int:
    """Number of spatial axes of a tensor (1, channels, ...), which is held as one map of channels."""
    shape = node.shape()
    if len(shape) not in (3, 4, 5):
        raise RefusedNodeError(
            f"is supported on one to three spatial axes, not on a tensor of {len(shape)} axes"
        )
    if shape[0] != 1:
        raise RefusedNodeError(f"takes one input apart as a batch of {shape[0]}, which is not supported")
    return len(shape) - 2


def padded(x: Tensor, pads: tuple[tuple[int, int], ...]) -> Tensor:
    """Zeros before and after the last axes; negative numbers cut off."""
    return functional.pad(x, [n for pair in reversed(pads) for n in pair])
