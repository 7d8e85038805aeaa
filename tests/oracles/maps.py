"""Affine maps and maxima of images, and batch-norm, as rational matrices: written out entry by entry, with
their twins in torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from tests.oracles.network import Linear, Maximum, linear, plain

__all__ = [
    "average_pool2d",
    "batch_norm",
    "channels_normed",
    "conv2d",
    "conv_transpose2d",
    "max_pool2d",
    "normed",
]

Shape = tuple[int, int, int]
"""Channels, rows, columns."""
_Norm = TypeVar("_Norm", nn.BatchNorm1d, nn.BatchNorm2d)


class _OnMaps(nn.Module):
    def __init__(self, shape: Shape, module: nn.Module, how: str = "") -> None:
        super().__init__()
        self.shape, self.module, self.how = shape, module, how

    def extra_repr(self) -> str:
        """Whatever tells two of one kind of module apart that the module's own line does not say."""
        return f"{self.shape} {self.how}"

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.module(x.reshape(-1, *self.shape)).flatten(1)
        return y


def _starts(n: int, size: int, stride: int, padding: int, ceil: bool) -> range:
    """Where windows begin along one axis. With ``ceil`` the last may reach beyond the padding, if it begins
    within the map or the padding before it."""
    count = (n + 2 * padding - size + (stride - 1 if ceil else 0)) // stride + 1
    if ceil and (count - 1) * stride >= n + padding:
        count -= 1
    return range(-padding, -padding + count * stride, stride)


def _places(
    shape: Shape, size: int, stride: int, padding: int, ceil: bool = False
) -> list[list[tuple[int, int, int]]]:
    """For each place of a square window: row and column of the kernel and entry of one channel, -1 in the
    padding and beyond it."""
    _, height, width = shape
    starts = (_starts(n, size, stride, padding, ceil) for n in (height, width))
    return [
        [
            (i, j, (top + i) * width + left + j if 0 <= top + i < height and 0 <= left + j < width else -1)
            for i, j in product(range(size), repeat=2)
        ]
        for top, left in product(*starts)
    ]


def _matrix(
    shape: Shape, places: list[list[tuple[int, int, int]]], kernels: Sequence[Callable[[int, int, int], Any]]
) -> list[list[Any]]:
    """A row for each kernel and place; a kernel tells the coefficient at channel, row, column."""
    area = shape[1] * shape[2]
    rows = []
    for kernel, place in product(kernels, places):
        row = [Fraction(0)] * (shape[0] * area)
        for channel, (i, j, entry) in product(range(shape[0]), place):
            if entry >= 0:
                row[channel * area + entry] += kernel(channel, i, j)
        rows.append(row)
    return rows


def _tensor(nested: Any) -> Tensor:
    """A float64 tensor of nested sequences of numbers."""
    return torch.from_numpy(np.array(nested, dtype=np.float64))


def conv2d(
    kernel: Sequence[Any], bias: Sequence[Any], shape: Shape, padding: int = 0, stride: int = 1
) -> Linear:
    """``kernel`` is nested: (out, in, size, size), of dyadic numbers."""
    weights = [[[[Fraction(w) for w in line] for line in plane] for plane in block] for block in kernel]
    size = len(weights[0][0])
    module = nn.Conv2d(shape[0], len(weights), size, stride, padding, dtype=torch.float64)
    with torch.no_grad():
        assert module.bias is not None
        module.weight.copy_(_tensor(weights))
        module.bias.copy_(_tensor(bias))
    places = _places(shape, size, stride, padding)
    matrix = _matrix(shape, places, [lambda c, i, j, block=block: block[c][i][j] for block in weights])
    source = f"conv2d({kernel!r}, {bias!r}, {shape}, {padding}, {stride})"
    constants = tuple(Fraction(b) for b in bias for _ in places)
    return Linear(tuple(map(tuple, matrix)), constants, _OnMaps(shape, module), source)


def conv_transpose2d(
    kernel: Sequence[Any], bias: Sequence[Any], shape: Shape, stride: int = 2, padding: int = 0
) -> Linear:
    """``kernel`` is nested: (in, out, size, size), of dyadic numbers. Entry (y, x) of the input adds the
    kernel at rows and columns from (stride y - padding, stride x - padding) on."""
    weights = [[[[Fraction(w) for w in line] for line in plane] for plane in block] for block in kernel]
    channels, size = len(weights[0]), len(weights[0][0])
    module = nn.ConvTranspose2d(shape[0], channels, size, stride, padding, dtype=torch.float64)
    with torch.no_grad():
        assert module.bias is not None
        module.weight.copy_(_tensor(weights))
        module.bias.copy_(_tensor(bias))
    height, width = ((n - 1) * stride - 2 * padding + size for n in shape[1:])
    matrix = [[Fraction(0)] * (shape[0] * shape[1] * shape[2]) for _ in range(channels * height * width)]
    taps = product(range(shape[0]), range(channels), range(shape[1]), range(shape[2]), *[range(size)] * 2)
    for c, out, y, x, i, j in taps:
        row, column = stride * y - padding + i, stride * x - padding + j
        if 0 <= row < height and 0 <= column < width:
            entry = (c * shape[1] + y) * shape[2] + x
            matrix[(out * height + row) * width + column][entry] += weights[c][out][i][j]
    constants = tuple(Fraction(b) for b in bias for _ in range(height * width))
    source = f"conv_transpose2d({kernel!r}, {bias!r}, {shape}, {stride}, {padding})"
    return Linear(tuple(map(tuple, matrix)), constants, _OnMaps(shape, module), source)


