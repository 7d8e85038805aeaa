"""Operators on sequences of tensors, as plain operators on the tensors in them."""

from __future__ import annotations

from itertools import accumulate, pairwise

import numpy as np
from onnx import NodeProto, helper

from splineviz.program.onnx.node import RefusedNodeError
from splineviz.program.onnx.tensors import Tensors

__all__ = ["without_sequences"]


def without_sequences(proto: NodeProto, tensors: Tensors, opset: int) -> list[NodeProto] | None:
    """Plain nodes in place of one that reads or makes a sequence; none if it does neither.

    Raises
    ------
    RefusedNodeError
        If what it does depends on the values of an activation.
    """
    kind, made = proto.op_type, proto.output[0] if proto.output else ""
    if kind == "SplitToSequence":
        return _split(proto, tensors)
    if kind in ("SequenceConstruct", "SequenceEmpty"):
        tensors.sequences[made] = list(proto.input)
        return []
    items = tensors.sequences.get(proto.input[0]) if proto.input else None
    if items is None:
        return None
    if kind == "Identity":
        tensors.sequences[made] = items
        return []
    if kind == "SequenceLength":
        tensors.define({made: np.array(len(items))})
        return []
    if kind == "SequenceAt":
        tensors.alias(made, items[_place(proto, 1, tensors, len(items))])
        return []
    if kind == "SequenceErase":
        place = _place(proto, 1, tensors, len(items)) if len(proto.input) > 1 else len(items) - 1
        tensors.sequences[made] = [*items[:place], *items[place + 1 :]]
        return []
    if kind == "SequenceInsert":
        place = _place(proto, 2, tensors, len(items) + 1) if len(proto.input) > 2 else len(items)
        tensors.sequences[made] = [*items[:place], proto.input[1], *items[place:]]
        return []
    if kind == "ConcatFromSequence":
        return _joined(proto, items, tensors, opset)
    raise RefusedNodeError("is not supported on sequences")


def _attribute(proto: NodeProto, name: str, default: int) -> int:
    """A whole number that is an attribute of a node."""
    return next((int(a.i) for a in proto.attribute if a.name == name), default)


def _place(proto: NodeProto, index: int, tensors: Tensors, length: int) -> int:
    place = tensors.constant(proto.input[index])
    if place is None:
        raise RefusedNodeError("chooses by the values of an activation, which is not continuous")
    number = int(place.reshape(()))
    if not -length <= number < length:
        raise RefusedNodeError(f"takes the place {number} in a sequence of {length}")
    return number % length


def _split(proto: NodeProto, tensors: Tensors) -> list[NodeProto]:
    """Cuts along an axis; without lengths every cut is of length one, its axis kept or not."""
    entry, made = proto.input[0], proto.output[0]
    shape = tensors[entry].shape
    axis = _attribute(proto, "axis", 0) % len(shape)
    names: list[str] = []
    nodes: list[NodeProto] = []
    if len(proto.input) < 2 or not proto.input[1]:
        lengths = [1] * shape[axis]
        keep = bool(_attribute(proto, "keepdims", 1))
    else:
        given, keep = tensors.constant(proto.input[1]), True
        if given is None:
            raise RefusedNodeError("takes its lengths from the values of an activation")
        each = int(given.reshape(-1)[0])
        lengths = (
            [int(n) for n in given]
            if given.ndim
            else [min(each, shape[axis] - start) for start in range(0, shape[axis], each)]
        )
    for number, (start, stop) in enumerate(pairwise(accumulate(lengths, initial=0))):
        names.append(f"{made}/{number}")
        places = np.arange(start, stop) if keep else np.array(start)
        tensors.define({f"{made}/{number}/places": places})
        nodes.append(helper.make_node("Gather", [entry, f"{made}/{number}/places"], [names[-1]], axis=axis))
    tensors.sequences[made] = names
    return nodes


def _joined(proto: NodeProto, items: list[str], tensors: Tensors, opset: int) -> list[NodeProto]:
    if not items:
        raise RefusedNodeError("joins a sequence of no tensors")
    axis, made = _attribute(proto, "axis", 0), proto.output[0]
    if not _attribute(proto, "new_axis", 0):
        return [helper.make_node("Concat", items, [made], axis=axis, name=proto.name)]
    names = [f"{made}/{number}" for number in range(len(items))]
    tensors.define({f"{made}/axes": np.array([axis])})
    nodes = [
        helper.make_node("Unsqueeze", [item, f"{made}/axes"], [name])
        if opset >= 13
        else helper.make_node("Unsqueeze", [item], [name], axes=[axis])
        for item, name in zip(items, names, strict=True)
    ]
    return [*nodes, helper.make_node("Concat", names, [made], axis=axis, name=proto.name)]
