"""Means, sums and extremes over axes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from splineviz.program.onnx.node import Made, OnnxNode, held, operator, unchanged

__all__: list[str] = []


def _reduction(
    function: Callable[[Tensor, list[int]], Tensor], of: Callable[[Tensor], Tensor] = unchanged
) -> Callable[[OnnxNode], Made]:
    def entry(node: OnnxNode) -> Made:
        shape = node.shape()
        given = node.numbers("axes", 1)
        if not given and node.attribute("noop_with_empty_axes", 0):
            return Made(of, (len(shape),))
        axes = {node.axis(a) for a in given} if given else set(range(len(shape)))
        kept = [
            1 if i in axes else n
            for i, n in enumerate(shape)
            if i not in axes or node.attribute("keepdims", 1)
        ]
        target = held(tuple(kept))
        # an axis of length one, such as the batch, has nothing to reduce
        shift = 1 if held(shape) == shape else 0
        dims = [a + shift for a in sorted(axes) if shape[a] != 1]

        def run(x: Tensor) -> Tensor:
            made = function(of(x), dims) if dims else of(x)
            return made if tuple(made.shape[1:]) == target else made.reshape(made.shape[0], *target)

        return Made(run, (len(kept),))

    return entry


operator("ReduceMean")(_reduction(lambda x, dims: x.mean(dims)))
operator("ReduceSum")(_reduction(lambda x, dims: x.sum(dims)))
operator("ReduceL1")(_reduction(lambda x, dims: x.sum(dims), torch.abs))
operator("ReduceMax")(_reduction(torch.amax))
operator("ReduceMin")(_reduction(torch.amin))


@operator("CumSum")
def _cumulative_sum(node: OnnxNode) -> Made:
    """Sums up to each place along an axis, its own entry counted or not, from either end."""
    shape, given = node.shape(), node.array(1)
    assert given is not None
    axis = node.axis(int(given.reshape(())))
    view, shift = node.along([axis])
    dim, backward = axis + shift, bool(node.attribute("reverse", 0))
    before = bool(node.attribute("exclusive", 0))
    pads = [0, 0] * (len(shape) - 1 - axis) + [1, 0]

    def run(x: Tensor) -> Tensor:
        x = view(x).flip(dim) if backward else view(x)
        x = functional.pad(x.narrow(dim, 0, shape[axis] - 1), pads) if before else x
        x = x.cumsum(dim)
        return x.flip(dim) if backward else x

    return Made(run, (len(shape),))
