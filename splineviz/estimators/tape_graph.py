"""Reading a traced network for a tape: constants, stages, where the batch is, and the part before the first
nonlinearity."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from splineviz.errors import InputError
from splineviz.estimators.switches import StageReader, switch_of
from splineviz.estimators.tape_steps import Op, folded, op_of, resolved, scheduled
from splineviz.program.constants import cast, computed, stored
from splineviz.program.fidelity import sample
from splineviz.program.operations import OPERATIONS, Active, Builder, Constant, RefusedError, Step, is_complex
from splineviz.program.origin import Origin
from splineviz.program.program import Affine
from splineviz.program.trace import Ref, refs_of
from splineviz.showing import condensed

__all__ = ["RESHAPES", "TapeGraph"]

RESHAPES = frozenset(
    "contiguous clone detach alias to dropout view reshape flatten squeeze unsqueeze unflatten".split()
)
_SMOOTH_ENDS = frozenset("sigmoid log_sigmoid logsigmoid tanh softplus silu gelu".split())
_PARTS = frozenset(
    "split split_with_sizes chunk tensor_split unbind hsplit dsplit unsafe_split "
    "unsafe_split_with_sizes unsafe_chunk".split()
)


class TapeGraph:
    """Parts of a traced network, everything on the CPU and in float64.

    Attributes
    ----------
    ops
        The calls that depend on the input or on the number of inputs, in order.
    constants
        The values of all others, by call.
    active
        The calls that depend on the input; ``inputs`` are the input itself.
    complex
        Those whose values are complex numbers.
    layouts
        For each active call the axis that the batch is on, and the shape of its value for one input;
        ``ranks`` how many axes its value has.
    switches
        The stages.
    affine
        The calls before any nonlinearity whose values hold the batch on their first axis.
    values_alive
        Most numbers alive at once for one input.
    """

    def __init__(self, origin: Origin, *, fold: bool) -> None:
        self.origin, self.output = origin, origin.graph.output
        self.constants: dict[int, Any] = {}
        self.active: set[int] = set()
        self.complex: set[int] = set()
        self.inputs: tuple[int, ...] = ()
        self.layouts: dict[int, tuple[int, tuple[int, ...]]] = {}
        self.ranks: dict[int, int] = {}
        with torch.inference_mode(False):  # the operation table differentiates
            ops = self._read_ops()
            self.ops = folded(ops, self.constants) if fold else ops
            self.values_alive = self._examine(self.ops)
            self.switches = self._find_switches(self.ops)
            self.affine = self._first_affine(self.ops)

    def _read_ops(self) -> list[Op]:
        """Calls that the output needs, in order; those on constants alone are computed."""
        graph = self.origin.graph
        needed = graph.needed()
        self.inputs = tuple(i for i in needed if graph.calls[i].op == "input")
        self.active |= {*self.inputs}
        batch: set[int] = set()
        ops = []
        for index in needed:
            call = graph.calls[index]
            if call.op == "region":
                raise InputError("autocast blocks inside forward() cannot be followed", hint="remove them")
            if call.op == "input":
                continue
            if call.op == "weight":
                self.constants[index] = stored(graph, self.origin.weights, call.name)
                continue
            reads = set(call.refs())
            if call.op == "sym_size":
                batch.add(index)
            elif reads & self.active:
                self.active.add(index)
            elif reads & batch or call.batched:
                batch.add(index)
            else:
                given = {name: resolved(a, {}, self.constants, 0) for name, a in call.arguments.items()}
                self.constants[index] = computed(call, given)
                continue
            ops.append(op_of(index, call))
        self.constants = {
            i: cast(value, torch.float64, torch.device("cpu")) for i, value in self.constants.items()
        }
        return ops

    def _examine(self, ops: list[Op]) -> int:
        """Run on a few inputs: where the batch is in each value, whether inputs are kept apart, and how much
        is alive at once."""
        shapes: list[dict[int, tuple[int, ...]]] = []
        outputs, alive = [], 0
        x = sample(self.origin.input_shape, 3)
        for count in (2, 3):
            values: dict[int, Any] = dict.fromkeys(self.inputs, x[:count])
            found: dict[int, tuple[int, ...]] = dict.fromkeys(self.inputs, tuple(x[:count].shape))
            with torch.no_grad():
                for op in scheduled(ops, (self.output,), self.inputs):
                    try:
                        values[op.index] = result = op.run(values, self.constants, count)
                    except Exception as error:
                        where = f" in {op.call.place}" if op.call.place else ""
                        raise InputError(
                            f"'{op.call.op}'{where} does not run for {count} inputs: {condensed(error)}"
                        ) from error
                    first = result[0] if isinstance(result, (tuple, list)) else result
                    if isinstance(first, Tensor) and op.index in self.active:
                        found[op.index] = tuple(first.shape)
                        if first.is_complex():
                            self.complex.add(op.index)
                    alive = max(
                        alive, sum(v.numel() for v in values.values() if isinstance(v, Tensor)) // count
                    )
                    for index in op.frees:
                        if index not in self.inputs:
                            values.pop(index, None)
            shapes.append(found)
            outputs.append(values[self.output][:2])
        if not torch.allclose(outputs[0], outputs[1], rtol=1e-6, atol=1e-9, equal_nan=True):
            raise InputError(
                "the module mixes the inputs of a batch, so it is no function of one input",
                hint="a norm or mean over the first axis does so; give model.eval()",
            )
        for index in shapes[0].keys() & shapes[1].keys():
            two, three = shapes[0][index], shapes[1][index]
            axis = next((a for a, (p, q) in enumerate(zip(two, three, strict=False)) if p != q), None)
            if axis is not None and len(two) == len(three):
                share = two[axis] // 2
                others = (*two[:axis], *two[axis + 1 :])
                self.layouts[index] = axis, ((share,) if share > 1 else ()) + others
                self.ranks[index] = len(two)
        return alive

    def _find_switches(self, ops: list[Op]) -> tuple[StageReader, ...]:
        calls, end = self.origin.graph.calls, self.output
        while (
            calls[end].op in RESHAPES
            and len(reads := [i for i in refs_of(calls[end].arguments) if i in self.active]) == 1
        ):
            end = reads[0]
        shapes = {index: shape for index, (_, shape) in self.layouts.items()}
        builder, found = Builder(), []
        for op in ops:
            if op.index not in self.active or (op.index == end and op.call.op in _SMOOTH_ENDS):
                continue
            if self.complex & set(refs_of(op.arguments)):
                continue  # the modulus of a complex number switches nowhere, abs of a real one does
            arguments = {name: self._plain(argument) for name, argument in op.arguments.items()}
            if "dim" in arguments:
                arguments["dim"] = self._behind_batch(op, arguments["dim"])
            switch = switch_of(op.index, op.call, arguments, shapes, builder)
            if switch is not None:
                found.append(switch)
        if not found:
            raise InputError(
                "the network has no unit: nothing in it switches",
                hint="it needs a nonlinearity, such as relu, gelu or max-pool",
            )
        return tuple(found)

    def _behind_batch(self, op: Op, dim: Any) -> Any:
        """Axes that a call is along, where the batch of what it reads is moved to the front."""
        source = next((i for i in refs_of(op.arguments) if i in self.layouts), None)
        if source is None or dim is None:
            return dim
        (axis, shape), rank = self.layouts[source], self.ranks[source]
        further = len(shape) + 1 - rank  # one where the batch was folded into another axis

        def moved(d: int) -> int:
            return d % rank + further + (d % rank < axis)

        return [moved(d) for d in dim] if isinstance(dim, (list, tuple)) else moved(dim)

    def _plain(self, argument: Any) -> Any:
        """An argument with constants in place, activations still as references."""
        if isinstance(argument, Ref):
            return self.constants.get(argument.index, argument)
        return [self._plain(item) for item in argument] if isinstance(argument, list) else argument

    def _first_affine(self, ops: list[Op]) -> set[int]:
        """The calls that are affine in the input, as the operation table knows them."""
        affine, builder = set(self.inputs), Builder()
        batch = {op.index: op for op in ops if op.index not in self.active}
        for op in ops:
            reads = [i for i in refs_of(op.arguments) if i in self.active]
            whole = op.call.shape is not None and op.call.batched  # with the batch on its first axis
            if not reads or not all(i in affine for i in reads) or not (whole or op.call.op in _PARTS):
                continue
            if op.call.op in _PARTS or op.call.op == "getitem":
                affine.add(op.index)
                continue
            entry = OPERATIONS.get(op.call.op)
            if entry is None or "stage" in entry.makes or any(i not in self.layouts for i in reads):
                continue

            def tagged(argument: Any) -> Any:
                if isinstance(argument, list):
                    return [tagged(item) for item in argument]
                if isinstance(argument, Ref) and argument.index in self.active:
                    return Active(0, self.layouts[argument.index][1])
                if isinstance(argument, Ref) and argument.index in batch:
                    return self._of_batch(argument, ops)
                value = self._plain(argument)
                return Constant(value) if isinstance(argument, Ref) else value

            before, arguments = len(builder.nodes), {n: tagged(a) for n, a in op.arguments.items()}
            if is_complex(op.call.op, arguments):
                continue
            try:
                entry.lower(Step(op.call, arguments, op.call.shape or (), builder))
            except (RefusedError, InputError):
                continue
            if all(isinstance(node, Affine) for node in builder.nodes[before:]):
                affine.add(op.index)
        return affine

    def _of_batch(self, argument: Ref, ops: list[Op]) -> Constant:
        """A value that depends on the number of inputs only; one row of it where it has one for each."""
        value = resolved(argument, self._batch_values(ops), self.constants, 2)
        if self.origin.graph.calls[argument.index].batched and isinstance(value, Tensor):
            return Constant(value[:1], True)
        return Constant(value)

    def _batch_values(self, ops: list[Op]) -> dict[int, Any]:
        """Values, for two inputs, of the calls that depend on the number of inputs only."""
        values: dict[int, Any] = {}
        for op in ops:
            if op.index not in self.active:
                values[op.index] = op.run(values, self.constants, 2)
        return values
