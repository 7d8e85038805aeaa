"""Maxima of activations: pools, extremes over axes, of two activations, and bounds. With a constant a maximum
is a clamp."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from splineviz.program.operations.base import Active, RefusedError, Step, operation
from splineviz.program.operations.layout import spread
from splineviz.program.operations.pointwise import clamped
from splineviz.program.operations.pool_windows import on_axes, pool_axes, pool_positions
from splineviz.program.program import Gain

__all__ = ["extreme_of_windows", "over_axes", "values_only"]

_KINDS = (("max_pool", ""), ("max_pool", "_with_indices"), ("adaptive_max_pool", ""))
_NUMBERS = ("kernel_size", "stride", "padding", "dilation")
_PARTS = "gives the place of the largest value, which jumps"


@operation("maximum", "minimum", "fmax", "fmin", makes="stage layout diagonal")
def _extreme_of_two(step: Step) -> Active:
    return _of_two(step, "self", "other", "min" in step.call.op)


@operation("max", "min", makes="stage layout diagonal")
def _extreme(step: Step) -> Active:
    if "other" in step.arguments:
        return _extreme_of_two(step)
    if "dim" not in step.arguments:
        raise RefusedError("mixes the inputs of the batch")
    values_only(step)
    return over_axes(step, step.active("self"), [step["dim"]], step.call.op == "min")


@operation("amax", "amin", makes="stage diagonal")
def _extreme_over_axes(step: Step) -> Active:
    dims = step["dim"]
    return over_axes(
        step, step.active("self"), [dims] if isinstance(dims, int) else dims, step.call.op == "amin"
    )


@operation("clamp", "clip", makes="stage layout diagonal")
def _clamp(step: Step) -> Active:
    given = [name for name in ("min", "max") if step.arguments[name] is not None]
    if any(isinstance(step.arguments[name], Active) for name in given):
        x = step.active("self")
        for name in given:
            x = _bounded(step, x, name, name == "max")
        return x
    return clamped(
        step,
        step.active("self"),
        "clamp",
        *(step.constant(n) if n in given else None for n in ("min", "max")),
    )


@operation("clamp_min", "clamp_max", makes="stage layout diagonal")
def _clamp_one_side(step: Step) -> Active:
    name = step.call.op.removeprefix("clamp_")
    return _bounded(step, step.active("self"), name, name == "max")


_POOLS = [f"{kind}{axes}d{tail}" for axes in (1, 2, 3) for kind, tail in _KINDS]


@operation(*_POOLS, makes="stage")
def _pool(step: Step) -> Active:
    values_only(step)
    x, op = step.active("self"), step.call.op.removesuffix("_with_indices")
    axes = pool_axes(op)
    if op.startswith("adaptive"):
        run = _call(x, op, list(step["output_size"]))
    else:
        kernel, stride, padding, dilation = (on_axes(axes, step[name]) for name in _NUMBERS)
        run = _call(x, op, kernel, stride or kernel, padding, dilation, step["ceil_mode"])
    near = pool_positions(op, step.__getitem__, x.shape[-axes:], step.shape[-axes:])
    return step.maximum(x, run, _boxes(x.shape, near), step.shape)


def values_only(step: Step) -> None:
    """Refuse the places, of an operation that returns values and their places."""
    if step.part is not None and step.part[1] not in (0, -2):
        raise RefusedError(_PARTS)


def _call(x: Active, op: str, *arguments: Any) -> Callable[[Tensor], Tensor]:
    function: Callable[..., Tensor] = getattr(functional, op)
    if len(x.shape) == pool_axes(op):  # torch takes the batch for channels, of which it wants at least one
        return lambda x: function(x.unsqueeze(1), *arguments).squeeze(1)
    return lambda x: function(x, *arguments)


def _of_two(step: Step, left: str, right: str, lower: bool) -> Active:
    if isinstance(step.arguments[left], Active):
        return _bounded(step, step.active(left), right, lower)
    return _bounded(step, step.active(right), left, lower)


def _bounded(step: Step, x: Active, name: str, lower: bool) -> Active:
    """The larger, or with ``lower`` the smaller, of ``x`` and an argument."""
    other = step.arguments[name]
    if isinstance(other, Active):
        return _larger(step, [x, other], lower)
    bound = step.constant(name)
    kind = "clamp" if step.call.op.startswith("cl") else step.call.op
    return clamped(step, x, kind, None if lower else bound, bound if lower else None)


def _larger(step: Step, operands: Sequence[Active], lower: bool) -> Active:
    """The entry-wise maximum of several activations, or the minimum."""
    wide = [spread(step, x) for x in operands]
    shape, n = (len(wide), *step.shape), math.prod(step.shape)
    joined = step.affine(wide, shape, lambda *xs: torch.stack(xs, 1), Gain("layout"))
    windows = np.arange(len(wide) * n).reshape(len(wide), n).T
    return extreme_of_windows(step, joined, lambda x: x.amax(1), windows, lower)


def over_axes(step: Step, x: Active, dims: Sequence[int], lower: bool) -> Active:
    """The largest, or with ``lower`` the smallest, entry of ``x`` along the axes of a call; all axes if none
    is given."""
    axes = len(x.shape) + 1
    dims = sorted(d % axes for d in dims or range(axes))
    if 0 in dims:
        raise RefusedError("mixes the inputs of the batch")
    keep = bool(step["keepdim"])
    entries = np.moveaxis(
        np.arange(math.prod(x.shape)).reshape(x.shape), [d - 1 for d in dims], range(-len(dims), 0)
    )
    windows = entries.reshape(-1, math.prod(x.shape[d - 1] for d in dims))
    return extreme_of_windows(step, x, lambda x: x.amax(dims, keep), windows, lower)


def extreme_of_windows(
    step: Step, x: Active, run: Callable[[Tensor], Tensor], windows: np.ndarray, lower: bool
) -> Active:
    """A minimum is the negative of the maximum of negatives."""
    if not lower:
        return step.maximum(x, run, windows, step.shape)
    return step.negative(step.maximum(step.negative(x), run, windows, step.shape))


def _boxes(shape: tuple[int, ...], near: Sequence[np.ndarray]) -> np.ndarray:
    """(W, k) entries of a tensor of that shape in the windows that the positions along its last axes span."""
    lead = math.prod(shape[: len(shape) - len(near)])
    entries = np.arange(lead).reshape(lead, 1)
    for positions, size in zip(near, shape[len(shape) - len(near) :], strict=True):
        # (windows so far, 1, candidates so far, 1) with (1, outputs, 1, candidates along this axis)
        before, along = entries[:, None, :, None], positions[None, :, None, :]
        joined = np.where((before < 0) | (along < 0), -1, before * size + along)
        entries = joined.reshape(joined.shape[0] * joined.shape[1], -1)
    return entries
