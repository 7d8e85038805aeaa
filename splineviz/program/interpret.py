"""Carrying values of any kind through a program: tensors, sizes, derivatives, error bounds, exact numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from splineviz.program.nodes import Affine, Maximum, Pointwise

__all__ = ["Interpreter", "Value", "walk"]

Value = TypeVar("Value")


@dataclass(frozen=True)
class Interpreter(Generic[Value]):
    """The meaning of each kind of node for values of one kind."""

    affine: Callable[[Affine, Sequence[Value]], Value]
    pointwise: Callable[[Pointwise, Value], Value]
    maximum: Callable[[Maximum, Value], Value]

    def result(self, node: Affine | Pointwise | Maximum, values: Sequence[Value]) -> Value:
        """The value that a node makes of the values of its inputs."""
        if isinstance(node, Affine):
            return self.affine(node, values)
        (value,) = values
        return self.pointwise(node, value) if isinstance(node, Pointwise) else self.maximum(node, value)


def walk(
    nodes: Iterable[Affine | Pointwise | Maximum], slots: dict[int, Value], interpreter: Interpreter[Value]
) -> Iterator[Affine | Pointwise | Maximum]:
    """Fill the slots of nodes in their order; yields each node while its inputs and its result are in them.

    Slots that no later node reads are then freed. Between two nodes the caller may replace values.
    """
    for node in nodes:
        slots[node.output] = interpreter.result(node, [slots[i] for i in node.inputs])
        yield node
        for slot in node.frees:
            slots.pop(slot, None)
