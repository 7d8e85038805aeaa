"""Entries that meet others at constant places: their sums, means and extremes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from splineviz.program.operations.base import Active, Constant, RefusedError, Step, operation
from splineviz.program.operations.elementwise import combined, divided
from splineviz.program.operations.layout import placed
from splineviz.program.operations.maxima import extreme_of_windows
from splineviz.program.operations.pooling import averaged

__all__ = ["added"]

_PLACES = "chooses places by the values of an activation"


@operation("index_add", "scatter_add", makes="sum diagonal dense")
def _added(step: Step) -> Active:
    return added(step, _source(step), _sums(step))


def added(step: Step, source: Active | Constant, place: Callable[[Tensor], Tensor]) -> Active:
    """The argument ``self``, with what ``place`` makes of the entries of another tensor, sums of them."""
    return combined(
        step, step.operand("self"), 1.0, _placed(step, source, place), float(step.arguments.get("alpha", 1))
    )


def _placed(step: Step, source: Active | Constant, place: Callable[[Tensor], Tensor]) -> Active | Constant:
    if isinstance(source, Active):
        return averaged(step, source, place, None)
    return Constant(place(source.value), per_batch=True)


@operation("scatter_reduce", "index_reduce", makes="sum diagonal dense stage layout")
def _reduced(step: Step) -> Active:
    """The sum, mean or extreme of all that meet at a place; without what was there before unless it is to be
    counted, or nothing meets there."""
    places, entries = _meeting(step)
    counts = torch.bincount(places, minlength=math.prod(step.shape))
    kept = counts == 0 if not step["include_self"] else torch.ones_like(counts, dtype=torch.bool)
    if step["reduce"] in ("amax", "amin"):
        return _extremes(step, places, entries, kept)
    if step["reduce"] not in ("sum", "mean"):
        raise RefusedError("multiplies activations, which is not piecewise affine")
    before, mask = step.arguments["self"], kept.reshape(step.shape)
    if isinstance(before, Active):
        before = placed(step, [before], lambda x: torch.where(mask, x, 0.0))
    else:
        before = Constant(before.value * mask)
    total = combined(step, before, 1.0, _placed(step, _source(step), _sums(step)), 1.0)
    if step["reduce"] == "sum":
        return total
    return divided(step, total, (counts + kept).clamp_min(1).reshape(step.shape).to(torch.float64))


def _meeting(step: Step) -> tuple[Tensor, Tensor]:
    """For each entry that is put somewhere, its place in the flattened result and its own in the source."""
    source = _source(step)
    shape = source.shape if isinstance(source, Active) else tuple(source.value.shape[1:])
    if isinstance(step.arguments["index"], Active):
        raise RefusedError(_PLACES)
    dim, index = int(step["dim"]) % (len(step.shape) + 1), step["index"]
    if dim == 0:
        raise RefusedError("mixes the inputs of the batch")
    result = torch.arange(math.prod(step.shape)).reshape(step.shape)
    own = torch.arange(math.prod(shape)).reshape(shape)
    if step.call.op.startswith("index"):
        return result.index_select(dim - 1, index).flatten(), own.flatten()
    if len(index) != 1:
        raise RefusedError("works for one number of inputs only")
    places = result[tuple(slice(n) if i != dim - 1 else slice(None) for i, n in enumerate(index.shape[1:]))]
    return places.gather(dim - 1, index[0]).flatten(), own[tuple(map(slice, index.shape[1:]))].flatten()


def _source(step: Step) -> Active | Constant:
    source: Active | Constant = step.arguments["src" if "src" in step.arguments else "source"]
    return source


def _sums(step: Step) -> Callable[[Tensor], Tensor]:
    """Sums of all entries that meet at a place."""
    (places, entries), shape, n = _meeting(step), step.shape, math.prod(step.shape)
    return lambda x: x.new_zeros(len(x), n).index_add(1, places, x.flatten(1)[:, entries]).reshape(-1, *shape)


def _extremes(step: Step, places: Tensor, entries: Tensor, kept: Tensor) -> Active:
    """Maxima over windows of what was there, if it counts, and of all that meet there."""
    n, order = len(kept), torch.argsort(places, stable=True).numpy()
    at, counts = places.numpy()[order], np.bincount(places.numpy(), minlength=n)
    windows = np.full((n, 1 + int(counts.max(initial=0))), -1)
    windows[:, 0] = np.where(kept.numpy(), np.arange(n), -1)
    windows[at, 1 + np.arange(len(at)) - (np.cumsum(counts) - counts)[at]] = n + entries.numpy()[order]
    source, before = _source(step), step.arguments["self"]
    length = n + math.prod(source.shape if isinstance(source, Active) else source.value.shape[1:])
    joined = placed(
        replace(step, shape=(length,)),
        [before, source],
        lambda x, y: torch.cat([x.flatten(1), y.flatten(1)], 1),
    )
    index, present = torch.from_numpy(windows.clip(0)), torch.from_numpy(windows >= 0)

    def largest(x: Tensor) -> Tensor:
        return torch.where(present, x[:, index], -torch.inf).amax(-1).reshape(-1, *step.shape)

    return extreme_of_windows(step, joined, largest, windows, step["reduce"] == "amin")
