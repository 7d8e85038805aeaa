"""Operations that take entries from one place to another, and may put constants beside them, whatever their
arguments."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from splineviz.program.mutation import write_view
from splineviz.program.operations.base import Active, Constant, RefusedError, Step, operation
from splineviz.program.operations.layout import indices, moved, placed, spread
from splineviz.program.operations.scattering import added

__all__ = ["MOVES"]

_PUT = torch.ops.aten.index_put

_BY_VALUE = "chooses by the values of an activation, which may jump: write it with relu, abs or clamp"

MOVES = """
permute transpose swapaxes swapdims movedim moveaxis mT mH adjoint flip fliplr roll rot90
narrow select index_select repeat tile repeat_interleave diagonal diag_embed tril triu unfold im2col
pixel_shuffle channel_shuffle
reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d replication_pad3d
upsample_nearest1d upsample_nearest2d upsample_nearest3d
_upsample_nearest_exact1d _upsample_nearest_exact2d _upsample_nearest_exact3d
""".split()


@operation(*MOVES, makes="layout")
def _move(step: Step) -> Active:
    """The operation itself, on the activation that is its first argument."""
    x, others = step.subject()
    if any(isinstance(step.arguments[name], Active) for name in others):
        raise RefusedError(_BY_VALUE)
    function = getattr(torch.ops.aten, step.call.op)
    return moved(step, [x], lambda x: function(x, **others))


@operation("pixel_unshuffle", makes="layout")
def _pixel_unshuffle(step: Step) -> Active:
    """Squares of pixels as channels; torch's own takes no batch of length zero."""
    r, shape = step["downscale_factor"], step.shape

    def run(x: Tensor) -> Tensor:
        squares = x.reshape(-1, *x.shape[1:-2], shape[-2], r, shape[-1], r)
        return squares.movedim((-3, -1), (-4, -3)).reshape(-1, *shape)

    return moved(step, [step.active("self")], run)


@operation("gather", "take_along_dim", makes="layout")
def _gather(step: Step) -> Active:
    name = "index" if step.call.op == "gather" else "indices"
    x, index, dim = step.active("self"), _places(step, name), step["dim"]
    if step.call.op == "gather":
        return moved(step, [x], lambda x: x.gather(dim, index.expand(len(x), *index.shape[1:])))
    return moved(step, [x], lambda x: torch.take_along_dim(x, index, dim))


@operation("where", makes="layout")
def _where(step: Step) -> Active:
    return _chosen(step, "condition", "self", "other")


@operation("masked_fill", makes="layout")
def _masked_fill(step: Step) -> Active:
    return _chosen(step, "mask", "value", "self")


def _chosen(step: Step, mask: str, there: str, elsewhere: str) -> Active:
    """Entries of one tensor where a constant mask holds, of another one elsewhere."""
    condition = _places(step, mask)
    operands = [
        spread(step, x) if isinstance(x, Active) else x
        for x in (step.arguments[there], step.arguments[elsewhere])
    ]
    return placed(step, operands, lambda a, b: torch.where(condition, a, b))


@operation("select_scatter", "slice_scatter", "diagonal_scatter", "index_copy", "index_fill", makes="layout")
def _overwrite(step: Step) -> Active:
    """Entries at constant places replaced by others."""
    names = [name for name in ("self", "src", "source", "value") if name in step.arguments]
    others = {name: step[name] for name in step.arguments if name not in names}
    function = getattr(torch.ops.aten, step.call.op)

    def place(*tensors: Tensor) -> Tensor:
        result: Tensor = function(**dict(zip(names, tensors, strict=True)), **others)
        return result

    return placed(step, [step.arguments[name] for name in names], place)


@operation("scatter", makes="layout")
def _scatter(step: Step) -> Active:
    dim, index = step["dim"], _places(step, "index")
    if step.arguments.get("reduce") is not None:
        raise RefusedError("with reduce is not supported")
    value = step.arguments["src" if "src" in step.arguments else "value"]

    def place(x: Tensor, source: Tensor) -> Tensor:
        at = index.expand(len(x), *index.shape[1:])
        return x.scatter(dim, at, source.expand(at.shape) if source.dim() == 0 else source)

    return placed(step, [step.arguments["self"], value], place)


@operation("index_put", makes="layout sum diagonal dense")
def _index_put(step: Step) -> Active:
    if any(isinstance(i, Active) for i in step["indices"]):
        raise RefusedError(_BY_VALUE)
    index = indices(step)
    if step["accumulate"]:
        shape = step.shape

        def add(x: Tensor) -> Tensor:
            at = [None if isinstance(i, slice) else i for i in index(len(x))]
            total: Tensor = _PUT(x.new_zeros(len(x), *shape), at, x, True)
            return total

        return added(step, step.arguments["values"], add)

    def place(x: Tensor, values: Tensor) -> Tensor:
        x = x.clone()
        x[index(len(x))] = values
        return x

    return placed(step, [step.arguments["self"], step.arguments["values"]], place)


@operation("read_view", makes="layout")
def _read_view(step: Step) -> Active:
    """A view of a tensor that was written to since it was taken."""
    views = step["views"]
    return moved(step, [step.active("self")], views.of)


@operation("write_view", makes="layout")
def _write_view(step: Step) -> Active:
    """A tensor after a write through a view of it."""
    views = step["views"]
    return placed(
        step,
        [step.arguments["self"], step.arguments["value"]],
        lambda base, value: write_view(base, value, views),
    )


@operation("copy", makes="layout")
def _copy(step: Step) -> Active | Constant:
    source = step.arguments["src"]
    return spread(step, source) if isinstance(source, Active) else _filled(step, source)


@operation("fill", "zero", makes="")
def _fill(step: Step) -> Active | Constant:
    value = step.arguments.get("value", 0.0)
    if isinstance(value, Active):
        raise RefusedError("fills with an activation that has no axis of its own")
    return _filled(step, value)


def _filled(step: Step, value: Any) -> Constant:
    """A constant in place of an activation that was overwritten as a whole."""
    value = value.value if isinstance(value, Constant) else value
    tensor = torch.as_tensor(value, dtype=torch.float64)
    return Constant(tensor.expand(1, *step.shape).clone(), per_batch=True)


def _places(step: Step, name: str) -> Tensor:
    """An argument that says which entries are meant, as a constant tensor."""
    if isinstance(step.arguments[name], Active):
        raise RefusedError(_BY_VALUE)
    places: Tensor = step[name]
    return places
