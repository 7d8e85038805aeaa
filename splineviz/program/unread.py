"""Nodes that nothing reads: what only comparisons read, which have become functions of something else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from splineviz.program.nodes import Affine, Maximum, Pointwise
from splineviz.stage import Stage

__all__ = ["without_unread"]

_Node = Affine | Pointwise | Maximum


def without_unread(
    nodes: Sequence[_Node], stages: Sequence[Stage], output: int
) -> tuple[list[_Node], list[Stage], list[int]]:
    """The nodes that a slot depends on, their slots and stages numbered anew; and the places they had."""
    wanted, kept = {output}, []
    for place in reversed(range(len(nodes))):
        if nodes[place].output in wanted:
            wanted.update(nodes[place].inputs)
            kept.append(place)
    kept.reverse()
    slots = {0: 0} | {nodes[place].output: i for i, place in enumerate(kept, 1)}
    result: list[_Node] = []
    read: list[Stage] = []
    for place in kept:
        node = nodes[place]
        inputs = tuple(slots[slot] for slot in node.inputs)
        if isinstance(node, Affine):
            result.append(replace(node, inputs=inputs, output=slots[node.output]))
            continue
        result.append(replace(node, inputs=inputs, output=slots[node.output], stage=len(read)))
        read.append(replace(stages[node.stage], index=len(read)))
    return result, read, kept
