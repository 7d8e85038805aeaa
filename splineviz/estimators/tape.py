"""Running a traced network, piecewise affine or not, on many inputs in any precision, with a look at what
enters each stage."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from splineviz.estimators.switches import Level, StageReader
from splineviz.estimators.tape_graph import RESHAPES, TapeGraph
from splineviz.estimators.tape_steps import Op, channels_last, in_place, scheduled
from splineviz.program.constants import cast
from splineviz.program.origin import Origin
from splineviz.program.trace import Ref, refs_of
from splineviz.stage import Stage

__all__ = ["Tape", "Visitor"]


class Visitor(Protocol):
    """Looks at a network while it runs."""

    def enter(self, switch: StageReader, values: tuple[Tensor, ...]) -> Tensor | None:
        """Look at what enters a stage; a tensor that is returned enters in place of the first one."""

    def leave(self, switch: StageReader, result: Tensor) -> None:
        """Look at what a stage made."""


class Tape:
    """A traced network as a list of torch calls, with its stages.

    Parameters
    ----------
    origin
        The network.
    dtype, device
        What it runs in, and where.
    for_gradients
        Leave batch norms apart, write nothing in place, and compute attention by plain products, whose
        derivatives torch knows.

    Attributes
    ----------
    switches
        The stages in execution order. A smooth function at the very end of the network is its output, and no
        stage.
    entrance
        Calls of the first affine part whose values the rest of the network reads.
    values_alive
        Most numbers alive at once for one input.
    """

    def __init__(
        self,
        origin: Origin,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
        *,
        for_gradients: bool = False,
    ) -> None:
        self.origin, self.dtype, self.device = origin, dtype, torch.device(device)
        self._for_gradients = for_gradients
        read = TapeGraph(origin, fold=not for_gradients)
        self._output, self._inputs, self._active, self._layouts = (
            read.output,
            read.inputs,
            read.active,
            read.layouts,
        )
        self.values_alive = read.values_alive
        self._constants = {i: cast(value, self.dtype, self.device) for i, value in read.constants.items()}
        self.switches = tuple(self._cast_switch(switch) for switch in read.switches)
        by_call = {switch.call: switch for switch in self.switches}
        ops = [
            replace(op, switch=by_call.get(op.index), arguments=self._cast_arguments(op)) for op in read.ops
        ]
        if not for_gradients and self.device.type == "cpu" and dtype == torch.float32:
            ops = channels_last(ops, self._constants)
        prefix = [op for op in ops if op.index in read.affine or op.index not in self._active]
        rest = [op for op in ops if op.index not in read.affine]
        wanted = {
            self._output,
            *(i for op in rest if op.index in self._active for i in refs_of(op.arguments)),
        }
        self.entrance = tuple(sorted(read.affine & wanted))
        self._prefix = scheduled(prefix, self.entrance, self._inputs)
        self._to_stages = scheduled(rest, (), self.entrance, until=self.switches[-1].call)
        if not for_gradients:
            self._to_stages = in_place(self._to_stages, self.entrance)
        self._to_output = scheduled(rest, (self._output,), self.entrance)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Stages of the network, in order."""
        return tuple(switch.stage for switch in self.switches)

    def enter(self, x: Tensor) -> dict[int, Tensor]:
        """The values of the first affine part that the rest of the network reads, for inputs (batch,
        *input_shape)."""
        values: dict[int, Any] = dict.fromkeys(self._inputs, x)
        for op in self._prefix:
            values[op.index] = op.run(values, self._constants, len(x))
        return {index: values[index] for index in self.entrance}

    def proceed(self, entrance: dict[int, Tensor], count: int, visitor: Visitor) -> None:
        """Run the rest for ``count`` inputs, as far as the last stage. The tensors that were given may be
        overwritten."""
        self._run(self._to_stages, dict(entrance), count, visitor)

    def finish(self, entrance: dict[int, Tensor], count: int, visitor: Visitor) -> Tensor:
        """Run the rest for ``count`` inputs, to the output."""
        output: Tensor = self._run(self._to_output, dict(entrance), count, visitor)[self._output]
        return output

    def constant(self, ref: Ref) -> Tensor:
        """A weight, as the tape holds it."""
        value: Tensor = self._constants[ref.index]
        return value

    def batch_first(self, source: int, z: Tensor, count: int) -> Tensor:
        """(count, *shape) of the value of a call, wherever the network holds the batch."""
        axis, shape = self._layouts[source]
        moved = z if axis == 0 else z.movedim(axis, 0)
        return moved.reshape(count, *shape)

    def laid_out(self, source: int, rows: Tensor, like: Tensor) -> Tensor:
        """The inverse of :meth:`batch_first`: rows with the batch where a call's value, such as ``like``,
        holds it."""
        axis, _ = self._layouts[source]
        return rows.reshape(like.movedim(axis, 0).shape).movedim(0, axis)

    def _run(
        self, ops: tuple[Op, ...], values: dict[int, Any], count: int, visitor: Visitor
    ) -> dict[int, Any]:
        # the fused kernels have no forward derivative
        with sdpa_kernel(SDPBackend.MATH) if self._for_gradients else nullcontext():
            return self._run_each(ops, values, count, visitor)

    def _run_each(
        self, ops: tuple[Op, ...], values: dict[int, Any], count: int, visitor: Visitor
    ) -> dict[int, Any]:
        for op in ops:
            seen = values
            if op.switch is not None:
                changed = visitor.enter(op.switch, tuple(values[i] for i in op.switch.sources))
                if changed is not None:
                    seen = {**values, op.switch.sources[0]: changed}
                if op.index == self.switches[-1].call and ops is self._to_stages:
                    break
            values[op.index] = result = op.run(seen, self._constants, count)
            if op.switch is not None:
                visitor.leave(op.switch, result[0] if isinstance(result, (tuple, list)) else result)
            for index in op.frees:
                values.pop(index, None)
        return values

    @property
    def is_chain(self) -> bool:
        """Whether every stage is passed by all that reaches the next one."""
        steps = [op for op in self._prefix + self._to_output if op.index in self._active]
        readers: dict[int, int] = {}
        for op in steps:
            reads = {i for i in refs_of(op.arguments) if i in self._active}
            if len(reads) != 1 or op.call.op == "getitem":
                return False
            for index in reads:
                readers[index] = readers.get(index, 0) + 1
        return all(count == 1 for count in readers.values())

    def matrices_before_stages(self) -> list[Tensor] | None:
        """The linear map before each stage of a chain of linear layers on vectors; ``None`` for any other
        network."""
        matrices: list[Tensor] = []
        before: Tensor | None = None
        for op in self._prefix + self._to_output:
            if op.index not in self._active or op.call.op in RESHAPES or len(matrices) == len(self.switches):
                continue
            weight = op.arguments.get("weight")
            if op.switch is not None and before is not None:
                matrices.append(before)
                before = None
            elif op.call.op == "linear" and isinstance(weight, Ref) and len(op.call.shape or ()) == 1:
                before = self.constant(weight) if before is None else self.constant(weight) @ before
            else:
                return None
        return matrices if self.is_chain else None

    def _cast_arguments(self, op: Op) -> dict[str, Any]:
        return {name: cast(argument, self.dtype, self.device) for name, argument in op.arguments.items()}

    def _cast_switch(self, switch: StageReader) -> StageReader:
        if not isinstance(switch.rule, Level):
            return switch
        return replace(
            switch,
            rule=replace(switch.rule, breakpoints=cast(switch.rule.breakpoints, self.dtype, self.device)),
        )
