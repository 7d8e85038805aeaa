"""Sums of activations, and maps that scale and shift each entry by constants."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from splineviz.program.operations.base import Active, RefusedError, Step, operation
from splineviz.program.operations.layout import spread
from splineviz.program.program import Gain

__all__: list[str] = []

Number = Tensor | float


@operation("batch_norm")
def _batch_norm(step: Step) -> Active:
    if step["training"] or step.tensor("running_mean") is None:
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


@operation("add")
def _add(step: Step) -> Active:
    return _combine(step, 1.0, "self", float(step["alpha"]), "other")


@operation("sub", "subtract")
def _sub(step: Step) -> Active:
    return _combine(step, 1.0, "self", -float(step.arguments.get("alpha", 1)), "other")


@operation("rsub")
def _rsub(step: Step) -> Active:
    return _combine(step, -float(step["alpha"]), "self", 1.0, "other")


@operation("neg", "negative")
def _neg(step: Step) -> Active:
    x = step.active("self")
    return step.affine([x], step.shape, torch.neg, _gain(-1.0, 0.0, step.shape))


@operation("mul", "multiply")
def _mul(step: Step) -> Active:
    if isinstance(step.arguments["self"], Active) and isinstance(step.arguments["other"], Active):
        raise RefusedError("multiplies two activations, which is not piecewise affine")
    x, factor = ("self", "other") if isinstance(step.arguments["self"], Active) else ("other", "self")
    return _scale(step, step.active(x), step.constant(factor))


@operation("div", "divide", "true_divide")
def _div(step: Step) -> Active:
    if isinstance(step.arguments["other"], Active):
        raise RefusedError("divides by an activation, which is not piecewise affine")
    if step.arguments.get("rounding_mode") is not None:
        raise RefusedError("rounds, which is not continuous")
    divisor = step.constant("other")
    if not torch.as_tensor(divisor).all():
        inverse: Number = math.inf
    else:
        inverse = 1.0 / divisor
    x = spread(step, step.active("self"))
    # dividing by the divisor, not multiplying by its rounded inverse, is what the network says
    return step.affine([x], step.shape, lambda x: x / divisor, _gain(inverse, 0.0, step.shape))


def _combine(step: Step, p: float, left: str, q: float, right: str) -> Active:
    """p left + q right, where either may be constant."""
    a, b = step.arguments[left], step.arguments[right]
    if isinstance(a, Active) and isinstance(b, Active):
        return _sum(step, spread(step, a), p, spread(step, b), q)
    if isinstance(a, Active):
        return _shift(step, a, p, _times(step.constant(right), q))
    return _shift(step, step.active(right), q, _times(step.constant(left), p))


def _sum(step: Step, a: Active, p: float, b: Active, q: float) -> Active:
    if abs(p) != 1:
        a, p = _scale(step, a, p), 1.0
    if abs(q) != 1:
        b, q = _scale(step, b, q), 1.0
    if p == -1:
        a, p, b, q = b, q, a, p
    if p == -1:
        a, p = step.affine([a], step.shape, torch.neg, _gain(-1.0, 0.0, step.shape)), 1.0
    function: Callable[..., Tensor] = torch.add if q == 1 else torch.sub
    return step.affine([a, b], step.shape, function, Gain("sum", math.sqrt(2.0) * (1 + 1e-15), terms=2))


def _scale(step: Step, x: Active, factor: Number) -> Active:
    x = spread(step, x)
    return step.affine([x], step.shape, lambda x: x * factor, _gain(factor, 0.0, step.shape))


def _shift(step: Step, x: Active, factor: float, offset: Number) -> Active:
    """factor x + offset."""
    if abs(factor) != 1:
        return _scale_shift(step, x, factor, offset)
    x = spread(step, x)
    gain = _gain(factor, offset, step.shape)
    if factor == 1:
        return step.affine([x], step.shape, lambda x: x + offset, gain, lambda x: x)
    return step.affine([x], step.shape, lambda x: offset - x, gain, torch.neg)


def _scale_shift(step: Step, x: Active, factor: Number, offset: Number) -> Active:
    x = spread(step, x)
    gain = _gain(factor, offset, step.shape)
    if isinstance(factor, Tensor) and isinstance(offset, Tensor):
        return step.affine([x], step.shape, lambda x: torch.addcmul(offset, x, factor), gain, lambda x: x * factor)
    return step.affine([x], step.shape, lambda x: x * factor + offset, gain, lambda x: x * factor)


def _times(value: Number, factor: float) -> Number:
    return value if factor == 1 else value * factor


def _gain(factor: Number, offset: Number, shape: tuple[int, ...]) -> Gain:
    scale = torch.as_tensor(factor, dtype=torch.float64)
    constants = torch.as_tensor(offset, dtype=torch.float64).abs()
    norm = float(scale.abs().max()) if scale.numel() else 0.0
    rows, shifts = (value.expand(1, *shape).reshape(-1).numpy() for value in (scale.abs(), constants))
    return Gain("diagonal", norm, rows, shifts, 2)
