"""Pools: the largest entry or the mean of windows, or of whole maps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from splineviz.program.onnx.node import Made, OnnxNode, RefusedNodeError, operator
from splineviz.program.onnx.operators.linear import along_axis
from splineviz.program.onnx.operators.windows import Windows, batch_of_maps, windows_of
from splineviz.program.refusal import why

__all__: list[str] = []


@operator("MaxPool")
def _max_pool(node: OnnxNode) -> Made:
    if sum(map(bool, node.proto.output)) > 1:
        raise RefusedNodeError("returns the places of the largest entries, too, which jump")
    axes, w = batch_of_maps(node), windows_of(node, tuple(node.attribute("kernel_shape")))
    function: Callable[..., Tensor] = (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d)[
        axes - 1
    ]
    if _torch_has(w):
        return Made(lambda x: function(x, w.kernel, w.stride, w.before, w.dilation, w.ceil), (axes + 2,))
    entries, counts = torch.from_numpy(_entries(w)), w.counts()
    # gathered: padding by any number would be one more candidate
    return Made(lambda x: x.flatten(2)[:, :, entries].amax(-1).reshape(*x.shape[:2], *counts), (axes + 2,))


@operator("AveragePool")
def _average_pool(node: OnnxNode) -> Made:
    axes, w = batch_of_maps(node), windows_of(node, tuple(node.attribute("kernel_shape")))
    include = bool(node.attribute("count_include_pad", 0))
    function: Callable[..., Tensor] = (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d)[
        axes - 1
    ]
    if _torch_has(w) and set(w.dilation) == {1}:
        return Made(lambda x: function(x, w.kernel, w.stride, w.before, w.ceil, include), (axes + 2,))
    matrices, size = [], torch.ones((), dtype=torch.float64)
    for axis in range(axes):
        matrix, counted = _sums(w, axis, include)
        matrices.append(matrix)
        size = size[..., None] * counted

    def run(x: Tensor) -> Tensor:
        for axis, matrix in enumerate(matrices):
            x = along_axis(x, axis + 2, matrix)
        return x / size.to(x.dtype)

    return Made(run, (axes + 2,))


@operator("LpPool")
def _sum_pool(node: OnnxNode) -> Made:
    """Sums of absolute values over windows."""
    _of_first_power(node)
    axes, w = batch_of_maps(node), windows_of(node, tuple(node.attribute("kernel_shape")))
    matrices = [_sums(w, axis, include=True)[0] for axis in range(axes)]

    def run(x: Tensor) -> Tensor:
        x = x.abs()
        for axis, matrix in enumerate(matrices):
            x = along_axis(x, axis + 2, matrix)
        return x

    return Made(run, (axes + 2,))


@operator("GlobalLpPool")
def _global_sum(node: OnnxNode) -> Made:
    _of_first_power(node)
    spatial = list(range(2, batch_of_maps(node) + 2))
    return Made(lambda x: x.abs().sum(spatial, keepdim=True), (len(node.shape()),))


def _of_first_power(node: OnnxNode) -> None:
    if node.attribute("p", 2) != 1:
        raise RefusedNodeError(why("lp_pool2d"))


@operator("GlobalAveragePool")
def _global_average(node: OnnxNode) -> Made:
    spatial = list(range(2, batch_of_maps(node) + 2))
    return Made(lambda x: x.mean(spatial, keepdim=True), (len(node.shape()),))


@operator("GlobalMaxPool")
def _global_max(node: OnnxNode) -> Made:
    spatial = list(range(2, batch_of_maps(node) + 2))
    return Made(lambda x: x.amax(spatial, keepdim=True), (len(node.shape()),))


def _torch_has(w: Windows) -> bool:
    """Whether torch's own pools have these windows."""
    return w.symmetric and all(2 * before <= k for before, k in zip(w.before, w.kernel, strict=True))


def _entries(w: Windows) -> np.ndarray:
    """(windows, kernel) flat indices of the entries in each window; padding repeats one of them."""
    flat = np.zeros((1, 1), np.int64)
    for axis, n in enumerate(w.lengths):
        taps = w.taps(axis)
        inside = (taps >= 0) & (taps < n)
        if not inside.any(1).all():
            raise RefusedNodeError("has windows that hold padding alone")
        first = np.take_along_axis(taps, inside.argmax(1)[:, None], 1)
        taps = np.where(inside, taps, first)
        flat = (flat[:, None, :, None] * n + taps[None, :, None, :]).reshape(len(flat) * len(taps), -1)
    return flat


def _sums(w: Windows, axis: int, include: bool) -> tuple[Tensor, Tensor]:
    """(windows, length) of 0 and 1, which sums each window along an axis, and the size of each."""
    taps, n, (before, after) = w.taps(axis), w.lengths[axis], w.pads[axis]
    matrix = (taps[:, :, None] == np.arange(n)).sum(1)
    counted = (taps >= -before) & (taps < n + after) if include else (taps >= 0) & (taps < n)
    return torch.from_numpy(matrix.astype(np.float64)), torch.from_numpy(counted.sum(1).astype(np.float64))
