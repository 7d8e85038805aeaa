"""Blocks of a module under a context manager, which the exporter makes graphs of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import fx

__all__ = ["without_regions"]

_GRADIENTS, _AUTOCAST = "wrap_with_set_grad_enabled", "wrap_with_autocast"


def without_regions(module: fx.GraphModule) -> fx.Graph:
    """The graph of a module, with the blocks in it whose context changes no value as part of it.

    A block under autocast stays, and gets the place in the user's code of its first operation.
    """
    graph = module.graph
    for node in list(graph.nodes):
        if node.op != "call_function" or getattr(node.target, "__name__", "") not in (_GRADIENTS, _AUTOCAST):
            continue
        block = next(n for n in node.all_input_nodes if n.op == "get_attr")
        submodule = module.get_submodule(str(block.target))
        assert isinstance(submodule, fx.GraphModule)
        inner = without_regions(submodule)
        if node.target.__name__ == _AUTOCAST and node.args[2]:
            traces = (n.meta.get("stack_trace") for n in inner.nodes)
            node.meta["stack_trace"] = next((trace for trace in traces if trace), None)
        else:
            _inline(graph, node, inner, node.args[node.args.index(block) + 1 :])
    return graph


def _inline(graph: fx.Graph, node: fx.Node, inner: fx.Graph, arguments: Sequence[Any]) -> None:
    """Put the nodes of a block in the place of the call of it, whose results are taken one by one."""
    placeholders = [n for n in inner.nodes if n.op == "placeholder"]
    with graph.inserting_before(node):
        results: Any = graph.graph_copy(inner, dict(zip(placeholders, arguments, strict=True)))
    for user in list(node.users):
        user.replace_all_uses_with(results[user.args[1]])
        graph.erase_node(user)
    graph.erase_node(node)
