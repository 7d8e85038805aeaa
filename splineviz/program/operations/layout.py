"""Operations that reshape, cut and join tensors; and those that do nothing in eval mode."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from splineviz.program.operations.base import RESHAPES, Active, Constant, RefusedError, Rows, Step, operation
from splineviz.program.operations.gains import layout_norm
from splineviz.program.program import Gain

__all__ = ["axis", "indices", "moved", "placed", "spread"]

_END = 2**62  # the exporter writes "to the end" as the largest 64-bit integer


@operation("dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout", "native_dropout", makes="")
def _dropout(step: Step) -> Active:
    if step["train"] and step["p"] != 0:
        raise RefusedError("is random: it is called with training=True although the model is in eval mode")
    return step.active("input")


@operation(
    *"contiguous clone detach alias lift_fresh_copy positive resolve_conj resolve_neg "
    "requires_grad nan_to_num".split(),
    makes="",
)
def _nothing(step: Step) -> Active:
    return step.active("self")


@operation("to", "_to_copy", "type_as", makes="")
def _cast(step: Step) -> Active:
    dtype = step.arguments.get("dtype")
    other = step.arguments.get("other")
    if isinstance(other, Constant):
        dtype = other.value.dtype
    if dtype is not None and dtype not in (torch.float32, torch.float64):
        raise RefusedError(f"rounds to {str(dtype).removeprefix('torch.')}, which is not continuous")
    return step.active("self")


@operation(*RESHAPES, makes="layout")
def _reshape(step: Step) -> Active:
    x = step.active("self")
    if x.shape == step.shape:
        return x
    shape = (-1, *step.shape)
    return step.affine([x], step.shape, lambda x: x.reshape(shape), Gain("layout"))


@operation("slice", makes="layout")
def _slice(step: Step) -> Active:
    x, dim = step.active("self"), axis(step)
    begin, end, stride = step["start"], step["end"], step["step"]
    end = None if end is not None and end >= _END else end
    if dim == 0 and (begin in (None, 0) and end is None and stride == 1):
        return x
    if dim == 0:
        raise RefusedError("takes some inputs of the batch")
    if x.shape == step.shape:
        return x
    index = (*(slice(None),) * dim, slice(begin, end, stride))
    return step.affine([x], step.shape, lambda x: x[index], Gain("layout"))


@operation(
    *"split split_with_sizes unsafe_split unsafe_split_with_sizes chunk unsafe_chunk".split(),
    *"tensor_split hsplit dsplit unbind".split(),
    makes="layout",
)
def _part(step: Step) -> Active:
    """One result of an operation that returns several."""
    if step.part is None:
        raise RefusedError("is supported only where its parts are taken one by one")
    x, (call, which) = step.active("self"), step.part
    dim = {"hsplit": 1, "dsplit": 2}.get(step.call.op)
    dim = axis(step) if dim is None else dim
    which %= len(call.parts)
    if dim == 0:
        raise RefusedError("takes some inputs of the batch")
    if step.call.op == "unbind":
        return step.affine([x], step.shape, lambda x: x.select(dim, which), Gain("layout"))
    length = step.shape[dim - 1]
    begin = sum(shape[dim - 1] for shape in call.parts[:which])
    return step.affine([x], step.shape, lambda x: x.narrow(dim, begin, length), Gain("layout"))


@operation("index", "_unsafe_index", makes="layout")
def _index(step: Step) -> Active:
    if any(isinstance(i, Active) for i in step["indices"]):
        raise RefusedError("chooses entries by the values of an activation")
    index = indices(step)
    return moved(step, [step.active("self")], lambda x: x[index(len(x))])


@operation("expand", "expand_as", "broadcast_to", makes="layout")
def _expand(step: Step) -> Active | Constant:
    return _widened(step, step.arguments["self"])


@operation("broadcast_tensors", makes="layout")
def _broadcast(step: Step) -> Active | Constant:
    """One of several tensors, in the shape of all."""
    if step.part is None:
        raise RefusedError("is supported only where its parts are taken one by one")
    return _widened(step, step.arguments["tensors"][step.part[1]])


def _widened(step: Step, x: Active | Constant) -> Active | Constant:
    if isinstance(x, Active):
        return spread(step, x)
    return Constant(x.value.expand(1, *step.shape), per_batch=True)


@operation("pad", "constant_pad_nd", makes="layout")
def _pad(step: Step) -> Active:
    x, pad = step.active("self"), list(step["pad"])
    mode = step.arguments.get("mode", "constant")
    while mode == "constant" and pad[-2:] == [0, 0]:
        pad = pad[:-2]
    if len(pad) > 2 * len(x.shape):
        raise RefusedError("pads the batch")
    if mode != "constant":
        return moved(step, [x], lambda x: functional.pad(x, pad, mode))
    value = float(step["value"] or 0.0)
    return moved(step, [x], lambda x: functional.pad(x, pad, value=value), lambda x: functional.pad(x, pad))


@operation("cat", "concat", "concatenate", "stack", "hstack", "dstack", "column_stack", makes="layout")
def _join(step: Step) -> Active:
    items = [
        item
        for item in step.arguments["tensors"]
        if not (isinstance(item, Constant) and item.value.shape == (0,))
    ]
    inputs = [item for item in items if isinstance(item, Active)]
    stacking = step.call.op == "stack" or (step.call.op == "column_stack" and not inputs[0].shape)
    dim = step.arguments.get("dim", 2 if step.call.op == "dstack" else 1) % (len(step.shape) + 1)
    if dim == 0:
        raise RefusedError("joins along the batch")
    join: Callable[[Any, int], Tensor] = torch.stack if stacking else torch.cat
    if any(isinstance(item, Constant) and not item.per_batch for item in items):
        raise RefusedError("joins a constant that has no batch axis")
    return placed(step, items, lambda *tensors: join(tensors, dim))


def indices(step: Step) -> Callable[[int], tuple[slice | Tensor, ...]]:
    """Constant indices of each axis, for any number of inputs."""
    first, *others = step["indices"]
    if isinstance(first, Constant) or (isinstance(first, Rows) and not first.are_numbered):
        raise RefusedError("takes some inputs of the batch")
    rest = [slice(None) if i is None else i.value for i in others]
    if first is None:
        return lambda count: (slice(None), *rest)
    return lambda count: (first.numbers(count), *rest)


def axis(step: Step) -> int:
    """The argument ``dim`` of a call on ``self``, counted from the front, the batch axis included."""
    return int(step["dim"]) % (len(step.active("self").shape) + 1)


def spread(step: Step, x: Active) -> Active:
    """``x`` broadcast to the shape of the call's result."""
    if x.shape == step.shape:
        return x
    if len(x.shape) != len(step.shape):
        raise RefusedError("broadcasts the batch axis")
    shape = (-1, *step.shape)
    return moved(step, [x], lambda x: x.expand(shape))


