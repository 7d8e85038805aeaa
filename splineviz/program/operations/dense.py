"""Linear layers, convolutions and matrix products with a constant."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from splineviz.program.operations.base import Active, RefusedError, Step, operation
from splineviz.program.program import Gain

__all__: list[str] = []

_SPECTRAL_LIMIT = 1024  # up to this many rows or columns the spectral norm takes a fraction of a second
_SQUARINGS = 6
_SLACK = 1 + 1e-6  # far above the rounding of the products and sums below


@operation("linear")
def _linear(step: Step) -> Active:
    x, weight, bias = step.active("input"), step.tensor("weight"), step.tensor("bias")
    assert weight is not None
    gain, linear = _matrix_gain(weight, bias, step.shape), functional.linear
    return step.affine([x], step.shape, lambda x: linear(x, weight, bias), gain, lambda x: linear(x, weight))


@operation("matmul", "mm", "mv")
def _matmul(step: Step) -> Active:
    other = next(name for name in ("other", "mat2", "vec") if name in step.arguments)
    if isinstance(step.arguments["self"], Active):
        return _times(step, step.active("self"), step.tensor(other), None)
    x, left = step.active(other), step.tensor("self")
    assert left is not None
    if left.dim() != 2 or len(x.shape) != 2:
        raise RefusedError("is supported with a constant on the left only for one constant matrix and one matrix per input")
    gain = _matrix_gain(left, None, (step.shape[1], step.shape[0]))
    rows = gain.rows
    assert rows is not None
    by_row = np.ascontiguousarray(rows.reshape(step.shape[1], step.shape[0]).T).ravel()
    return step.affine([x], step.shape, lambda x: torch.matmul(left, x), Gain("dense", gain.norm, by_row, None, gain.terms))


@operation("addmm")
def _addmm(step: Step) -> Active:
    beta, alpha = float(step["beta"]), float(step["alpha"])
    bias, right = step.tensor("self"), step.tensor("mat2")
    assert bias is not None
    assert right is not None
    return _times(step, step.active("mat1"), right * alpha, bias * beta)


def _times(step: Step, x: Active, right: Tensor | None, bias: Tensor | None) -> Active:
    """x @ right + bias."""
    assert right is not None
    if right.dim() > 2:
        raise RefusedError("is supported only with one constant matrix or vector")
    matrix = right if right.dim() == 2 else right[:, None]
    weight = matrix.T.contiguous()
    if bias is not None and bias.dim() > 1:
        if bias.shape[0] != 1:
            raise RefusedError("adds a matrix with one row per input")
        bias = bias[0]
    if bias is not None:
        bias = bias.expand(weight.shape[0]).contiguous()
    gain = _matrix_gain(weight, bias, step.shape if right.dim() == 2 else (*step.shape, 1))
    if right.dim() == 1:
        return step.affine([x], step.shape, lambda x: torch.matmul(x, right), gain)
    linear = functional.linear
    return step.affine([x], step.shape, lambda x: linear(x, weight, bias), gain, lambda x: linear(x, weight))


@operation("conv1d", "conv2d", "conv3d")
def _convolution(step: Step) -> Active:
    x, kernel, bias = step.active("input"), step.tensor("weight"), step.tensor("bias")
    assert kernel is not None
    function: Callable[..., Tensor] = getattr(functional, step.call.op)
    stride, padding, dilation, groups = (step[name] for name in ("stride", "padding", "dilation", "groups"))
    if len(x.shape) != kernel.dim() - 1:
        raise RefusedError("treats the inputs of the batch as channels")

    def run(x: Tensor) -> Tensor:
        return function(x, kernel, bias, stride, padding, dilation, groups)

    def linear(x: Tensor) -> Tensor:
        return function(x, kernel, None, stride, padding, dilation, groups)

    taps = kernel.abs().flatten(2).sum(2)
    by_input = taps.reshape(groups, -1, taps.shape[1]).sum(1)
    norm = math.sqrt(float(taps.sum(1).max()) * float(by_input.max())) * _SLACK
    pixels = math.prod(step.shape[1:])
    rows = kernel.square().flatten(1).sum(1).sqrt().repeat_interleave(pixels).numpy()
    constants = None if bias is None else bias.abs().repeat_interleave(pixels).numpy()
    return step.affine([x], step.shape, run, Gain("dense", norm, rows, constants, kernel[0].numel() + 1), linear)


def _matrix_gain(weight: Tensor, bias: Tensor | None, shape: tuple[int, ...]) -> Gain:
    """Gain of x -> x weight' + bias on the last axis."""
    squares = weight.square().sum(1)
    bounds = [math.sqrt(float(squares.sum()))]
    if weight.numel() and math.isfinite(bounds[0]):
        absolute = weight.abs()
        bounds.append(math.sqrt(float(absolute.sum(0).max()) * float(absolute.sum(1).max())))
        if min(weight.shape) <= _SPECTRAL_LIMIT:
            gram = weight @ weight.T if weight.shape[0] <= weight.shape[1] else weight.T @ weight
            bounds.append(math.sqrt(_largest_eigenvalue(gram)))
    rows = squares.sqrt().expand(shape).reshape(-1).numpy()
    constants = None if bias is None else bias.abs().expand(shape).reshape(-1).numpy()
    return Gain("dense", min(bounds) * _SLACK, rows, constants, weight.shape[1] + 1)


def _largest_eigenvalue(gram: Tensor) -> float:
    """At least the largest eigenvalue of a positive semidefinite matrix G, (n, n), and at most n^(1/128) times it: |G^64|^(1/64).

    An eigenvalue routine waits for all its threads after every column, which on a busy machine takes seconds.
    """
    logarithm, power = 0.0, gram
    for k in range(_SQUARINGS + 1):
        size = float(torch.linalg.vector_norm(power))
        if size == 0.0:
            return 0.0
        logarithm += math.log(size) / 2**k
        power = power / size
        if k < _SQUARINGS:
            power = power @ power
    return math.exp(logarithm)
