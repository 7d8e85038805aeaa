"""Running a traced network, piecewise affine or not, on many inputs in any precision, with a look at what enters each stage."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

import torch
from torch import Tensor

from splineviz.errors import InputError
from splineviz.estimators.ops import Op, folded, in_place, op_of, refs_of, resolved, scheduled
from splineviz.estimators.switches import Level, Switch, switch_of
from splineviz.program.fidelity import sample
from splineviz.program.modes import condensed
from splineviz.program.operations import OPERATIONS, Active, Builder, Constant, RefusedError, Step
from splineviz.program.origin import Origin
from splineviz.program.program import Affine
from splineviz.program.trace import Ref
from splineviz.stage import Stage

__all__ = ["Tape", "Visitor"]

_SMOOTH_ENDS = frozenset("sigmoid log_sigmoid logsigmoid tanh softplus silu gelu".split())
_RESHAPES = frozenset("contiguous clone detach alias to dropout view reshape flatten squeeze unsqueeze unflatten".split())
_PARTS = frozenset(
    "split split_with_sizes chunk tensor_split unbind hsplit dsplit unsafe_split unsafe_split_with_sizes unsafe_chunk".split()
)


class Visitor(Protocol):
    """Looks at a network while it runs."""

    def enter(self, switch: Switch, values: tuple[Tensor, ...]) -> Tensor | None:
        """Before a stage: what enters it; a tensor that is returned enters in place of the first one."""

    def leave(self, switch: Switch, result: Tensor) -> None:
        """After a stage: what it made."""


class Tape:
    """A traced network as a list of torch calls, with its stages.

    Parameters
    ----------
    origin
        The network.
    dtype, device
        What it runs in, and where.
    for_gradients
        Leave batch norms apart, and write nothing in place.

    Attributes
    ----------
    switches
        The stages in execution order. A smooth function at the very end of the network is its output, and no stage.
    entrance
        Calls of the first affine part whose values the rest of the network reads.
    values_alive
        Most numbers alive at once for one input.
    """

    def __init__(
        self, origin: Origin, dtype: torch.dtype = torch.float64, device: torch.device | str = "cpu", *, for_gradients: bool = False
    ) -> None:
        self.origin, self.dtype, self.device = origin, dtype, torch.device(device)
        self._output = origin.graph.output
        self._constants: dict[int, Any] = {}
        self._active: set[int] = set()
        with torch.inference_mode(False):  # the operation table differentiates
            self._make(for_gradients)

    def _make(self, for_gradients: bool) -> None:
        ops = self._ops()
        if not for_gradients:
            ops = folded(ops, self._constants)
        self._layouts: dict[int, tuple[int, tuple[int, ...]]] = {}
        self.values_alive = self._examine(ops)
        self.switches = self._find_switches(ops)
        by_call = {switch.call: switch for switch in self.switches}
        affine = self._first_affine(ops)
        prefix = [op for op in ops if op.index in affine or op.index not in self._active]
        rest = [replace(op, switch=by_call.get(op.index)) for op in ops if op.index not in affine]
        read = {self._output, *(i for op in rest if op.index in self._active for i in refs_of(op.arguments))}
        self.entrance = tuple(sorted(affine & read))
        self._cast(prefix, rest)
        self._prefix = scheduled(prefix, self.entrance, self._inputs)
        last = self.switches[-1].call
        self._to_stages = scheduled(rest, (), self.entrance, until=last)
        if not for_gradients:
            self._to_stages = in_place(self._to_stages, self.entrance)
        self._to_output = scheduled(rest, (self._output,), self.entrance)

    @property
    def stages(self) -> tuple[Stage, ...]:
        return tuple(switch.stage for switch in self.switches)

    def enter(self, x: Tensor) -> dict[int, Tensor]:
        """The values of the first affine part that the rest of the network reads, for inputs (batch, *input_shape)."""
        values: dict[int, Any] = dict.fromkeys(self._inputs, x)
        for op in self._prefix:
            values[op.index] = op.run(values, self._constants, len(x))
        return {index: values[index] for index in self.entrance}

    def proceed(self, entrance: dict[int, Tensor], count: int, visitor: Visitor) -> None:
        """Run the rest for ``count`` inputs, as far as the last stage. The tensors that were given may be overwritten."""
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

    def _run(self, ops: tuple[Op, ...], values: dict[int, Any], count: int, visitor: Visitor) -> dict[int, Any]:
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

    def linear_layers(self) -> list[Tensor] | None:
        """The matrices of a chain that consists of linear layers, stages and reshaping; ``None`` for any other network."""
        matrices = []
        for op in self._prefix + self._to_output:
            if op.index not in self._active or op.switch is not None or op.call.op in _RESHAPES:
                continue
            weight = op.arguments.get("weight")
            if op.call.op != "linear" or not isinstance(weight, Ref):
                return None
            matrices.append(self.constant(weight))
        return matrices if self.is_chain else None

    def _ops(self) -> list[Op]:
        """The calls that the output needs, constants folded in float64."""
        calls, needed, stack = self.origin.graph.calls, set(), [self._output]
        while stack:
            index = stack.pop()
            if index not in needed:
                needed.add(index)
                stack.extend(calls[index].refs())
        self._inputs = tuple(i for i in sorted(needed) if calls[i].op == "input")
        batch: set[int] = set()
        ops = []
        for index in sorted(needed):
            call = calls[index]
            if call.op == "region":
                raise InputError("autocast and gradient blocks inside forward() cannot be followed", hint="remove them")
            if call.op == "input":
                self._active.add(index)
            elif call.op == "weight":
                value = self.origin.weights.get(call.name)
                value = self.origin.graph.constants[call.name] if value is None else value
                self._constants[index] = value.cpu().to(torch.float64 if value.is_floating_point() else value.dtype, copy=True)
            elif call.op == "sym_size":
                batch.add(index)
                ops.append(op_of(index, call))
            else:
                op = op_of(index, call)
                op = replace(op, arguments={name: _cast(a, torch.float64, torch.device("cpu")) for name, a in op.arguments.items()})
                reads = set(refs_of(op.arguments))
                if reads & self._active:
                    self._active.add(index)
                elif reads & batch or call.batched:
                    batch.add(index)
                else:
                    self._constants[index] = op.run({}, self._constants, 0)
                    continue
                ops.append(op)
        return ops

    def _examine(self, ops: list[Op]) -> int:
        """Run on a few inputs: where the batch is in each value, whether inputs are kept apart, and how much is alive at once."""
        shapes: list[dict[int, tuple[int, ...]]] = []
        outputs, alive = [], 0
        x = sample(self.origin.input_shape, 3)
        for count in (2, 3):
            values: dict[int, Any] = dict.fromkeys(self._inputs, x[:count])
            found: dict[int, tuple[int, ...]] = dict.fromkeys(self._inputs, tuple(x[:count].shape))
            with torch.no_grad():
                for op in scheduled(ops, (self._output,), self._inputs):
                    try:
                        values[op.index] = result = op.run(values, self._constants, count)
                    except Exception as error:
                        where = f" in {op.call.place}" if op.call.place else ""
                        raise InputError(f"'{op.call.op}'{where} does not run for {count} inputs: {condensed(error)}") from error
                    first = result[0] if isinstance(result, (tuple, list)) else result
                    if isinstance(first, Tensor) and op.index in self._active:
                        found[op.index] = tuple(first.shape)
                    alive = max(alive, sum(v.numel() for v in values.values() if isinstance(v, Tensor)) // count)
                    for index in op.frees:
                        if index not in self._inputs:
                            values.pop(index, None)
            shapes.append(found)
            outputs.append(values[self._output][:2])
        if not torch.allclose(outputs[0], outputs[1], rtol=1e-6, atol=1e-9, equal_nan=True):
            raise InputError("the module mixes the inputs of a batch, so it is no function of one input")
        for index in shapes[0].keys() & shapes[1].keys():
            two, three = shapes[0][index], shapes[1][index]
            axis = next((a for a, (p, q) in enumerate(zip(two, three, strict=False)) if p != q), None)
            if axis is not None and len(two) == len(three):
                share = two[axis] // 2
                others = (*two[:axis], *two[axis + 1 :])
                self._layouts[index] = axis, ((share,) if share > 1 else ()) + others
        return alive

    def _find_switches(self, ops: list[Op]) -> tuple[Switch, ...]:
        calls, end = self.origin.graph.calls, self._output
        while calls[end].op in _RESHAPES and len(reads := [i for i in refs_of(calls[end].arguments) if i in self._active]) == 1:
            end = reads[0]
        shapes = {index: shape for index, (_, shape) in self._layouts.items()}
        builder, found = Builder(), []
        for op in ops:
            if op.index not in self._active or (op.index == end and op.call.op in _SMOOTH_ENDS):
                continue
            arguments = {name: self._plain(argument) for name, argument in op.arguments.items()}
            switch = switch_of(op.index, op.call, arguments, shapes, builder)
            if switch is not None:
                found.append(switch)
        if not found:
            raise InputError(
                "the network has no unit: nothing in it switches", hint="it needs a nonlinearity, such as relu, gelu or max-pool"
            )
        return tuple(found)

    def _plain(self, argument: Any) -> Any:
        """An argument with constants in place, activations still as references."""
        if isinstance(argument, Ref):
            return self._constants.get(argument.index, argument)
        return [self._plain(item) for item in argument] if isinstance(argument, list) else argument

    def _first_affine(self, ops: list[Op]) -> set[int]:
        """The calls that are affine in the input, as the operation table knows them."""
        affine, builder = set(self._inputs), Builder()
        batch = {op.index: op for op in ops if op.index not in self._active}
        for op in ops:
            reads = [i for i in refs_of(op.arguments) if i in self._active]
            whole = op.call.shape is not None and op.call.batched  # with the batch on its first axis
            if not reads or not all(i in affine for i in reads) or not (whole or op.call.op in _PARTS):
                continue
            if op.call.op in _PARTS or op.call.op == "getitem":
                affine.add(op.index)
                continue
            entry = OPERATIONS.get(op.call.op)
            if entry is None or "stage" in entry.makes or any(i not in self._layouts for i in reads):
                continue

            def tagged(argument: Any) -> Any:
                if isinstance(argument, list):
                    return [tagged(item) for item in argument]
                if isinstance(argument, Ref) and argument.index in self._active:
                    return Active(0, self._layouts[argument.index][1])
                if isinstance(argument, Ref) and argument.index in batch:
                    return Constant(resolved(argument, self._batch_values(ops), self._constants, 2))
                value = self._plain(argument)
                return Constant(value) if isinstance(argument, Ref) else value

            before = len(builder.nodes)
            try:
                entry.lower(Step(op.call, {n: tagged(a) for n, a in op.arguments.items()}, op.call.shape or (), builder))
            except (RefusedError, InputError):
                continue
            if all(isinstance(node, Affine) for node in builder.nodes[before:]):
                affine.add(op.index)
        return affine

    def _batch_values(self, ops: list[Op]) -> dict[int, Any]:
        """What depends on the number of inputs only, for two."""
        values: dict[int, Any] = {}
        for op in ops:
            if op.index not in self._active:
                values[op.index] = op.run(values, self._constants, 2)
        return values

    def _cast(self, *lists: list[Op]) -> None:
        """Constants, and data types and devices named in arguments, to those that the tape runs in."""
        self._constants = {i: _cast(value, self.dtype, self.device) for i, value in self._constants.items()}
        for ops in lists:
            ops[:] = [replace(o, arguments={n: _cast(a, self.dtype, self.device) for n, a in o.arguments.items()}) for o in ops]
        cast = []
        for switch in self.switches:
            if isinstance(switch.rule, Level):
                switch = replace(switch, rule=Level(_cast(switch.rule.breakpoints, self.dtype, self.device)))
            cast.append(switch)
        self.switches = tuple(cast)
        by_call = {switch.call: switch for switch in cast}
        for ops in lists:
            ops[:] = [replace(op, switch=by_call[op.index]) if op.switch is not None else op for op in ops]


def _cast(value: Any, dtype: torch.dtype, device: torch.device) -> Any:
    if isinstance(value, Tensor):
        return value.to(device, dtype if value.is_floating_point() else value.dtype)
    if isinstance(value, torch.dtype):
        return dtype if value.is_floating_point else value
    if isinstance(value, torch.device):
        return device
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        return type(value)(_cast(item, dtype, device) for item in value)
    return value
