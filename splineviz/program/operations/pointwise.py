"""Continuous piecewise-affine functions of one entry: breakpoints, slopes, intercepts, and the function
itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from splineviz.program.operations.base import Active, Constant, RefusedError, Step, operation
from splineviz.program.operations.elementwise import combined, divided
from splineviz.program.operations.layout import moved, spread

__all__ = ["bent", "clamped"]

Number = Tensor | float


@operation("relu", makes="stage")
def _relu(step: Step) -> Active:
    return bent(step, step.active("self"), "relu", torch.relu, 0.0, 1.0)


@operation("leaky_relu", makes="stage")
def _leaky_relu(step: Step) -> Active:
    slope = float(step["negative_slope"])
    return bent(
        step, step.active("self"), "leaky_relu", lambda x: functional.leaky_relu(x, slope), slope, 1.0
    )


@operation("rrelu", "rrelu_with_noise_functional", makes="stage")
def _rrelu(step: Step) -> Active:
    if step["training"]:
        raise RefusedError("is random: it is called with training=True although the model is in eval mode")
    slope = (float(step["lower"]) + float(step["upper"])) / 2
    return bent(step, step.active("self"), "rrelu", lambda x: functional.leaky_relu(x, slope), slope, 1.0)


@operation("prelu", "_prelu_kernel", makes="stage")
def _prelu(step: Step) -> Active:
    x, weight = step.active("self"), step.tensor("weight")
    assert weight is not None
    slopes = weight.reshape(-1, *(1,) * (len(x.shape) - 1)) if x.shape else weight.reshape(())
    return bent(step, x, "prelu", lambda x: torch.prelu(x, weight.reshape(-1)), slopes, 1.0)


@operation("abs", "absolute", makes="stage")
def _abs(step: Step) -> Active:
    return bent(step, step.active("self"), "abs", torch.abs, -1.0, 1.0)


@operation("hardtanh", "relu6", makes="stage")
def _hardtanh(step: Step) -> Active:
    low, high = (0.0, 6.0) if step.call.op == "relu6" else (float(step["min_val"]), float(step["max_val"]))
    kind = "relu6" if (low, high) == (0.0, 6.0) else "hardtanh"
    return clamped(step, step.active("self"), kind, low, high)


@operation("hardsigmoid", makes="stage diagonal")
def _hardsigmoid(step: Step) -> Active:
    """A clamp, then (z + 3) / 6: so its pieces meet exactly, which those of slope fl(1/6) would not."""
    bounded = clamped(step, step.active("self"), "hardsigmoid", -3.0, 3.0)
    return divided(step, combined(step, bounded, 1.0, Constant(3.0), 1.0), 6.0)


@operation("softshrink", makes="stage")
def _softshrink(step: Step) -> Active:
    x, width = step.active("self"), float(step["lambd"])
    breakpoints, slopes, intercepts = (
        _stacked(x, v) for v in ([-width, width], [1.0, 0.0, 1.0], [width, 0.0, -width])
    )
    return step.pointwise(
        x, "softshrink", lambda z: functional.softshrink(z, width), breakpoints, slopes, intercepts
    )


@operation("threshold", makes="stage")
def _threshold(step: Step) -> Active:
    threshold, value = float(step["threshold"]), float(step["value"])
    if value != threshold:
        raise RefusedError(
            f"jumps from {value:g} to {threshold:g} at its threshold: it is continuous only with value = "
            f"threshold"
        )
    return clamped(step, step.active("self"), "threshold", threshold, None)


def bent(
    step: Step, x: Active, kind: str, run: Callable[[Tensor], Tensor], below: Number, above: Number
) -> Active:
    """One breakpoint at zero."""
    zero = _stacked(x, [0.0])
    return step.pointwise(x, kind, run, zero, _stacked(x, [below, above]), torch.cat([zero, zero]))


def clamped(step: Step, x: Active, kind: str, low: Number | None, high: Number | None) -> Active:
    """The identity between two bounds, either of which may be missing."""
    x = spread(step, x)
    low = None if _is(low, -math.inf) else low
    high = None if _is(high, math.inf) else high
    if low is not None and high is not None:
        # a lower bound above the upper one gives the constant ``high``
        plain = isinstance(low, float) and isinstance(high, float)
        low = min(low, high) if plain else torch.minimum(_entry(low, x), _entry(high, x))
    bounds = [bound for bound in (low, high) if bound is not None]
    if any(bool(torch.as_tensor(bound).isinf().any()) for bound in bounds):
        return _partly_clamped(step, x, kind, low, high)
    if not all(bool(torch.as_tensor(bound).isfinite().all()) for bound in bounds):
        raise RefusedError("has bounds that are not finite")
    if not bounds:
        return x
    slopes = [*([] if low is None else [0.0]), 1.0, *([] if high is None else [0.0])]
    intercepts = [*([] if low is None else [low]), 0.0, *([] if high is None else [high])]
    lower, upper = low, high
    if any(isinstance(bound, Tensor) for bound in bounds):
        lower, upper = (None if bound is None else _entry(bound, x) for bound in (low, high))
    clamp: Callable[..., Tensor] = torch.clamp
    return step.pointwise(
        x,
        kind,
        lambda z: clamp(z, lower, upper),
        _stacked(x, bounds),
        _stacked(x, slopes),
        _stacked(x, intercepts),
    )


def _partly_clamped(step: Step, x: Active, kind: str, low: Number | None, high: Number | None) -> Active:
    """A clamp whose bounds are infinite for some entries: of those that have both, one or the other."""
    lower, upper = (
        torch.full(x.shape, infinite) if bound is None else _entry(bound, x).expand(x.shape)
        for bound, infinite in ((low, -math.inf), (high, math.inf))
    )
    if bool((lower == math.inf).any() or (upper == -math.inf).any()):
        raise RefusedError("has bounds that leave nothing but infinity")
    places, parts = [], []
    for has_low, has_high in ((True, True), (True, False), (False, True)):
        place = ((lower.isfinite() == has_low) & (upper.isfinite() == has_high)).flatten().nonzero()[:, 0]
        if len(place):
            part = replace(step, shape=(len(place),))
            taken = _at(part, x, place)
            given = (
                lower.flatten()[place] if has_low else None,
                upper.flatten()[place] if has_high else None,
            )
            parts.append(clamped(part, taken, kind, *given))
            places.append(place)

    def joined(x: Tensor, *parts: Tensor) -> Tensor:
        result = x.flatten(1).clone()
        for place, part in zip(places, parts, strict=True):
            result[:, place] = part
        return result.reshape(x.shape)

    return moved(step, [x, *parts], joined)


def _at(step: Step, x: Active, place: Tensor) -> Active:
    return moved(step, [x], lambda x: x.flatten(1)[:, place])


def _is(bound: Number | None, value: float) -> bool:
    return isinstance(bound, float) and bound == value


def _entry(value: Number, x: Active) -> Tensor:
    """A constant as float64 that broadcasts against the shape of one input."""
    tensor = torch.as_tensor(value, dtype=torch.float64)
    if tensor.dim() > len(x.shape):
        if tensor.dim() > len(x.shape) + 1 or tensor.shape[0] != 1:
            raise RefusedError("has bounds of more axes than the activation")
        tensor = tensor[0]
    return tensor


def _stacked(x: Active, values: Sequence[Number]) -> Tensor:
    """The values side by side, each broadcastable against the shape of one input."""
    tensors = [_entry(value, x) for value in values]
    tensors = [t.reshape((1,) * (len(x.shape) - t.dim()) + tuple(t.shape)) for t in tensors]
    shape = np.broadcast_shapes(*(tuple(t.shape) for t in tensors))
    return torch.stack([t.expand(shape) for t in tensors])
