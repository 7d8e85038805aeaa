"""Sums of activations, and maps that scale and shift each entry by constants."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from splineviz.program.operations.base import PRODUCT, Active, Constant, RefusedError, Step, operation
from splineviz.program.operations.layout import placed, spread
from splineviz.program.program import Affine, Form, Gain

__all__ = ["combined", "divided", "scaled"]

Number = Tensor | float

_QUOTIENT = "divides by an activation, which is not piecewise affine; divide by a constant"


@operation(
    "batch_norm",
    "native_batch_norm",
    "_native_batch_norm_legit",
    "_native_batch_norm_legit_no_training",
    makes="diagonal",
)
def _batch_norm(step: Step) -> Active:
    """(x - mean) weight / sqrt(variance + eps) + bias; some return the statistics, too."""
    if step.part is not None and step.part[1] not in (0, -3):
        raise RefusedError("is supported only where its statistics are not read")
    if step.arguments.get("training") or step.tensor("running_mean") is None:
        raise RefusedError("normalises by the statistics of the batch it is in (track_running_stats=False)")
    x, mean, variance = step.active("input"), step.tensor("running_mean"), step.tensor("running_var")
    weight, bias = step.tensor("weight"), step.tensor("bias")
    assert mean is not None
    assert variance is not None
    deviation = torch.sqrt(variance + step["eps"])
    scale = (torch.ones_like(deviation) if weight is None else weight) / deviation
    product = mean * scale
    shift = (torch.zeros_like(product) if bias is None else bias) - product
    channels = (-1, *(1,) * (len(x.shape) - 1))
    return _scale_shift(step, x, scale.reshape(channels), shift.reshape(channels))


@operation("add", makes="sum diagonal")
def _add(step: Step) -> Active:
    return combined(step, step.operand("self"), 1.0, step.operand("other"), float(step["alpha"]))


@operation("sub", "subtract", makes="sum diagonal")
def _sub(step: Step) -> Active:
    return combined(
        step, step.operand("self"), 1.0, step.operand("other"), -float(step.arguments.get("alpha", 1))
    )


@operation("rsub", makes="sum diagonal")
def _rsub(step: Step) -> Active:
    return combined(step, step.operand("self"), -float(step["alpha"]), step.operand("other"), 1.0)


@operation("lerp", makes="sum diagonal")
def _lerp(step: Step) -> Active:
    """start + weight (end - start)."""
    start, end = step.operand("self"), step.operand("end")
    weight = step.operand("weight")
    if isinstance(weight, Active):
        raise RefusedError(PRODUCT)
    return combined(step, start, 1.0, scaled(step, combined(step, end, 1.0, start, -1.0), weight.value), 1.0)


@operation("addcmul", makes="sum diagonal")
def _add_product(step: Step) -> Active:
    """self + value tensor1 tensor2."""
    first, second = step.operand("tensor1"), step.operand("tensor2")
    if isinstance(first, Active) and isinstance(second, Active):
        raise RefusedError(PRODUCT)
    if isinstance(first, Constant) and isinstance(second, Constant):
        product: Active | Constant = Constant(first.value * second.value)
    else:
        x, factor = (first, second) if isinstance(first, Active) else (second, first)
        assert isinstance(x, Active)
        assert isinstance(factor, Constant)
        product = scaled(step, x, factor.value)
    return combined(step, step.operand("self"), 1.0, product, float(step["value"]))


@operation("addcdiv", makes="sum diagonal")
def _add_quotient(step: Step) -> Active:
    """self + value tensor1 / tensor2."""
    if isinstance(step.arguments["tensor2"], Active):
        raise RefusedError(_QUOTIENT)
    dividend, divisor = step.operand("tensor1"), step.constant("tensor2")
    quotient = (
        divided(step, dividend, divisor)
        if isinstance(dividend, Active)
        else Constant(dividend.value / divisor)
    )
    return combined(step, step.operand("self"), 1.0, quotient, float(step["value"]))


@operation("neg", "negative", "_neg_view", makes="diagonal")
def _neg(step: Step) -> Active:
    return step.negative(step.active("self"))


@operation("mul", "multiply", makes="diagonal")
def _mul(step: Step) -> Active:
    if isinstance(step.arguments["self"], Active) and isinstance(step.arguments["other"], Active):
        raise RefusedError(PRODUCT)
    x, factor = ("self", "other") if isinstance(step.arguments["self"], Active) else ("other", "self")
    return scaled(step, step.active(x), step.constant(factor))


@operation("div", "divide", "true_divide", makes="diagonal")
def _div(step: Step) -> Active:
    if isinstance(step.arguments["other"], Active):
        raise RefusedError(_QUOTIENT)
    if step.arguments.get("rounding_mode") is not None:
        raise RefusedError("rounds, which is not continuous")
    return divided(step, step.active("self"), step.constant("other"))


def divided(step: Step, x: Active, divisor: Number) -> Active:
    inverse: Number = 1.0 / divisor if torch.as_tensor(divisor).all() else math.inf
    x = spread(step, x)
    # dividing by the divisor, not multiplying by its rounded inverse, is what the network says
    form = Form(torch.mul, _number(1.0), divisors=_number(divisor))
    return step.affine([x], step.shape, lambda x: x / divisor, _gain(inverse, 0.0, step.shape), form=form)


def combined(step: Step, a: Active | Constant, p: float, b: Active | Constant, q: float) -> Active:
    """p a + q b, where either may be constant."""
    if isinstance(a, Active) and isinstance(b, Active):
        return _sum(step, spread(step, a), p, spread(step, b), q)
    if isinstance(a, Constant):
        a, p, b, q = b, q, a, p
    assert isinstance(a, Active)
    assert isinstance(b, Constant)
    shift = _times(b.value, q)
    offset = _number(shift)
    if not bool(offset.isinf().any()):
        return _shift(step, a, p, shift)
    # What is infinite whatever the input, a mask, is put in its place.
    finite = _shift(step, a, p, torch.where(offset.isinf(), 0.0, offset))
    return placed(step, [finite, Constant(offset)], lambda x, c: torch.where(c.isinf(), c, x))


def _sum(step: Step, a: Active, p: float, b: Active, q: float) -> Active:
    if abs(p) != 1:
        a, p = scaled(step, a, p), 1.0
    if abs(q) != 1:
        b, q = scaled(step, b, q), 1.0
    if p == -1:
        a, p, b, q = b, q, a, p
    if p == -1:
        a, p = step.negative(a), 1.0
    function: Callable[..., Tensor] = torch.add if q == 1 else torch.sub
    return step.affine([a, b], step.shape, function, Gain("sum", math.sqrt(2.0) * (1 + 1e-15), terms=2))


def scaled(step: Step, x: Active, factor: Number) -> Active:
    """An activation times constants."""
    x = spread(step, x)
    gain = _behind(step, x, factor, _gain(factor, 0.0, step.shape))
    return step.affine([x], step.shape, lambda x: x * factor, gain, form=_form(factor))


def _shift(step: Step, x: Active, factor: float, offset: Number) -> Active:
    """factor x + offset."""
    if abs(factor) != 1:
        return _scale_shift(step, x, factor, offset)
    x = spread(step, x)
    gain = _gain(factor, offset, step.shape)
    if factor == 1:
        return step.affine([x], step.shape, lambda x: x + offset, gain, lambda x: x, _form(factor, offset))
    return step.affine([x], step.shape, lambda x: offset - x, gain, torch.neg, _form(factor, offset))


def _scale_shift(step: Step, x: Active, factor: Number, offset: Number) -> Active:
    x = spread(step, x)
    gain, form = _behind(step, x, factor, _gain(factor, offset, step.shape)), _form(factor, offset)
    if isinstance(factor, Tensor) and isinstance(offset, Tensor):
        # Each of the two is rounded once, wherever an entry stands; what addcmul does depends on that.
        return step.affine(
            [x], step.shape, lambda x: (x * factor).add_(offset), gain, lambda x: x * factor, form
        )
    return step.affine([x], step.shape, lambda x: x * factor + offset, gain, lambda x: x * factor, form)


def _form(factor: Number, offset: Number = 0.0) -> Form:
    return Form(torch.mul, _number(factor), _number(offset))


def _number(value: Number) -> Tensor:
    return torch.as_tensor(value, dtype=torch.float64)


def _times(value: Number, factor: float) -> Number:
    return value if factor == 1 else value * factor


def _behind(step: Step, x: Active, factor: Number, gain: Gain) -> Gain:
    """The gain of a map that scales ``x``, and of it together with the one that makes ``x``."""
    before = step.builder.made(x.slot)
    uneven = isinstance(factor, Tensor) and factor.numel() > 1
    if not uneven or not isinstance(before, Affine) or before.gain.scaled_norm is None:
        return gain
    return replace(gain, joint_norm=before.gain.scaled_norm(_number(factor)))


def _gain(factor: Number, offset: Number, shape: tuple[int, ...]) -> Gain:
    scale, constants = _number(factor), _number(offset).abs()
    norm = float(scale.abs().max()) if scale.numel() else 0.0
    rows, shifts = (value.expand(1, *shape).reshape(-1).numpy() for value in (scale.abs(), constants))
    return Gain("diagonal", norm, rows, shifts, 2, norm)
