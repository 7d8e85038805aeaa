"""Input and result of an entry of the table of ONNX operators: one node with the shapes of its inputs, in; a
torch function, out.

Every tensor that depends on the network's input is held with the batch in front. An ONNX tensor of shape (1,
...) is held as (batch, ...), its own first axis being the batch; any other, of shape (n, ...), as (batch, n,
...). So files with a batch axis, with a baked batch of one and with none come out alike, and no layout of
theirs can mix the inputs of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from onnx import NodeProto, helper
from torch import Tensor

__all__ = [
    "OPERATORS",
    "Made",
    "Numbers",
    "OnnxNode",
    "RefusedNodeError",
    "Value",
    "held",
    "key_of",
    "operator",
    "unchanged",
]

Run = Callable[..., Any]


class RefusedNodeError(Exception):
    """The node cannot be part of a program; the message says why, in words that follow the operator's
    name."""


class Numbers(Enum):
    """Kind of the entries of a tensor."""

    REAL = "real numbers"
    WHOLE = "whole numbers"
    """Of a type that cuts off or wraps, so that they may be moved, and cast to real ones"""
    FLAGS = "true or false"


@dataclass(frozen=True)
class Value:
    """One tensor of the graph, by its ONNX shape."""

    name: str
    shape: tuple[int, ...]
    array: np.ndarray | None = None
    """Value, float64 where real, if it does not depend on the network's input."""
    weights: frozenset[str] = frozenset()
    """Initialisers that the array was computed from."""
    lost: bool = False
    """Whether an operator of unknown shape stands before it, so that nothing is known of it."""
    numbers: Numbers = Numbers.REAL
    """Kind of its entries, if it depends on the network's input."""

    @property
    def active(self) -> bool:
        """Whether it depends on the network's input."""
        return self.array is None


@dataclass(frozen=True)
class Made:
    """Computation of a node: ``run`` takes the tensors of the chosen ``inputs`` and returns one tensor, or a
    tuple of several.

    Results have the batch in front, and their own first axis behind it or, if it is of length one, left out:
    ``ranks`` tells how many axes each of them has in ONNX.
    """

    run: Run
    ranks: tuple[int, ...]
    inputs: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class OnnxNode:
    """One node, its inputs resolved."""

    proto: NodeProto
    opset: int
    inputs: tuple[Value | None, ...]
    batch: int | None
    """The fixed number of inputs above one that the file was written for, and that its shapes may name."""
    freeze: Callable[[frozenset[str]], None]
    """Told of the initialisers whose values become part of a function, and so cannot be replaced later."""

    @property
    def n_outputs(self) -> int:
        """Number of results."""
        return len(self.proto.output)

    def attribute(self, name: str, default: Any = None) -> Any:
        """An attribute; text as ``str``."""
        for attribute in self.proto.attribute:
            if attribute.name == name:
                value = helper.get_attribute_value(attribute)
                return value.decode() if isinstance(value, bytes) else value
        return default

    def has(self, index: int) -> bool:
        """Whether the optional input is given."""
        return index < len(self.inputs) and self.inputs[index] is not None

    def value(self, index: int = 0) -> Value:
        """Input of that index, which must be there."""
        value = self.inputs[index] if index < len(self.inputs) else None
        if value is None:
            raise RefusedNodeError(f"lacks its input {index}")
        return value

    def shape(self, index: int = 0) -> tuple[int, ...]:
        """ONNX shape of an input."""
        return self.value(index).shape

    def active(self, index: int = 0) -> bool:
        """Whether an input depends on that of the network."""
        return self.has(index) and self.value(index).active

    def only_active(self, index: int = 0) -> None:
        """Refuse any other input that depends on the network's."""
        if any(self.active(i) for i in range(len(self.inputs)) if i != index):
            raise RefusedNodeError("has weights or parameters that depend on the network's input")

    def array(self, index: int) -> np.ndarray | None:
        """The value of an optional input that has to be constant."""
        if not self.has(index):
            return None
        value = self.value(index)
        if value.array is None:
            raise RefusedNodeError(f"takes its input {index} from the values of an activation")
        self.freeze(value.weights)
        return value.array

    def numbers(self, name: str, index: int) -> list[Any] | None:
        """A list that is an attribute in older opsets and an input in newer ones."""
        given = self.attribute(name)
        if given is not None:
            return list(given)
        array = self.array(index)
        return None if array is None else list(array.reshape(-1).tolist())

    def axis(self, axis: int, rank: int | None = None) -> int:
        """An axis counted from the front."""
        return axis % max(1, len(self.shape()) if rank is None else rank)

    def along(self, axes: Sequence[int], index: int = 0) -> tuple[Callable[[Tensor], Tensor], int]:
        """A view in which each of the ONNX axes is an axis of its own, and how much further back they are
        there."""
        shape = self.shape(index)
        if held(shape) == shape:
            return unchanged, 1
        return (lambda x: x.unsqueeze(1), 1) if 0 in axes else (unchanged, 0)

    def aligned(self, index: int, rank: int, *, leading: bool) -> Callable[[Tensor], Tensor]:
        """Function that shapes an input for broadcasting against others of up to ``rank`` axes; with
        ``leading``, the first of them is the batch."""
        if not self.active(index):
            return unchanged
        shape = self.shape(index)
        full = (1,) * (rank - len(shape)) + shape
        target = full[1:] if leading else full
        return unchanged if target == held(shape) else lambda x: x.reshape(x.shape[0], *target)


def held(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape, behind the batch axis, in which an ONNX tensor of that shape is held."""
    return shape[1:] if shape and shape[0] == 1 else shape


def unchanged(x: Tensor) -> Tensor:
    return x


OPERATORS: dict[str, Callable[[OnnxNode], Made]] = {}
"""Name of an ONNX operator, behind its domain if it is of another -> what a node of it computes."""


def key_of(proto: NodeProto) -> str:
    """Name of a node's operator in the table."""
    return proto.op_type if proto.domain in ("", "ai.onnx") else f"{proto.domain}::{proto.op_type}"


def operator(*names: str) -> Callable[[Callable[[OnnxNode], Made]], Callable[[OnnxNode], Made]]:
    """Register an entry of the table under the names of its operators."""

    def register(entry: Callable[[OnnxNode], Made]) -> Callable[[OnnxNode], Made]:
        for name in names:
            OPERATORS[name] = entry
        return entry

    return register
