"""Linear layers, convolutions and matrix products with a constant."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from splineviz.program.operations.base import Active, RefusedError, Step, operation
from splineviz.program.operations.contraction import product
from splineviz.program.operations.elementwise import combined
from splineviz.program.operations.frequencies import convolution_norm, scaled_channels
from splineviz.program.operations.gains import coefficient_gain, matrix_gain, matrix_norm
from splineviz.program.operations.pool_windows import on_axes
from splineviz.program.operations.unfolding import unfolded, unfolded_transposed
from splineviz.program.program import Form

__all__ = ["weighted"]

_UNFOLDED = 1 << 19
"""Numbers that a convolution lays out at once: 4 MiB, which the allocator has warm. Fresh pages, 4 KiB each,
take several times as long as the product."""


@operation("linear", makes="dense")
def _linear(step: Step) -> Active:
    x, weight, bias = step.active("input"), step.tensor("weight"), step.tensor("bias")
    assert weight is not None
    return weighted(step, x, weight, bias)


@operation("matmul", "mm", "mv", "bmm", "linalg_matmul", makes="dense")
def _matmul(step: Step) -> Active:
    other = next(name for name in ("other", "mat2", "vec") if name in step.arguments)
    return _times(step, "self", other)


@operation("addmm", "addmv", "baddbmm", makes="dense sum diagonal")
def _add_product(step: Step) -> Active:
    """beta self + alpha (left @ right)."""
    left, right = next(
        pair for pair in (("mat1", "mat2"), ("mat", "vec"), ("batch1", "batch2")) if pair[0] in step.arguments
    )
    beta, alpha, bias = float(step["beta"]), float(step["alpha"]), step.arguments["self"]
    if step.call.op == "addmm" and isinstance(step.arguments[left], Active) and not isinstance(bias, Active):
        weight, shift = step.tensor(right), step.tensor("self")
        assert weight is not None
        assert shift is not None
        if shift.dim() > 1 and shift.shape[0] != 1:
            raise RefusedError("adds a matrix with one row per input")
        shift = (shift * beta).reshape(-1).expand(weight.shape[1]).contiguous()
        return weighted(step, step.active(left), (weight * alpha).T.contiguous(), shift)
    return combined(step, step.operand("self"), beta, _times(step, left, right), alpha)


@operation("bilinear", makes="dense")
def _bilinear(step: Step) -> Active:
    """Lower a bilinear map, which is a linear layer with one argument constant."""
    weight, bias = step.tensor("weight"), step.tensor("bias")
    assert weight is not None
    if isinstance(step.arguments["input1"], Active):
        x, fixed, equation = step.active("input1"), step.tensor("input2"), "oij,j->oi"
    else:
        x, fixed, equation = step.active("input2"), step.tensor("input1"), "oij,i->oj"
    assert fixed is not None
    if fixed.numel() != fixed.shape[-1]:
        raise RefusedError("is supported only with one constant vector")
    return weighted(step, x, torch.einsum(equation, weight, fixed.reshape(-1)), bias)


def weighted(step: Step, x: Active, weight: Tensor, bias: Tensor | None) -> Active:
    gain, linear = matrix_gain(weight, bias, step.shape), functional.linear

    def scaled_norm(factors: Tensor) -> float:
        rows = factors.expand(1, *step.shape).reshape(-1, len(weight))
        return matrix_norm(weight * rows[0][:, None]) if bool((rows == rows[0]).all()) else math.inf

    gain = replace(gain, scaled_norm=scaled_norm)
    form = Form(linear, weight, bias)
    return step.affine(
        [x], step.shape, lambda x: linear(x, weight, bias), gain, lambda x: linear(x, weight), form, weight
    )


def _times(step: Step, left: str, right: str) -> Active:
    """left @ right, one of them constant."""
    if not isinstance(step.arguments[left], Active) or isinstance(step.arguments[right], Active):
        return product(step, left, right)
    x, matrix = step.active(left), step.tensor(right)
    assert matrix is not None
    if matrix.dim() == 1:
        gain = matrix_gain(matrix[None], None, (*x.shape[:-1], 1))
        return step.affine(
            [x], x.shape[:-1], lambda x: torch.matmul(x, matrix), gain, form=Form(torch.matmul, matrix)
        )
    return product(step, left, right) if matrix.dim() > 2 else weighted(step, x, matrix.T.contiguous(), None)


@operation("convolution", makes="dense")
def _any_convolution(step: Step) -> Active:
    return _transposed_convolution(step) if step["transposed"] else _convolution(step)


@operation("conv1d", "conv2d", "conv3d", makes="dense")
def _convolution(step: Step) -> Active:
    names = ("stride", "padding", "dilation", "groups")
    return _convolved(step, unfolded, [step[name] for name in names], transposed=False)


@operation("conv_transpose1d", "conv_transpose2d", "conv_transpose3d", makes="dense")
def _transposed_convolution(step: Step) -> Active:
    names = ("stride", "padding", "output_padding", "groups", "dilation")
    return _convolved(step, unfolded_transposed, [step[name] for name in names], transposed=True)


def _convolved(step: Step, by_products: Callable[..., Tensor], how: list[Any], *, transposed: bool) -> Active:
    """A convolution as torch has it, and ``by_products`` on devices and where products are our own."""
    x, kernel, bias = step.active("input"), step.tensor("weight"), step.tensor("bias")
    assert kernel is not None
    if len(x.shape) != kernel.dim() - 1:
        raise RefusedError("treats the inputs of the batch as channels")
    name = f"conv{'_transpose' * transposed}{kernel.dim() - 2}d"
    function: Callable[..., Tensor] = getattr(functional, name)
    constants = None if bias is None else bias.abs().repeat_interleave(math.prod(step.shape[1:])).numpy()
    # without groups in the second axis this counts all inputs of a transposed convolution, some groups too
    # many
    terms = kernel.numel() // kernel.shape[1 if transposed else 0] + 1

    # of what the library lays out for a product with the kernel, for one input
    unfolded_numbers = (terms - 1) * math.prod((x.shape if transposed else step.shape)[1:])
    rows = max(1, _UNFOLDED // max(1, unfolded_numbers))

    def convolve(x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
        if x.device.type != "cpu":
            return by_products(x, kernel, bias, *how)
        if len(x) <= rows:
            return function(x, kernel, bias, *how)
        result = x.new_empty(len(x), *step.shape)
        for first in range(0, len(x), rows):
            result[first : first + rows] = function(x[first : first + rows], kernel, bias, *how)
        return result

    def apply(x: Tensor, kernel: Tensor) -> Tensor:
        return convolve(x, kernel, None)

    gain, sizes = (
        coefficient_gain(apply, kernel, x.shape, constants, terms),
        (step.shape if transposed else x.shape)[1:],
    )
    axes, groups = on_axes(len(sizes), step["dilation"]), step["groups"]

    def scaled_norm(factors: Tensor) -> float:
        by_channel = factors.expand(1, *step.shape).reshape(step.shape[0], -1)
        if not bool((by_channel == by_channel[:, :1]).all()):
            return math.inf
        return convolution_norm(
            scaled_channels(kernel, by_channel[:, 0], groups, transposed=transposed), sizes, axes, groups
        )

    norm = convolution_norm(kernel, sizes, axes, groups)
    gain = replace(gain, norm=min(gain.norm, norm), scaled_norm=scaled_norm)
    form = Form(apply, kernel, None if bias is None else bias.reshape(-1, *(1,) * (len(step.shape) - 1)))
    return step.affine(
        [x],
        step.shape,
        lambda x: convolve(x, kernel, bias),
        gain,
        lambda x: apply(x, kernel),
        form,
        by_products=lambda x, multiply: by_products(x, kernel, bias, *how, multiply),
    )
