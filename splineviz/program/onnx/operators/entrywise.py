"""Functions of single entries, and sums, differences, products and extremes of several tensors."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np
import torch
from onnx import TensorProto
from torch import Tensor
from torch.nn import functional

from splineviz.program.onnx.loading import FLOATS
from splineviz.program.onnx.node import Made, Numbers, OnnxNode, RefusedNodeError, operator, unchanged

__all__: list[str] = []

_LARGEST = float(
    np.finfo(np.float32).max
)  # bounds as large as this are none, and are written where a file needs some


@operator("Identity", "Dropout")
def _identity(node: OnnxNode) -> Made:
    training = node.array(2) if node.proto.op_type == "Dropout" else None
    if training is not None and bool(training):
        raise RefusedNodeError("is random: the file was written in training mode")
    return _entrywise(node, unchanged)


@operator("Cast", "CastLike")
def _cast(node: OnnxNode) -> Made:
    to, numbers = node.attribute("to", TensorProto.FLOAT), node.value().numbers
    if node.active(1):
        like_real = node.value(1).numbers is Numbers.REAL
    else:
        array = node.array(1)
        like_real = array is None or array.dtype == np.float64
    real = to in FLOATS and like_real
    if numbers is Numbers.FLAGS and real:
        return _entrywise(node, lambda x: x.to(torch.get_default_dtype()))
    kept = _KEPT.get(numbers, frozenset())
    if not real and to not in kept:
        raise RefusedNodeError("rounds to another type, which is not continuous")
    return _entrywise(node, unchanged)


_KEPT = {
    Numbers.WHOLE: frozenset([TensorProto.INT32, TensorProto.INT64]),
    Numbers.FLAGS: frozenset([TensorProto.BOOL]),
}
"""Types that hold what they are cast from"""


@operator("DequantizeLinear")
def _dequantize(node: OnnxNode) -> Made:
    """(x - zero point) * scale, one each or one for each place along an axis."""
    scale, zero, rank = node.array(1), node.array(2), len(node.shape())
    if scale is None or node.attribute("block_size", 0):
        raise RefusedNodeError("by blocks is not supported")
    behind = (1,) * (rank - 1 - node.axis(node.attribute("axis", 1)))
    zero = np.zeros(1) if zero is None else zero
    by_axis = [torch.from_numpy(a.astype(np.float64)).reshape(-1, *behind) for a in (zero, scale)]
    offset, factor = by_axis if scale.ndim else (a.reshape(()) for a in by_axis)
    return _entrywise(node, lambda x: (x - offset.to(x.dtype)) * factor.to(x.dtype))


@operator("Relu")
def _relu(node: OnnxNode) -> Made:
    return _entrywise(node, torch.relu)


@operator("LeakyRelu")
def _leaky_relu(node: OnnxNode) -> Made:
    slope = node.attribute("alpha", 0.01)
    return _entrywise(node, lambda x: functional.leaky_relu(x, slope))


@operator("PRelu")
def _prelu(node: OnnxNode) -> Made:
    node.only_active()
    shape, slope = node.shape(), node.shape(1)
    rank = len(shape)
    try:
        fits = np.broadcast_shapes(shape, slope) == shape
    except ValueError:
        fits = False
    if not fits:
        raise RefusedNodeError(f"has slopes of shape {slope}, which do not broadcast to {shape}")
    per_channel = rank > 1 and shape[0] == 1 and all(n == 1 for _, n in _channels(slope, rank))
    if math.prod(slope) == 1 or per_channel:
        return Made(lambda x, a: functional.prelu(x, a.reshape(-1)), (rank,), (0, 1))

    def run(x: Tensor, a: Tensor) -> Tensor:
        return functional.prelu(x.reshape(x.shape[0], -1), a.expand(shape).reshape(-1)).reshape(x.shape)

    return Made(run, (rank,), (0, 1))


def _channels(slope: tuple[int, ...], rank: int) -> list[tuple[int, int]]:
    """Axis of the activation, and length, of every axis of the slope but that of the channels."""
    offset = rank - len(slope)
    return [(i + offset, n) for i, n in enumerate(slope) if i + offset != 1]


@operator("ThresholdedRelu")
def _thresholded_relu(node: OnnxNode) -> Made:
    threshold = node.attribute("alpha", 1.0)
    return _entrywise(
        node, torch.relu if threshold == 0 else lambda x: functional.threshold(x, threshold, 0.0)
    )


@operator("Shrink")
def _shrink(node: OnnxNode) -> Made:
    bias, width = node.attribute("bias", 0.0), node.attribute("lambd", 0.5)
    if bias != width or width < 0:
        raise RefusedNodeError("is not continuous piecewise affine: it jumps")
    return _entrywise(node, lambda x: functional.softshrink(x, width))


@operator("HardSigmoid")
def _hard_sigmoid(node: OnnxNode) -> Made:
    slope, offset = node.attribute("alpha", 0.2), node.attribute("beta", 0.5)
    return _entrywise(node, lambda x: torch.clamp(x * slope + offset, 0.0, 1.0))


@operator("Clip")
def _clip(node: OnnxNode) -> Made:
    low, high = _bound(node, "min", 1), _bound(node, "max", 2)
    if low is None and high is None:
        return _entrywise(node, unchanged)
    return _entrywise(node, lambda x: torch.clamp(x, low, high))


def _bound(node: OnnxNode, name: str, index: int) -> float | None:
    array = node.array(index)
    bound = float(node.attribute(name, math.inf)) if array is None else float(array.reshape(()))
    return bound if abs(bound) < _LARGEST else None


@operator("Not")
def _not(node: OnnxNode) -> Made:
    return _entrywise(node, torch.logical_not)


@operator("Abs")
def _abs(node: OnnxNode) -> Made:
    return _entrywise(node, torch.abs)


@operator("Neg")
def _neg(node: OnnxNode) -> Made:
    return _entrywise(node, torch.neg)


@operator("Sign")
def _sign(node: OnnxNode) -> Made:
    return _entrywise(node, torch.sign)


@operator("Where")
def _where(node: OnnxNode) -> Made:
    """Choose by a condition; a constant one is a mask."""
    if node.active(0) and node.value(0).numbers is not Numbers.FLAGS:
        raise RefusedNodeError("chooses by the values of an activation, which is not continuous")
    if node.active(0):
        return _broadcast(node, torch.where, (0, 1, 2))
    condition = node.array(0)
    assert condition is not None
    mask = torch.from_numpy(condition.astype(bool))

    return _broadcast(
        node,
        lambda x, y: torch.where(mask, x, y),
        (1, 2),
        np.broadcast_shapes(condition.shape, node.shape(1), node.shape(2)),
    )


def _several(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[OnnxNode], Made]:
    def entry(node: OnnxNode) -> Made:
        return _broadcast(node, lambda *xs: functools.reduce(function, xs), tuple(range(len(node.inputs))))

    return entry


_OF_TWO: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "Add": torch.add,
    "Sub": torch.sub,
    "Mul": torch.mul,
    "Div": torch.div,
    "Sum": torch.add,
    "Max": torch.maximum,
    "Min": torch.minimum,
    "Greater": torch.gt,
    "GreaterOrEqual": torch.ge,
    "Less": torch.lt,
    "LessOrEqual": torch.le,
    "Equal": torch.eq,
    "And": torch.logical_and,
    "Or": torch.logical_or,
    "Xor": torch.logical_xor,
}
for _name, _function in _OF_TWO.items():
    operator(_name)(_several(_function))


@operator("Mean")
def _mean(node: OnnxNode) -> Made:
    count = len(node.inputs)
    return _broadcast(node, lambda *xs: functools.reduce(torch.add, xs) / count, tuple(range(count)))


def _entrywise(node: OnnxNode, function: Callable[[Tensor], Tensor]) -> Made:
    return Made(function, (len(node.shape()),))


def _broadcast(
    node: OnnxNode,
    function: Callable[..., Tensor],
    inputs: tuple[int, ...],
    shape: tuple[int, ...] | None = None,
) -> Made:
    """A function of tensors that are broadcast to one shape."""
    shape = np.broadcast_shapes(*(node.shape(i) for i in inputs)) if shape is None else shape
    rank, leading = len(shape), shape[:1] == (1,)
    views = [node.aligned(i, rank, leading=leading) for i in inputs]
    return Made(lambda *xs: function(*(view(x) for view, x in zip(views, xs, strict=True))), (rank,), inputs)