def moved(
    step: Step,
    inputs: Sequence[Active],
    run: Callable[..., Tensor],
    linear: Callable[..., Tensor] | None = None,
) -> Active:
    """A node whose every output entry is one entry of the inputs or a constant; refused where it mixes the
    inputs of the batch."""
    shapes = [x.shape for x in inputs]
    # entries that all differ: one that came from another input of the batch shows
    sizes = [3 * math.prod(shape) for shape in shapes]
    numbers = torch.split_with_sizes(torch.arange(0.5, sum(sizes), dtype=torch.float64), sizes)
    marked = [part.reshape(3, *shape) for part, shape in zip(numbers, shapes, strict=True)]
    try:
        together = run(*marked)
        alone = [run(*(x[i : i + 1] for x in marked)) for i in range(3)]
    except (RuntimeError, IndexError) as error:
        raise RefusedError("works for one number of inputs only") from error
    if together.shape != (3, *step.shape) or not torch.equal(together, torch.cat(alone)):
        raise RefusedError("mixes the inputs of the batch")
    return step.affine(inputs, step.shape, run, Gain("layout", layout_norm(run, shapes)), linear)


def placed(step: Step, operands: Sequence[Any], place: Callable[..., Tensor]) -> Active:
    """A node that puts entries of several tensors, activations and constants, into one."""
    inputs = [x for x in operands if isinstance(x, Active)]
    fixed = [None if isinstance(x, Active) else _like_activation(x) for x in operands]
    zeros = [None if value is None else torch.zeros_like(value) for value in fixed]
    lengthen = [isinstance(x, Constant) and x.per_batch for x in operands]

    def run(constants: list[Tensor | None], xs: tuple[Tensor, ...]) -> Tensor:
        rest = iter(xs)
        values = [
            next(rest) if c is None else c.expand(len(xs[0]), *c.shape[1:]) if long else c
            for c, long in zip(constants, lengthen, strict=True)
        ]
        return place(*values)

    if len(inputs) == len(operands):
        return moved(step, inputs, place)
    return moved(step, inputs, lambda *xs: run(fixed, xs), lambda *xs: run(zeros, xs))


def _like_activation(operand: Any) -> Tensor:
    value = operand.value if isinstance(operand, Constant) else operand
    return torch.as_tensor(value).to(torch.float64)
