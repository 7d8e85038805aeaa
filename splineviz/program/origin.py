"""Origin of a program before it was lowered: the traced graph and its weights, for estimators that run it in
any precision."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from splineviz.program.trace import Graph

__all__ = ["Origin"]


@dataclass(frozen=True)
class Origin:
    """A traced network with weights of its own; made for every network that torch can trace, piecewise affine
    or not."""

    graph: Graph
    weights: Mapping[str, Tensor]
    """Parameters and buffers by name, in the data type of the module."""
    name: str
    input_shape: tuple[int, ...]
    input_dtype: str | None
    """Kind of whole numbers that the file of the network declares for its input; ``None`` for real ones."""

    @classmethod
    def of(
        cls,
        graph: Graph,
        weights: Mapping[str, Tensor],
        name: str,
        input_shape: tuple[int, ...],
        input_dtype: str | None,
    ) -> Origin:
        """Make an origin with a copy of the weights, since those of a module in training go on changing."""
        used = {call.name for call in graph.calls if call.op == "weight"}
        own = {key: value.detach().clone() for key, value in weights.items() if key in used}
        return cls(graph, own, name, input_shape, input_dtype)

    @cached_property
    def digest(self) -> str:
        """sha256 of the operations, the weights and what is held beside them, such as fixed inputs, hex."""
        calls = [(call.op, call.shape, call.name, _settings(call.arguments)) for call in self.graph.calls]
        made = hashlib.sha256(repr(calls).encode())
        for key, value in sorted({**self.graph.constants, **self.weights}.items()):
            # as bytes, since NumPy lacks some of the types
            made.update(
                key.encode("utf-8", "surrogatepass")
                + value.cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
            )
        return made.hexdigest()

    def with_weights(self, weights: Mapping[str, Tensor]) -> Origin:
        """Origin with other weights for its graph."""
        return replace(self, weights={key: weights[key].detach().clone() for key in self.weights})


def _settings(argument: object) -> object:
    """The numbers and words among the arguments of a call, in their order; of others the kind alone."""
    if isinstance(argument, dict):
        return [(str(name), _settings(value)) for name, value in argument.items()]
    if isinstance(argument, list | tuple):
        return [_settings(value) for value in argument]
    if argument is None or isinstance(argument, bool | int | float | str):
        return argument
    return type(argument).__name__
