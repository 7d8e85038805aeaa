"""The module that an ONNX file becomes: initialisers as parameters under their own names, one submodule for
each node."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from splineviz.program.refusal import Offender

__all__ = ["RESERVED", "GraphStep", "OnnxNetwork"]


@dataclass(frozen=True)
class GraphStep:
    """One node to run: names of the tensors that enter and leave."""

    name: str
    kind: str
    run: Callable[..., Any]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class _Node(nn.Module):
    """One node. Each operator has a subclass of its own, so that the trace tells its name."""

    def __init__(self, run: Callable[..., Any]) -> None:
        super().__init__()
        self.run = run

    def forward(self, *tensors: Tensor) -> Any:
        """Run the node."""
        return self.run(*tensors)


class OnnxNetwork(nn.Module):
    """An ONNX graph that runs on (batch, *input_shape) and returns (batch, ...).

    Parameters
    ----------
    entry
        Name of the graph's input.
    input_dtype
        Kind of whole numbers that the graph declares for its input; None for real ones.
    held_shape
        How the graph holds one input, where this differs from ``input_shape`` by axes of length one.
    weights
        Tensors that the steps read, by name: those in ``free`` become parameters, which a state dict may
        replace.
    refused
        Operators that cannot be part of a program. Where there are any, ``forward`` is not the file's
        function but a stand-in that lets the rest of the graph be examined.
    """

    def __init__(
        self,
        *,
        entry: str,
        input_shape: tuple[int, ...],
        input_dtype: str | None,
        held_shape: tuple[int, ...],
        steps: Sequence[GraphStep],
        output: str,
        weights: Mapping[str, np.ndarray],
        free: frozenset[str],
        refused: Sequence[Offender],
    ) -> None:
        super().__init__()
        # RESERVED names all of these.
        self.input_shape, self.input_dtype, self.refused = input_shape, input_dtype, tuple(refused)
        self._entry, self._held_shape, self._steps, self._result = entry, held_shape, tuple(steps), output
        # one precision, since torch does not mix them: the lowest of float32 and float64 that holds every
        # number
        double = any(
            not np.array_equal(array, array.astype(np.float32), equal_nan=True) for array in weights.values()
        )
        kind = np.float64 if double else np.float32
        tensors = {
            name: torch.from_numpy(np.array(array, kind, order="C")) for name, array in weights.items()
        }
        self._places = {name: self._place(name, tensors[name], free=True) for name in tensors if name in free}
        for step in self._steps:
            self.add_module(step.name, type(step.kind, (_Node,), {"__module__": __name__})(step.run))
        # last, since nobody asks for these by name
        self._places |= {
            name: self._place(name, tensors[name], free=False) for name in tensors if name not in free
        }

    def forward(self, x: Tensor) -> Tensor:
        """Run all nodes on inputs with the batch in front."""
        tensors = {
            self._entry: x
            if self._held_shape == self.input_shape
            else x.reshape(x.shape[0], *self._held_shape)
        }
        for step in self._steps:
            results = self.get_submodule(step.name)(*(self._tensor(tensors, name) for name in step.inputs))
            tensors.update(
                zip(step.outputs, results if isinstance(results, tuple) else (results,), strict=True)
            )
        return tensors[self._result]

    def in_order(self, offenders: Sequence[Offender]) -> tuple[Offender, ...]:
        """Offenders that the trace found, and those of the file itself, in the order of the graph."""
        order = {f"{step.name} ({step.kind})": i for i, step in enumerate(self._steps)}
        return tuple(sorted((*self.refused, *offenders), key=lambda o: order.get(o.module, len(order))))

    def _tensor(self, tensors: Mapping[str, Tensor], name: str) -> Tensor:
        if name in tensors:
            return tensors[name]
        owner, attribute = self._places[name]
        tensor: Tensor = getattr(self.get_submodule(owner), attribute)
        return tensor

    def _place(self, name: str, tensor: Tensor, *, free: bool) -> tuple[str, str]:
        """Register a tensor so that the key in the state dict is its name: ``fc.weight`` is ``weight`` of a
        submodule ``fc``."""
        owner: nn.Module = self
        *path, last = (part or "_" for part in name.split("."))
        taken: list[str] = []
        for part in path:
            while hasattr(owner, part) and part not in owner._modules:
                part += "_"
            if part not in owner._modules:
                owner.add_module(part, nn.Module())
            owner = owner.get_submodule(part)
            taken.append(part)
        while hasattr(owner, last):
            last += "_"
        if free:
            owner.register_parameter(last, nn.Parameter(tensor, requires_grad=False))
        else:
            owner.register_buffer(last, tensor, persistent=False)
        return ".".join(taken), last


_OWN = "input_shape input_dtype refused _entry _held_shape _steps _result _places".split()

RESERVED = frozenset([*dir(nn.Module()), *dir(OnnxNetwork), *_OWN])
"""Names that a node cannot have as a submodule: those of the module's own attributes"""
