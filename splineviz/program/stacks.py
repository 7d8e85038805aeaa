"""Tensors that are taken apart as they were put together: steps of a sequence that lie before the batch, and
complex numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import fx

__all__ = ["without_stacks"]

_aten = torch.ops.aten


def without_stacks(graph: fx.Graph) -> None:
    """Read parts of a stack from what was stacked, parts of a transposed tensor from the tensor itself, and
    those of complex numbers from these.

    A recurrent layer that takes (step, input, feature) then has the inputs of the batch on the first axis
    wherever it computes.
    """
    for node in graph.nodes:
        rule = _RULES.get(node.target)
        source = node.args[0] if node.args else None
        if rule is not None and isinstance(source, fx.Node):
            rule(node, source)


def _select(node: fx.Node, stack: fx.Node) -> None:
    if stack.target is _aten.stack.default and _dim(stack) == _dim(node):
        node.target, node.args = _aten.alias.default, (_stacked(stack)[cast("int", node.args[2])],)
    if stack.target is _aten.view_as_real.default and _dim(node) in (-1, stack.meta["val"].dim() - 1):
        node.target = _aten.imag.default if node.args[2] else _aten.real.default
        node.args = stack.args


def _squeeze(node: fx.Node, stack: fx.Node) -> None:
    if stack.target is _aten.stack.default and node.args[1] in (_dim(stack), [_dim(stack)]):
        (only, *others) = _stacked(stack)
        if not others:
            node.target, node.args = _aten.alias.default, (only,)


def _transpose(node: fx.Node, stack: fx.Node) -> None:
    order = _order(node, stack)
    first_two_exchanged = order == [1, 0, *range(2, len(order))]
    if stack.target is _aten.stack.default and _dim(stack) in (0, 1) and first_two_exchanged:
        node.target, node.args = _aten.stack.default, (_stacked(stack), 1 - _dim(stack))


def _unbind(node: fx.Node, moved: fx.Node) -> None:
    source = moved.args[0] if moved.args else None
    if moved.target in (_aten.transpose.int, _aten.permute.default) and isinstance(source, fx.Node):
        order = _order(moved, source)
        dim = order.pop(_dim(node))
        if order == sorted(order):
            node.args = (source, dim)


def _stacked(stack: fx.Node) -> list[fx.Node]:
    return list(cast("list[fx.Node]", stack.args[0]))


def _dim(node: fx.Node) -> int:
    """The axis that is the second argument of a call."""
    return cast("int", node.args[1]) if len(node.args) > 1 else 0


def _order(node: fx.Node, source: fx.Node) -> list[int]:
    """The axes of a tensor in the order that a transposition or permutation gives them."""
    axes = list(range(source.meta["val"].dim()))
    if node.target is _aten.permute.default:
        return [axes[dim] for dim in cast("list[int]", node.args[1])]
    i, j = (cast("int", dim) for dim in node.args[1:3])
    axes[i], axes[j] = axes[j], axes[i]
    return axes


_RULES: dict[object, Callable[[fx.Node, fx.Node], None]] = {
    _aten.select.int: _select,
    _aten.squeeze.dim: _squeeze,
    _aten.squeeze.dims: _squeeze,
    _aten.transpose.int: _transpose,
    _aten.permute.default: _transpose,
    _aten.unbind.int: _unbind,
}
