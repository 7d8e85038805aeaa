"""Averages and sums over axes or windows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from splineviz.program.operations.base import Active, RefusedError, Step, operation
from splineviz.program.operations.gains import averaging_gain
from splineviz.program.operations.layout import axis
from splineviz.program.operations.pool_windows import on_axes, pool_axes
from splineviz.program.program import Form

__all__ = ["averaged"]


@operation("mean", "sum", "nansum", "nanmean", makes="dense")
def _reduce(step: Step) -> Active:
    x = step.active("self")
    axes = len(x.shape) + 1
    dims = sorted(
        d % axes for d in ([step["dim"]] if isinstance(step["dim"], int) else step["dim"] or range(axes))
    )
    if 0 in dims:
        raise RefusedError("mixes the inputs of the batch")
    keep, count = bool(step["keepdim"]), math.prod(x.shape[d - 1] for d in dims)
    average = "mean" in step.call.op
    function: Callable[..., Tensor] = torch.mean if average else torch.sum
    counts = torch.full((), float(count), dtype=torch.float64)
    return averaged(step, step.active("self"), lambda x: function(x, dims, keep), counts)


@operation("cumsum", makes="dense")
def _cumulative_sum(step: Step) -> Active:
    dim = axis(step)
    if dim == 0:
        raise RefusedError("mixes the inputs of the batch")
    return averaged(step, step.active("self"), lambda x: x.cumsum(dim), None)


@operation("col2im", makes="dense")
def _fold(step: Step) -> Active:
    """Overlapping patches summed into a map."""
    names = ("output_size", "kernel_size", "dilation", "padding", "stride")
    arguments = [step[name] for name in names]
    fold = torch.ops.aten.col2im
    return averaged(step, step.active("self"), lambda x: fold(x, *arguments), None)


@operation("avg_pool1d", "avg_pool2d", "avg_pool3d", makes="dense")
def _average_pool(step: Step) -> Active:
    axes = pool_axes(step.call.op)
    kernel, padding = (on_axes(axes, step[name]) for name in ("kernel_size", "padding"))
    stride = on_axes(axes, step["stride"]) or kernel
    divisor = step.arguments.get("divisor_override")
    arguments: list[Any] = [kernel, stride, padding, step["ceil_mode"], step["count_include_pad"]]
    arguments += [] if divisor is None else [divisor]
    function: Callable[..., Tensor] = getattr(functional, step.call.op)
    # with divisor 1 the pool of ones counts; one axis is seen as two, since only those pools take a divisor
    ones = torch.ones(1, 1, *(1,) * (axes == 1), *step.active("self").shape[-axes:], dtype=torch.float64)
    counting: Callable[..., Tensor] = functional.avg_pool3d if axes == 3 else functional.avg_pool2d
    window = [((fill,) * (axes == 1) + value) for fill, value in ((1, kernel), (1, stride), (0, padding))]
    counts = counting(ones, *window, step["ceil_mode"], True, 1).reshape(step.shape[-axes:])
    return averaged(step, step.active("self"), lambda x: function(x, *arguments), counts)


@operation(
    *(f"adaptive_avg_pool{axes}d" for axes in (1, 2, 3)),
    "_adaptive_avg_pool2d",
    "_adaptive_avg_pool3d",
    makes="dense",
)
def _adaptive_pool(step: Step) -> Active:
    axes = pool_axes(step.call.op)
    size, function = step["output_size"], getattr(functional, step.call.op.removeprefix("_"))
    counts = torch.ones((), dtype=torch.float64)
    for n, m in zip(step.active("self").shape[-axes:], step.shape[-axes:], strict=True):
        lengths = [-(-(i + 1) * n // m) - i * n // m for i in range(m)]
        counts = counts[..., None] * torch.tensor(lengths, dtype=torch.float64)
    return averaged(step, step.active("self"), lambda x: function(x, size), counts)


def averaged(step: Step, x: Active, run: Callable[[Tensor], Tensor], counts: Tensor | None) -> Active:
    """A node whose outputs are multiples of the sums of ``counts`` entries, or plain sums."""
    one, divisors = torch.ones((), dtype=torch.float64), None
    if counts is not None:
        # what a sum is divided by may be more than the number of its entries: padding counts, or what the
        # caller says
        averages = run(torch.ones(1, *x.shape, dtype=torch.float64))
        divisors = torch.where(averages != 0, counts / averages, 1.0).round()
    form = Form(
        lambda x, one: (run(x) if divisors is None else (run(x) * divisors).round()) * one,
        one,
        divisors=divisors,
    )
    return step.affine([x], step.shape, run, averaging_gain(run, x.shape, counts), form=form)
