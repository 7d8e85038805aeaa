"""Affine maps and maxima of images, and batch-norm, as rational matrices: written out entry by entry, with
their twins in torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tests.oracles.network import Linear, Maximum, linear, plain

__all__ = ["average_pool2d", "batch_norm", "conv2d", "max_pool2d", "normed"]

Shape = tuple[int, int, int]
"""Channels, rows, columns."""


class _OnMaps(nn.Module):
    def __init__(self, shape: Shape, module: nn.Module) -> None:
        super().__init__()
        self.shape, self.module = shape, module

    def extra_repr(self) -> str:
        return str(self.shape)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.module(x.reshape(-1, *self.shape)).flatten(1)
        return y


def _places(shape: Shape, size: int, stride: int, padding: int) -> list[list[tuple[int, int, int]]]:
    """For each place of a square window: row and column of the kernel and entry of one channel, -1 in the
    padding."""
    _, height, width = shape
    starts = (range(-padding, n + padding - size + 1, stride) for n in (height, width))
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


def conv2d(
    kernel: Sequence[Any], bias: Sequence[Any], shape: Shape, padding: int = 0, stride: int = 1
) -> Linear:
    """``kernel`` is nested: (out, in, size, size), of dyadic numbers."""
    weights = [[[[Fraction(w) for w in line] for line in plane] for plane in block] for block in kernel]
    size = len(weights[0][0])
    module = nn.Conv2d(shape[0], len(weights), size, stride, padding, dtype=torch.float64)
    with torch.no_grad():
        module.weight.copy_(
            torch.tensor(
                [[[[float(w) for w in li] for li in p] for p in b] for b in weights], dtype=torch.float64
            )
        )
        module.bias.copy_(torch.tensor([float(b) for b in bias], dtype=torch.float64))
    places = _places(shape, size, stride, padding)
    matrix = _matrix(shape, places, [lambda c, i, j, block=block: block[c][i][j] for block in weights])
    source = f"conv2d({kernel!r}, {bias!r}, {shape}, {padding}, {stride})"
    constants = tuple(Fraction(b) for b in bias for _ in places)
    return Linear(tuple(map(tuple, matrix)), constants, _OnMaps(shape, module), source)


def average_pool2d(shape: Shape, size: int, stride: int, padding: int = 0) -> Linear:
    """Division by size * size is exact; the padding counts as zeros."""
    share = Fraction(1, size * size)
    kernels = [lambda c, i, j, own=own: share if c == own else Fraction(0) for own in range(shape[0])]
    matrix = _matrix(shape, _places(shape, size, stride, padding), kernels)
    source = f"average_pool2d({shape}, {size}, {stride}, {padding})"
    return Linear(
        tuple(map(tuple, matrix)),
        (Fraction(0),) * len(matrix),
        _OnMaps(shape, nn.AvgPool2d(size, stride, padding)),
        source,
    )


def max_pool2d(shape: Shape, size: int, stride: int, padding: int = 0) -> Maximum:
    area = shape[1] * shape[2]
    windows = tuple(
        tuple(channel * area + entry if entry >= 0 else -1 for _, _, entry in place)
        for channel in range(shape[0])
        for place in _places(shape, size, stride, padding)
    )
    module = _OnMaps(shape, nn.MaxPool2d(size, stride, padding))
    return Maximum(windows, module, f"max_pool2d({shape}, {size}, {stride}, {padding})")


def normed(gamma: Sequence[Any], beta: Sequence[Any], mean: Sequence[Any], variance: Sequence[Any]) -> Linear:
    """A batch-norm in eval mode, from its four rows of numbers."""
    module = nn.BatchNorm1d(len(gamma), dtype=torch.float64)
    with torch.no_grad():
        for into, row in zip(
            (module.weight, module.bias, module.running_mean, module.running_var),
            (gamma, beta, mean, variance),
            strict=True,
        ):
            into.copy_(torch.tensor([float(x) for x in row], dtype=torch.float64))
    found = batch_norm(module)
    return Linear(found.weight, found.bias, module, f"normed({gamma!r}, {beta!r}, {mean!r}, {variance!r})")


def batch_norm(module: nn.BatchNorm1d) -> Linear:
    """Reduced once to float64 coefficients, each operation rounded; these numbers define the function."""
    assert module.running_mean is not None
    assert module.running_var is not None
    mean, var = module.running_mean.double().numpy(), module.running_var.double().numpy()
    gamma = plain(module.weight) if module.affine else np.ones_like(mean)
    beta = plain(module.bias) if module.affine else np.zeros_like(mean)
    scale = gamma / np.sqrt(var + module.eps)
    return linear(np.diag(scale), beta - mean * scale)
