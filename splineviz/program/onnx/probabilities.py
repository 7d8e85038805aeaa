"""Probabilities of classifiers, as one sigmoid or softmax that can be cut off at the end."""

from __future__ import annotations

import math

import numpy as np
from onnx import GraphProto, NodeProto, helper, numpy_helper

__all__ = ["as_one_squashing"]


def as_one_squashing(graph: GraphProto) -> None:
    """Rewrite what exporters of scikit-learn do to probabilities behind a sigmoid or softmax.

    Dividing probabilities by their sum, one, is nothing; and since 1 - sigmoid(z) = sigmoid(-z), both
    probabilities of two classes side by side are the sigmoid of (-z, z).
    """
    made_by = {name: node for node in graph.node for name in node.output}
    single = (tensor for tensor in graph.initializer if math.prod(tensor.dims) == 1)
    ones = {tensor.name for tensor in single if numpy_helper.to_array(tensor).item() == 1}
    nodes: list[NodeProto] = []
    for node in graph.node:
        parts = [_logit(name, made_by, ones) for name in node.input] if node.op_type == "Concat" else [None]
        if node.op_type == "Normalizer" and _norm(node) == "L1" and _add_up(made_by.get(node.input[0])):
            nodes.append(helper.make_node("Identity", node.input, node.output, name=node.name))
        elif all(part is not None for part in parts):
            nodes += _joined(node, [part for part in parts if part is not None])
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)


def _logit(name: str, made_by: dict[str, NodeProto], ones: set[str]) -> tuple[str, bool] | None:
    """The tensor z of which a tensor is sigmoid(z), or 1 - sigmoid(z), and whether it is the latter."""
    node = made_by.get(name)
    opposite = node is not None and node.op_type == "Sub" and node.input[0] in ones
    if node is not None and opposite:
        node = made_by.get(node.input[1])
    return (node.input[0], opposite) if node is not None and node.op_type == "Sigmoid" else None


def _joined(node: NodeProto, parts: list[tuple[str, bool]]) -> list[NodeProto]:
    """Nodes that join logits, some with the other sign, before their sigmoid."""
    made = node.output[0]
    names, nodes = [], []
    for number, (name, opposite) in enumerate(parts):
        names.append(f"{made}/opposite_{number}" if opposite else name)
        if opposite:
            nodes.append(helper.make_node("Neg", [name], [names[-1]]))
    join = helper.make_node("Concat", names, [f"{made}/logits"], name=node.name)
    join.attribute.extend(node.attribute)
    return [*nodes, join, helper.make_node("Sigmoid", [f"{made}/logits"], [made])]


def _add_up(node: NodeProto | None) -> bool:
    """Whether the rows that a node makes are probabilities that add up to one."""
    if node is None:
        return False
    given = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    if node.op_type == "Softmax":
        return given.get("axis", -1) in (1, -1)
    if node.op_type != "LinearClassifier":
        return False
    last, bias = given.get("post_transform", b"NONE"), np.array(given.get("intercepts", [0.0, 0.0]))
    rows = np.array(given["coefficients"]).reshape(len(bias), -1)
    opposite = len(rows) == 2 and bool((rows[0] == -rows[1]).all()) and bias[0] == -bias[1]
    return len(rows) > 1 and (last == b"SOFTMAX" or (last == b"LOGISTIC" and opposite))


def _norm(node: NodeProto) -> str:
    return next((a.s.decode() for a in node.attribute if a.name == "norm"), "MAX")
