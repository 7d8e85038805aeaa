"""Operations that move or copy entries, or insert constants; and those that do nothing in eval mode."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from splineviz.program.operations.base import Active, Constant, RefusedError, Step, operation
from splineviz.program.program import Gain

__all__ = ["spread"]

_END = 2**62  # the exporter writes "to the end" as the largest 64-bit integer


@operation("dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout")
def _dropout(step: Step) -> Active:
    if step["train"] and step["p"] != 0:
        raise RefusedError("is random: it is called with training=True although the model is in eval mode")
    return step.active("input")


@operation("contiguous", "clone", "detach", "alias", "lift_fresh_copy", "positive", "resolve_conj", "resolve_neg", "requires_grad")
def _nothing(step: Step) -> Active:
    return step.active("self")


@operation("to", "_to_copy", "type_as")
def _cast(step: Step) -> Active:
    dtype = step.arguments.get("dtype")
    if dtype is not None and dtype not in (torch.float32, torch.float64):
        raise RefusedError(f"rounds to {str(dtype).removeprefix('torch.')}, which is not continuous")
    return step.active("self")


@operation(
    "view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "view_as", "reshape_as", "_unsafe_view", "_reshape_alias"
)
def _reshape(step: Step) -> Active:
    x = step.active("self")
    if x.shape == step.shape:
        return x
    shape = (-1, *step.shape)
    return step.affine([x], step.shape, lambda x: x.reshape(shape), Gain("layout"))


@operation("permute")
def _permute(step: Step) -> Active:
    dims = tuple(step["dims"])
    return step.affine([step.active("self")], step.shape, lambda x: x.permute(dims), Gain("layout"))


@operation("transpose", "swapaxes", "swapdims")
def _transpose(step: Step) -> Active:
    a, b = (step[n] for n in (("dim0", "dim1") if "dim0" in step.arguments else ("axis0", "axis1")))
    return step.affine([step.active("self")], step.shape, lambda x: x.transpose(a, b), Gain("layout"))


@operation("movedim", "moveaxis")
def _movedim(step: Step) -> Active:
    source, destination = step["source"], step["destination"]
    return step.affine([step.active("self")], step.shape, lambda x: x.movedim(source, destination), Gain("layout"))


@operation("mT")
def _matrix_transpose(step: Step) -> Active:
    return step.affine([step.active("self")], step.shape, lambda x: x.mT, Gain("layout"))


@operation("slice")
def _slice(step: Step) -> Active:
    x, dim = step.active("self"), _axis(step, "self")
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


@operation("narrow")
def _narrow(step: Step) -> Active:
    x, dim, begin, length = step.active("self"), _axis(step, "self"), step["start"], step["length"]
    return step.affine([x], step.shape, lambda x: x.narrow(dim, begin, length), Gain("layout"))


@operation("select")
def _select(step: Step) -> Active:
    x, dim, index = step.active("self"), _axis(step, "self"), step["index"]
    return step.affine([x], step.shape, lambda x: x.select(dim, index), Gain("layout"))


@operation("split", "split_with_sizes", "chunk", "tensor_split", "unbind")
def _part(step: Step) -> Active:
    """One result of an operation that returns several."""
    if step.part is None:
        raise RefusedError("is supported only where its parts are taken one by one")
    x, dim = step.active("self"), _axis(step, "self")
    call, which = step.part
    which %= len(call.parts)
    if step.call.op == "unbind":
        return step.affine([x], step.shape, lambda x: x.select(dim, which), Gain("layout"))
    length = step.shape[dim - 1]
    begin = sum(shape[dim - 1] for shape in call.parts[:which])
    return step.affine([x], step.shape, lambda x: x.narrow(dim, begin, length), Gain("layout"))


@operation("index")
def _index(step: Step) -> Active:
    x = step.active("self")
    if any(isinstance(i, Active) for i in step["indices"]):
        raise RefusedError("chooses entries by the values of an activation")
    index = tuple(slice(None) if i is None else i.value for i in step["indices"])
    if index and not isinstance(index[0], slice):
        raise RefusedError("takes some inputs of the batch")
    return _copying(step, x, lambda x: x[index])


@operation("index_select")
def _index_select(step: Step) -> Active:
    dim, index = _axis(step, "self"), step["index"]
    return _copying(step, step.active("self"), lambda x: x.index_select(dim, index))


@operation("flip")
def _flip(step: Step) -> Active:
    x = step.active("self")
    dims = [d % (len(x.shape) + 1) for d in step["dims"]]
    if 0 in dims:
        raise RefusedError("reorders the inputs of the batch")
    return step.affine([x], step.shape, lambda x: x.flip(dims), Gain("layout"))


@operation("expand", "expand_as", "broadcast_to")
def _expand(step: Step) -> Active:
    return spread(step, step.active("self"))


@operation("repeat")
def _repeat(step: Step) -> Active:
    x, times = step.active("self"), step["repeats"]
    if len(times) != len(x.shape) + 1 or times[0] != 1:
        raise RefusedError("repeats the inputs of the batch")
    return _copying(step, x, lambda x: x.repeat(times))


@operation("pad", "constant_pad_nd")
def _pad(step: Step) -> Active:
    x, pad = step.active("self"), list(step["pad"])
    mode = step.arguments.get("mode", "constant")
    if len(pad) > 2 * len(x.shape):
        raise RefusedError("pads the batch")
    if mode != "constant":
        return _copying(step, x, lambda x: functional.pad(x, pad, mode))
    value = float(step["value"] or 0.0)
    return step.affine(
        [x], step.shape, lambda x: functional.pad(x, pad, value=value), Gain("layout"), lambda x: functional.pad(x, pad)
    )


@operation("cat", "concat", "concatenate", "stack", "hstack")
def _join(step: Step) -> Active:
    stacking = step.call.op == "stack"
    axes = len(step.shape) + 1
    dim = step.arguments.get("dim", 1) % axes
    if dim == 0:
        raise RefusedError("joins along the batch")
    items = [item for item in step.arguments["tensors"] if not (isinstance(item, Constant) and item.value.shape == (0,))]
    inputs = [item for item in items if isinstance(item, Active)]
    join: Callable[[Any, int], Tensor] = torch.stack if stacking else torch.cat
    if len(inputs) == len(items):
        return step.affine(inputs, step.shape, lambda *xs: join(xs, dim), Gain("layout"))
    if any(isinstance(item, Constant) and not item.per_batch for item in items):
        raise RefusedError("joins a constant that has no batch axis")
    fixed = [None if isinstance(item, Active) else item.value for item in items]
    zeros = [None if value is None else torch.zeros_like(value) for value in fixed]

    def joined(constants: list[Tensor | None], xs: tuple[Tensor, ...]) -> Tensor:
        rest = iter(xs)
        return join([next(rest) if c is None else c.expand(len(xs[0]), *c.shape[1:]) for c in constants], dim)

    return step.affine(inputs, step.shape, lambda *xs: joined(fixed, xs), Gain("layout"), lambda *xs: joined(zeros, xs))


def spread(step: Step, x: Active) -> Active:
    """``x`` broadcast to the shape of the call's result."""
    if x.shape == step.shape:
        return x
    if len(x.shape) != len(step.shape):
        raise RefusedError("broadcasts the batch axis")
    shape = (-1, *step.shape)
    copies = math.prod(step.shape) // max(1, math.prod(x.shape))
    return step.affine([x], step.shape, lambda x: x.expand(shape), Gain("layout", math.sqrt(copies) * (1 + 1e-15)))


def _axis(step: Step, name: str) -> int:
    """The argument ``dim``, counted from the front, the batch axis included."""
    return int(step["dim"]) % (len(step.active(name).shape) + 1)


def _copying(step: Step, x: Active, run: Callable[[Tensor], Tensor]) -> Active:
    """A layout node that may copy entries: its norm is the root of the largest number of copies."""
    with torch.enable_grad():
        ones = torch.ones(1, *x.shape, dtype=torch.float64, requires_grad=True)
        (copies,) = torch.autograd.grad(run(ones).sum(), ones)
    return step.affine([x], step.shape, run, Gain("layout", math.sqrt(float(copies.max())) * (1 + 1e-15)))
