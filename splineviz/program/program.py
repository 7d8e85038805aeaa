"""The program: a network once traced, as nodes in execution order."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

import splineviz.program.pickling  # noqa: F401 the reducers that it registers
from splineviz.errors import InputError
from splineviz.few_lines import few_lines
from splineviz.program.interpret import Interpreter, Value, walk
from splineviz.program.nodes import Affine, Form, Gain, Maximum, Node, Pointwise
from splineviz.program.origin import Origin
from splineviz.program.state_dicts import Weights
from splineviz.showing import in_lines
from splineviz.stage import ProgramInfo, Stage

__all__ = ["Affine", "Fidelity", "Form", "Gain", "Maximum", "Node", "Pointwise", "Program", "Stage"]


@dataclass(frozen=True)
class Fidelity:
    """Difference of the program's outputs from the module's own forward pass, on seeded random inputs.

    Differences are max |program - module| / max |program|, the worst over ``samples`` inputs of several
    magnitudes.
    """

    float64: float | None
    """Against the module run in float64; ``None`` where it cannot run so."""
    float32: float | None
    """Against the module run in float32; ``None`` where it cannot run so."""
    samples: int
    dynamic_batch: bool
    """False if the module was traced with a fixed number of inputs at a time."""


@dataclass(frozen=True)
class Program:
    """A traced network, its weights as float64. Made by :func:`splineviz.load_program`.

    ``nodes`` are in execution order, ``output`` is the slot of the result, ``n_slots`` the number of slots.
    """

    nodes: tuple[Affine | Pointwise | Maximum, ...]
    stages: tuple[Stage, ...]
    n_slots: int
    output: int
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    name: str
    digest: str
    """sha256 of structure and float64 coefficients, hex."""
    n_parameters: int
    _rebind: Callable[[Weights, str | None], Program] = field(repr=False, compare=False)
    fidelity: Fidelity | None = None
    """``None`` after :meth:`rebind`, which does not run the module."""
    input_dtype: str | None = None
    """Kind of whole numbers, such as ``uint8``, that the file of the network declares for its input; ``None``
    for real ones."""
    cut_off: str | None = None
    """The last operation of the module, where the program ends before it."""
    origin: Origin | None = field(default=None, repr=False, compare=False)
    """The traced network that it was lowered from, with its weights; ``None`` for a program made by hand."""
    beginnings: tuple[str, ...] = field(default=(), repr=False, compare=False)
    """For each of the first nodes the sha256 of structure and coefficients up to there; what is equal is one
    beginning."""

    def __repr__(self) -> str:
        shapes = f"{self.input_shape} -> {self.output_shape}"
        lines = [f"Program {self.name}: {shapes}, {self.n_parameters:,} parameters, {self.n_units:,} units"]
        lines += few_lines([stage.summary for stage in self.stages])
        lines += [f"cut off: {self.cut_off}"] if self.cut_off else []
        return in_lines([*lines, f"digest {self.digest[:16]}"])

    @property
    def n_units(self) -> int:
        return sum(stage.n_units for stage in self.stages)

    @cached_property
    def shapes(self) -> dict[int, tuple[int, ...]]:
        """Shape of the tensor in every slot, without batch."""
        slots, shapes = {0: torch.zeros(1, *self.input_shape, dtype=torch.float64)}, {0: self.input_shape}
        with torch.no_grad():
            for node in walk(self.nodes, slots, _TENSORS):
                shapes[node.output] = tuple(slots[node.output].shape[1:])
        return shapes

    @cached_property
    def values_alive(self) -> tuple[int, ...]:
        """Most numbers alive at once for one input: before the first stage, then from each stage to the
        next."""

        def size(node: Node, _: object) -> int:
            return math.prod(self.shapes[node.output])

        slots = {0: math.prod(self.input_shape)}
        peaks = [slots[0]]
        for node in walk(self.nodes, slots, Interpreter(size, size, size)):
            alive = sum(slots.values())
            peaks[-1] = max(peaks[-1], alive)
            if not isinstance(node, Affine):
                peaks.append(alive)
        return tuple(peaks)

    @cached_property
    def ways(self) -> tuple[tuple[Affine | Pointwise | Maximum, ...], ...]:
        """For each stage the nodes that its units depend on, in order, its own last."""
        result = []
        for i, node in enumerate(self.nodes):
            if isinstance(node, Affine):
                continue
            way: list[Affine | Pointwise | Maximum] = [node]
            wanted = set(node.inputs)
            for before in reversed(self.nodes[:i]):
                if before.output in wanted:
                    wanted.update(before.inputs)
                    way.append(before)
            result.append(tuple(reversed(way)))
        return tuple(result)

    @property
    def info(self) -> ProgramInfo:
        """The name card that an arrangement keeps."""
        shapes = self.input_shape, self.output_shape
        return ProgramInfo(self.name, self.digest, self.stages, *shapes, self.n_parameters, self.cut_off)

    def rebind(self, weights: Weights, weights_key: str | None = None) -> Program:
        """The network with other weights, without tracing again; as for :func:`splineviz.load_program`."""
        return self._rebind(weights, weights_key)

    def alone(self) -> Program:
        """A copy without the network that it came from, which only rebinding and the estimators need; half as
        large."""
        return replace(self, origin=None, _rebind=_cannot_rebind)

    def interpret(self, start: Value, interpreter: Interpreter[Value], *, until: int | None = None) -> Value:
        """Carry a value of any kind from the input to the output, or to where it enters stage ``until``."""
        nodes, output = self.nodes, self.output
        if until is not None:
            nodes, (output,) = self.ways[until][:-1], self.ways[until][-1].inputs
        slots = {0: start}
        for _ in walk(nodes, slots, interpreter):
            pass
        return slots[output]

    def forward(self, x: Tensor) -> Tensor:
        """Run the program on (batch, *input_shape); float64 in, float64 out."""
        return self.interpret(x, _TENSORS)


def _run(node: Affine, values: Sequence[Tensor]) -> Tensor:
    return node.run(*values)


def _run_bend(node: Pointwise | Maximum, value: Tensor) -> Tensor:
    return node.run(value)


_TENSORS = Interpreter(_run, _run_bend, _run_bend)


def _cannot_rebind(_weights: Weights, _key: str | None) -> Program:
    raise InputError(
        "this program was sent without the network that it came from",
        hint="rebind the program of load_program",
    )
