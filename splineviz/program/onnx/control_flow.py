"""Branches that are known to be taken, and loops whose number of rounds is known, written out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from onnx import GraphProto, NodeProto, helper, numpy_helper

from splineviz.ceilings import NODES
from splineviz.program.onnx.node import RefusedNodeError
from splineviz.program.onnx.tensors import Tensors
from splineviz.program.onnx.validity import subgraphs

__all__ = ["written_out"]

Over = Callable[[Iterable[NodeProto]], None]
"""The walk over nodes, in whose course tensors become known"""


def written_out(proto: NodeProto, tensors: Tensors, over: Over) -> bool:
    """Follow the branch or the rounds of a node of control flow; whether it was one.

    Raises
    ------
    RefusedNodeError
        If what it computes depends on the values of an activation.
    """
    follow = {"If": _if, "Loop": _loop, "Scan": _scan}.get(proto.op_type)
    if follow is None:
        return False
    follow(proto, tensors, over)
    return True


def _if(proto: NodeProto, tensors: Tensors, over: Over) -> None:
    taken = "then_branch" if _known(proto.input[0], tensors) else "else_branch"
    graph: GraphProto = next(a.g for a in proto.attribute if a.name == taken)
    _run(graph, tensors, over)
    for outer, inner in zip(proto.output, graph.output, strict=True):
        tensors.alias(outer, inner.name)


def _loop(proto: NodeProto, tensors: Tensors, over: Over) -> None:
    (body,) = subgraphs(proto)
    rounds = _known(proto.input[0], tensors) if proto.input[0] else NODES.most
    goes_on = _known(proto.input[1], tensors) if len(proto.input) > 1 and proto.input[1] else 1
    states = list(proto.input[2:])
    if rounds * len(body.node) > NODES.most and proto.input[0]:
        raise RefusedNodeError(f"runs {rounds:,} rounds, which is more than can be written out")
    collected: list[list[str]] = [[] for _ in body.output[1 + len(states) :]]
    number = 0
    while goes_on and number < rounds:
        inner = _renamed(body, f"{proto.output[0]}/{number}")
        tensors.define({inner.input[0].name: np.array(number), inner.input[1].name: np.array(True)})
        for own, state in zip(inner.input[2:], states, strict=True):
            tensors.alias(own.name, state)
        _run(inner, tensors, over)
        goes_on, *results = (value.name for value in inner.output)
        goes_on = _known(goes_on, tensors)
        states = results[: len(states)]
        for names, name in zip(collected, results[len(states) :], strict=True):
            names.append(name)
        number += 1
    _hand_out(proto, states, collected, [0] * len(collected), tensors, over)


def _scan(proto: NodeProto, tensors: Tensors, over: Over) -> None:
    if not all(proto.input):
        raise RefusedNodeError("in the form of opset 8 is not supported")
    (body,) = subgraphs(proto)
    count = next(int(a.i) for a in proto.attribute if a.name == "num_scan_inputs")
    lists = {a.name: list(a.ints) for a in proto.attribute if a.ints}
    states, sliced = list(proto.input[:-count]), list(proto.input[-count:])
    axes = lists.get("scan_input_axes", [0] * count)
    back = lists.get("scan_input_directions", [0] * count)
    collected: list[list[str]] = [[] for _ in body.output[len(states) :]]
    length = tensors[sliced[0]].shape[axes[0]]
    for number in range(length):
        inner = _renamed(body, f"{proto.output[0]}/{number}")
        for own, state in zip(inner.input, states, strict=False):
            tensors.alias(own.name, state)
        for own, name, axis, backward in zip(inner.input[len(states) :], sliced, axes, back, strict=True):
            place = f"{own.name}/place"
            tensors.define({place: np.array(length - 1 - number if backward else number)})
            over([helper.make_node("Gather", [name, place], [own.name], axis=axis)])
        _run(inner, tensors, over)
        results = [value.name for value in inner.output]
        states = results[: len(states)]
        for names, name in zip(collected, results[len(states) :], strict=True):
            names.append(name)
    for names, backward in zip(collected, lists.get("scan_output_directions", []), strict=False):
        if backward:
            names.reverse()
    _hand_out(proto, states, collected, lists.get("scan_output_axes", [0] * len(collected)), tensors, over)


def _hand_out(
    proto: NodeProto,
    states: list[str],
    collected: list[list[str]],
    axes: list[int],
    tensors: Tensors,
    over: Over,
) -> None:
    """Name the results: what the last round left, and what all rounds gave, along a new axis."""
    for outer, inner in zip(proto.output, states, strict=False):
        tensors.alias(outer, inner)
    for outer, names, axis in zip(proto.output[len(states) :], collected, axes, strict=False):
        if outer:
            tensors.sequences[f"{outer}/rounds"] = names
            over(
                [helper.make_node("ConcatFromSequence", [f"{outer}/rounds"], [outer], axis=axis, new_axis=1)]
            )


def _known(name: str, tensors: Tensors) -> int:
    array = tensors.constant(name)
    if array is None:
        raise RefusedNodeError("chooses what to compute while the network runs, which is not supported")
    return int(array.reshape(()))


def _run(graph: GraphProto, tensors: Tensors, over: Over) -> None:
    tensors.define({tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer})
    over(graph.node)


def _renamed(graph: GraphProto, suffix: str) -> GraphProto:
    """Copy for one round, with names of its own for all that it makes."""
    copy = GraphProto()
    copy.CopyFrom(graph)
    _rename(copy, suffix, {})
    return copy


def _rename(graph: GraphProto, suffix: str, outer: Mapping[str, str]) -> None:
    stored = {tensor.name for tensor in graph.initializer}
    own = [v.name for v in graph.input] + [name for node in graph.node for name in node.output if name]
    names = {**outer, **{name: f"{name}/{suffix}" for name in own if name not in stored}}
    for value in (*graph.input, *graph.output):
        value.name = names.get(value.name, value.name)
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
        for inner in subgraphs(node):
            _rename(inner, suffix, names)