def average_pool2d(
    shape: Shape, size: int, stride: int, padding: int = 0, ceil: bool = False, count_pad: bool = True
) -> Linear:
    """Division by the number of places is exact. The padding counts as zeros or, without ``count_pad``, not at
    all; what lies beyond it never counts."""
    _, height, width = shape
    places = _places(shape, size, stride, padding, ceil)
    starts = list(product(*(_starts(n, size, stride, padding, ceil) for n in (height, width))))
    matrix = []
    for own in range(shape[0]):
        for (top, left), place in zip(starts, places, strict=True):
            entries = [entry for _, _, entry in place if entry >= 0]
            whole = (min(top + size, height + padding) - top) * (min(left + size, width + padding) - left)
            row = [Fraction(0)] * (shape[0] * height * width)
            for entry in entries:
                row[own * height * width + entry] = Fraction(1, whole if count_pad else len(entries))
            matrix.append(tuple(row))
    module = _OnMaps(shape, nn.AvgPool2d(size, stride, padding, ceil, count_pad), f"{ceil} {count_pad}")
    source = f"average_pool2d({shape}, {size}, {stride}, {padding}, {ceil}, {count_pad})"
    return Linear(tuple(matrix), (Fraction(0),) * len(matrix), module, source)


def max_pool2d(shape: Shape, size: int, stride: int, padding: int = 0, ceil: bool = False) -> Maximum:
    area = shape[1] * shape[2]
    windows = tuple(
        tuple(channel * area + entry if entry >= 0 else -1 for _, _, entry in place)
        for channel in range(shape[0])
        for place in _places(shape, size, stride, padding, ceil)
    )
    module = _OnMaps(shape, nn.MaxPool2d(size, stride, padding, ceil_mode=ceil))
    return Maximum(windows, module, f"max_pool2d({shape}, {size}, {stride}, {padding}, {ceil})")


def normed(gamma: Sequence[Any], beta: Sequence[Any], mean: Sequence[Any], variance: Sequence[Any]) -> Linear:
    """A batch-norm in eval mode, from its four rows of numbers."""
    module = _with_rows(nn.BatchNorm1d(len(gamma), dtype=torch.float64), gamma, beta, mean, variance)
    found = batch_norm(module)
    return Linear(found.weight, found.bias, module, f"normed({gamma!r}, {beta!r}, {mean!r}, {variance!r})")


def channels_normed(
    shape: Shape, gamma: Sequence[Any], beta: Sequence[Any], mean: Sequence[Any], variance: Sequence[Any]
) -> Linear:
    """A batch-norm of maps in eval mode: one scale and one shift for each channel."""
    module = _with_rows(nn.BatchNorm2d(shape[0], dtype=torch.float64), gamma, beta, mean, variance)
    found, area = batch_norm(module), shape[1] * shape[2]
    scales = [found.weight[channel][channel] for channel in range(shape[0]) for _ in range(area)]
    matrix = tuple(
        tuple(scale if i == j else Fraction(0) for j in range(len(scales))) for i, scale in enumerate(scales)
    )
    constants = tuple(shift for shift in found.bias for _ in range(area))
    source = f"channels_normed({shape}, {gamma!r}, {beta!r}, {mean!r}, {variance!r})"
    return Linear(matrix, constants, _OnMaps(shape, module), source)


def _with_rows(module: _Norm, *rows: Sequence[Any]) -> _Norm:
    with torch.no_grad():
        for into, row in zip(
            (module.weight, module.bias, module.running_mean, module.running_var), rows, strict=True
        ):
            assert into is not None
            into.copy_(_tensor(row))
    return module


def batch_norm(module: nn.BatchNorm1d | nn.BatchNorm2d) -> Linear:
    """Reduced once to float64 coefficients, each operation rounded; these numbers define the function."""
    assert module.running_mean is not None
    assert module.running_var is not None
    mean, var = module.running_mean.double().numpy(), module.running_var.double().numpy()
    gamma = plain(module.weight) if module.affine else np.ones_like(mean)
    beta = plain(module.bias) if module.affine else np.zeros_like(mean)
    scale = gamma / np.sqrt(var + module.eps)
    return linear(np.diag(scale), beta - mean * scale)
