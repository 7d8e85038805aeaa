"""Broken graphs, told in one sentence before anything is computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto

from splineviz.ceilings import NODES
from splineviz.errors import InputError

__all__ = ["WRITE_AGAIN", "check_names", "check_size", "subgraphs"]

WRITE_AGAIN = "write it again, from the framework that made it"
"""What to try with a broken file."""


def subgraphs(node: NodeProto) -> list[GraphProto]:
    """Branches and bodies that are attributes of a node."""
    return [
        graph
        for attribute in node.attribute
        for graph in ([attribute.g] if attribute.type == AttributeProto.GRAPH else attribute.graphs)
    ]


def check_size(model: ModelProto, path: Path) -> None:
    """Refuse a file whose own functions, written out, are too many nodes, or call themselves."""
    functions = {(f.domain, f.name): f.node for f in model.functions}
    counts: dict[tuple[str, str], int] = {}

    def size(nodes: Iterable[NodeProto], inside: tuple[tuple[str, str], ...]) -> int:
        total = 0
        for node in nodes:
            key = node.domain, node.op_type
            if key in inside:
                raise InputError(
                    f"'{path}' is broken: its function '{node.op_type}' calls itself", hint=WRITE_AGAIN
                )
            if key in functions and key not in counts:
                counts[key] = size(functions[key], (*inside, key))
            total += counts.get(key, 1) + sum(size(graph.node, inside) for graph in subgraphs(node))
        return total

    if (count := size(model.graph.node, ())) > NODES.most:
        raise InputError(
            f"'{path}' is a graph of {count:,} nodes, its own functions written out; at most {NODES.most:,} "
            f"are read",
            hint=NODES.hint(count),
        )


def check_names(graph: GraphProto, path: Path) -> None:
    """Refuse a graph in which two tensors have one name, or a tensor is read before it is made."""
    for role, values in (
        ("input", graph.input),
        ("stored tensor", graph.initializer),
        ("output", graph.output),
    ):
        ((name, count),) = Counter(value.name for value in values).most_common(1) or [("", 0)]
        if count > 1:
            raise InputError(
                f"'{path}' is broken: it has two of the name '{name}' as {role}", hint=WRITE_AGAIN
            )
    stored = {tensor.name for tensor in graph.initializer}
    made = stored | {value.name for value in graph.input}
    of_nodes = {name for node in graph.node for name in node.output if name}
    for node in graph.node:
        ((name, count),) = Counter(told.name for told in node.attribute).most_common(1) or [("", 0)]
        if count > 1:
            raise InputError(
                f"'{path}' is broken: a node {node.op_type} has two attributes '{name}'", hint=WRITE_AGAIN
            )
        for name in node.input:
            if name in of_nodes and name not in made:
                raise InputError(
                    f"'{path}' is broken: the tensor '{name}' is read before a node makes it, so its nodes "
                    f"go round in a circle or are out of order",
                    hint=WRITE_AGAIN,
                )
        for name in node.output:
            if name and name in made:
                what = "is stored in it" if name in stored else "is made"
                raise InputError(
                    f"'{path}' is broken: the tensor '{name}' {what} and made again by a node",
                    hint=WRITE_AGAIN,
                )
            made.add(name)
