"""Parts of a tensor, and tensors joined."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from splineviz.program.onnx.node import Made, OnnxNode, operator, unchanged

__all__: list[str] = []


@operator("Slice")
def _slice(node: OnnxNode) -> Made:
    shape = node.shape()
    starts, ends = node.numbers("starts", 1) or [], node.numbers("ends", 2) or []
    axes, steps = node.numbers("axes", 3) or range(len(starts)), node.numbers("steps", 4) or [1] * len(starts)
    kept = {
        node.axis(a): range(shape[node.axis(a)])[b:e:s]
        for a, b, e, s in zip(axes, starts, ends, steps, strict=True)
    }
    kept = {a: places for a, places in kept.items() if places != range(shape[a])}
    view, shift = node.along(list(kept))
    forward = {a + shift: slice(r.start, r.stop, r.step) for a, r in kept.items() if r.step > 0}
    index = tuple(forward.get(a, slice(None)) for a in range(max(forward, default=-1) + 1))
    backward = {a + shift: torch.tensor(list(r)) for a, r in kept.items() if r.step < 0}

    def run(x: Tensor) -> Tensor:
        x = view(x)[index] if index else view(x)
        for axis, places in backward.items():
            x = x.index_select(axis, places)
        return x

    return Made(run, (len(shape),))


@operator("Gather")
def _gather(node: OnnxNode) -> Made:
    shape, indices = node.shape(), node.array(1)
    assert indices is not None
    axis = node.axis(node.attribute("axis", 0))
    view, shift = node.along([axis])
    dim, places = axis + shift, indices.astype(np.int64) % shape[axis]
    rank = len(shape) - 1 + places.ndim
    if places.ndim == 0:
        place = int(places)
        return Made(lambda x: view(x).select(dim, place), (rank,))
    index = torch.from_numpy(places.reshape(-1))

    def run(x: Tensor) -> Tensor:
        x = view(x).index_select(dim, index)
        return x if places.ndim == 1 else x.reshape(*x.shape[:dim], *places.shape, *x.shape[dim + 1 :])

    return Made(run, (rank,))


@operator("Trilu")
def _triangle(node: OnnxNode) -> Made:
    """Zeros below or above a diagonal of the last two axes."""
    rank, offset = len(node.shape()), node.array(1)
    diagonal = 0 if offset is None else int(offset.reshape(()))
    function = torch.triu if node.attribute("upper", 1) else torch.tril
    view, _ = node.along([rank - 2])
    return Made(lambda x: function(view(x), diagonal), (rank,))


@operator("Split")
def _split(node: OnnxNode) -> Made:
    shape, axis, count = node.shape(), node.axis(node.attribute("axis", 0)), node.n_outputs
    each = -(-shape[axis] // count)
    lengths = node.numbers("split", 1) or [min(each, shape[axis] - each * i) for i in range(count)]
    view, shift = node.along([axis])
    starts = [sum(lengths[:i]) for i in range(count)]

    def run(x: Tensor) -> tuple[Tensor, ...]:
        x = view(x)
        return tuple(
            x.narrow(axis + shift, start, length) for start, length in zip(starts, lengths, strict=True)
        )

    return Made(run, (len(shape),) * count)


@operator("TopK")
def _topk(node: OnnxNode) -> Made:
    shape, axis, count = node.shape(), node.axis(node.attribute("axis", -1)), node.array(1)
    k = node.attribute("k") if count is None else int(count.reshape(-1)[0])
    view, shift = node.along([axis])
    largest, in_order = (bool(node.attribute(name, 1)) for name in ("largest", "sorted"))
    return Made(lambda x: tuple(view(x).topk(k, axis + shift, largest, in_order)), (len(shape),) * 2)


@operator("Concat")
def _concat(node: OnnxNode) -> Made:
    rank = len(node.shape())
    axis = node.axis(node.attribute("axis", 1))
    inputs = range(len(node.inputs))
    active = [node.active(i) for i in inputs]
    some = active.index(True)
    shift = node.along([axis], some)[1]
    views = [node.along([axis], i)[0] if is_active else unchanged for i, is_active in enumerate(active)]

    def run(*tensors: Tensor) -> Tensor:
        size = tensors[some].shape[0]
        items = [
            view(x) if is_active else (x[None] if shift else x).expand(size, *x.shape[1 - shift :])
            for view, x, is_active in zip(views, tensors, active, strict=True)
        ]
        return torch.cat(items, axis + shift)

    return Made(run, (rank,), tuple(inputs))
