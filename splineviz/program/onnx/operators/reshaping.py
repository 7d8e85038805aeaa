"""Operators that give the entries of one tensor another shape or order, or copy them."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from splineviz.program.onnx.folding import evaluated
from splineviz.program.onnx.node import Made, OnnxNode, RefusedNodeError, held, operator

__all__: list[str] = []


@operator("Reshape")
def _reshape(node: OnnxNode) -> Made:
    shape, array = node.shape(), node.array(1)
    assert array is not None
    target = [int(n) for n in array]
    if node.batch is not None and target[:1] == [node.batch] and shape[:1] == (1,):
        target[0] = 1  # the file names its own batch size
    if not node.attribute("allowzero", 0):
        target = [shape[i] if n == 0 else n for i, n in enumerate(target)]
    known = math.prod(n for n in target if n != -1)
    return _shaped(tuple(math.prod(shape) // max(1, known) if n == -1 else n for n in target))


@operator("Flatten")
def _flatten(node: OnnxNode) -> Made:
    shape, axis = node.shape(), node.attribute("axis", 1)
    axis += len(shape) if axis < 0 else 0
    return _shaped((math.prod(shape[:axis]), math.prod(shape[axis:])))


@operator("Squeeze")
def _squeeze(node: OnnxNode) -> Made:
    shape, axes = node.shape(), node.numbers("axes", 1)
    gone = {i for i, n in enumerate(shape) if n == 1} if axes is None else {node.axis(a) for a in axes}
    return _shaped(tuple(n for i, n in enumerate(shape) if i not in gone))


@operator("Unsqueeze")
def _unsqueeze(node: OnnxNode) -> Made:
    axes = node.numbers("axes", 1) or []
    rank = len(node.shape()) + len(axes)
    new, rest = {node.axis(a, rank) for a in axes}, iter(node.shape())
    return _shaped(tuple(1 if i in new else next(rest) for i in range(rank)))


def _shaped(shape: tuple[int, ...]) -> Made:
    target = held(shape)
    return Made(
        lambda x: x if tuple(x.shape[1:]) == target else x.reshape(x.shape[0], *target), (len(shape),)
    )


@operator("Transpose")
def _transpose(node: OnnxNode) -> Made:
    rank = len(node.shape())
    order = node.attribute("perm", list(range(rank))[::-1])
    view, shift = node.along([0] if order[:1] != [0] else [])
    axes = (0, *(a + 1 for a in order)) if shift else tuple(order)
    return Made(lambda x: view(x).permute(axes), (rank,))


@operator("Expand")
def _expand(node: OnnxNode) -> Made:
    array = node.array(1)
    assert array is not None
    wanted = [int(n) for n in array]
    if node.batch is not None and wanted[:1] == [node.batch] and len(wanted) >= len(node.shape()):
        wanted[0] = 1  # the file names its own batch size
    shape = np.broadcast_shapes(node.shape(), tuple(wanted))
    view = node.aligned(0, len(shape), leading=shape[:1] == (1,))
    return Made(lambda x: view(x).expand(-1, *held(shape)), (len(shape),))


@operator("Tile")
def _tile(node: OnnxNode) -> Made:
    array = node.array(1)
    assert array is not None
    times = [int(n) for n in array]
    view, shift = node.along([0] if times[:1] != [1] else [])
    times = [1, *times] if shift else times
    return Made(lambda x: view(x).repeat(times), (len(node.shape()),))


@operator("Pad")
def _pad(node: OnnxNode) -> Made:
    rank, mode = len(node.shape()), node.attribute("mode", "constant")
    given = node.numbers("pads", 1) or []
    chosen = node.array(3)
    axes = list(range(rank)) if chosen is None else [node.axis(int(a)) for a in chosen]
    pairs = {a: (int(given[i]), int(given[i + len(axes)])) for i, a in enumerate(axes)}
    pairs = {a: pair for a, pair in pairs.items() if pair != (0, 0)}
    view, shift = node.along(list(pairs))
    if mode != "constant":
        places = {
            a + shift: torch.from_numpy(_places(node.shape()[a], pair, mode)) for a, pair in pairs.items()
        }

        def run(x: Tensor) -> Tensor:
            x = view(x)
            for axis, index in places.items():
                x = x.index_select(axis, index)
            return x

        return Made(run, (rank,))
    array = node.array(2)
    value = float(node.attribute("value", 0.0)) if array is None else float(array.reshape(()))
    first = min(pairs, default=rank)
    pads = [n for a in range(rank - 1, first - 1, -1) for n in pairs.get(a, (0, 0))]
    return Made(lambda x: functional.pad(view(x), pads, value=value), (rank,))


def _places(length: int, pair: tuple[int, int], mode: str) -> np.ndarray:
    """Indices of the entries that stand along an axis after padding; negative numbers cut off."""
    before, after = pair
    kept = np.arange(length)[max(0, -before) : length - max(0, -after)]
    padded: np.ndarray = np.pad(kept, (max(0, before), max(0, after)), mode=mode)  # type: ignore[call-overload]
    return padded


@operator("DepthToSpace", "SpaceToDepth", "GatherElements", "GatherND", "ReverseSequence", "Compress")
def _reordered(node: OnnxNode) -> Made:
    """Entries in an order that does not depend on them: found by sending their places through the
    reference."""
    if node.proto.op_type in ("DepthToSpace", "SpaceToDepth") and len(node.shape()) != 4:
        raise RefusedNodeError("is defined on tensors of four axes")
    arrays = {node.proto.input[0]: np.arange(math.prod(node.shape())).reshape(node.shape())}
    for i in range(1, len(node.inputs)):
        array = node.array(i)
        assert array is not None
        arrays[node.proto.input[i]] = array
    (places,) = evaluated(node.proto, node.opset, arrays)
    target, index = held(places.shape), torch.from_numpy(places.reshape(-1))
    return Made(
        lambda x: x.reshape(x.shape[0], -1).index_select(1, index).reshape(x.shape[0], *target),
        (places.ndim,),
    )
