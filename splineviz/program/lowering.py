"""Nodes of a program, from a traced graph and a set of weights: constants are folded, the rest goes through
the table."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from splineviz.errors import InputError
from splineviz.program.constants import cast, computed, stored
from splineviz.program.infinite_entries import without_infinite_entries
from splineviz.program.operations import (
    BATCH,
    COMPARISONS,
    COMPLEX,
    GATES,
    OPERATIONS,
    Active,
    Builder,
    Complex,
    Constant,
    Piecewise,
    RefusedError,
    Rows,
    Step,
    is_complex,
    lost,
    settled,
    why_not_complex,
)
from splineviz.program.program import Affine, Maximum, Pointwise, Stage
from splineviz.program.refusal import Offender, offender, why
from splineviz.program.trace import BatchSize, Call, Graph, Ref
from splineviz.program.unread import without_unread
from splineviz.showing import condensed

__all__ = ["Lowered", "lower", "with_frees"]

_SHAPE_ONLY = frozenset(
    "sym_size zeros_like ones_like full_like empty_like new_zeros new_ones new_full new_empty".split()
)
_IN_PARTS = frozenset(
    "split split_with_sizes chunk tensor_split unbind hsplit dsplit max min".split()
    + "unsafe_split unsafe_split_with_sizes unsafe_chunk cummax cummin".split()
    + "broadcast_tensors native_dropout native_batch_norm _native_batch_norm_legit".split()
    + "_native_batch_norm_legit_no_training rrelu_with_noise_functional".split()
)
_OF_ROWS = frozenset({"index", "index_put"})
_POOLS_IN_PARTS = ("max_pool", "adaptive_max_pool")
_UNTAKEN = Active(-1, ())  # stands for results that are lowered one by one, where they are taken
_LOST = Active(
    -1, ()
)  # stands for what a refused call would have made, where its shape is not that of one input
_UNKNOWN_SIZE = (
    "makes a tensor whose size depends on values (a boolean mask: index by numbers), or on the number of "
    "inputs"
)
_MIXED = "mixes the inputs of the batch, or moves the batch axis"


@dataclass(frozen=True)
class Lowered:
    """Nodes and stages of a graph with its weights; ``offenders`` is empty if all of it could be followed."""

    nodes: tuple[Affine | Pointwise | Maximum, ...]
    stages: tuple[Stage, ...]
    n_slots: int
    output: int
    output_shape: tuple[int, ...]
    digest: str
    beginnings: tuple[str, ...]
    offenders: tuple[Offender, ...]


def lower(graph: Graph, weights: Mapping[str, Tensor]) -> Lowered:
    """Lower a graph with float64 weights.

    Raises
    ------
    InputError
        If the output does not depend on the input.
    """
    return _Lowering(graph, weights).run()


class _Lowering:
    def __init__(self, graph: Graph, weights: Mapping[str, Tensor]) -> None:
        self.graph, self.weights = graph, weights
        self.builder = Builder()
        self.values: dict[int, Any] = {}
        self.offenders: list[Offender] = []
        self.digest = hashlib.sha256()
        self.beginnings: list[str] = []
        self.settled: dict[int, tuple[Piecewise, Active | Constant]] = {}
        self.infinite = False
        """Whether any constant is"""

    def run(self) -> Lowered:
        """Lower all calls that the output needs."""
        needed = self.graph.needed(_SHAPE_ONLY)
        readers = Counter(i for index in needed for i in set(self.graph.calls[index].refs()))
        for index in needed:
            value = self._value(self.graph.calls[index])
            self.values[index] = self._early(value) if readers[index] > 1 else value
            self._mark()
        output = self._settled(self.values[self.graph.output])
        self._mark()
        if self.offenders:
            return Lowered((), (), 1, 0, (), "", (), tuple(dict.fromkeys(self.offenders)))
        if isinstance(output, Complex):
            raise InputError(
                "the output of the model is complex",
                hint="let forward() return .real, .imag or torch.view_as_real of it",
            )
        if not isinstance(output, Active):
            raise InputError(
                "the output of the model does not depend on its input",
                hint="does forward() use its argument?",
            )
        b, slot = self.builder, output.slot
        self.digest.update(repr((b.n_slots, slot, output.shape)).encode())
        if self.infinite:
            shape = next(call.shape for call in self.graph.calls if call.op == "input") or ()
            b.nodes = without_infinite_entries(b.nodes, shape, slot)
        nodes, stages, kept = without_unread(b.nodes, b.stages, slot)
        slot = next((i for i, k in enumerate(kept, 1) if b.nodes[k].output == slot), 0)
        return Lowered(
            nodes=with_frees(nodes, slot),
            stages=tuple(stages),
            n_slots=len(nodes) + 1,
            output=slot,
            output_shape=output.shape,
            digest=self.digest.hexdigest(),
            beginnings=tuple(self.beginnings[k] for k in kept),
            offenders=(),
        )

    def _mark(self) -> None:
        """Note how the network began, for the nodes that are new."""
        self.beginnings += [self.digest.hexdigest()] * (len(self.builder.nodes) - len(self.beginnings))

    def _value(self, call: Call) -> Any:
        if call.op == "input":
            return Active(0, call.shape or ())
        if call.op == "weight":
            return Constant(stored(self.graph, self.weights, call.name))
        if call.op == "region":
            return Constant(None)
        if call.op == "sym_size":
            return Constant(self._length(call))
        arguments = {name: self._resolve(value) for name, value in call.arguments.items()}
        if call.op == "type_as" and isinstance(arguments["other"], Active):
            arguments["other"] = Constant(torch.zeros(1, dtype=torch.float64))  # of which it reads the type
            if isinstance(arguments["self"], Constant):
                return self._fold(call, arguments)
        if call.op not in _SHAPE_ONLY and any(
            isinstance(self.values[i], (Active, Piecewise, Complex)) for i in call.refs()
        ):
            if self._is_gate(call, arguments):
                return self._gated(call, arguments)
            return self._active(call, arguments)
        if call.refused:
            return self._refuse(call, call.refused)
        try:
            return self._fold(call, arguments)
        except Exception as error:  # of torch, for arguments that make sense only with a whole batch
            return self._refuse(call, f"on constants cannot be computed ahead: {condensed(error)}")

    def _length(self, call: Call) -> int:
        """The number of inputs, or the length of an axis that the trace left open."""
        of, axis = self.values.get(call.arguments["self"].index), call.arguments["dim"]
        return of.shape[axis - 1] if axis and isinstance(of, Active) else BatchSize(BATCH)

    def _resolve(self, argument: Any) -> Any:
        """An argument with references replaced by values; lists keep tagged values inside."""
        if isinstance(argument, Ref):
            return self.values.get(argument.index, argument)
        if isinstance(argument, list):
            items = [self._resolve(item) for item in argument]
            return [
                i.value if isinstance(i, Constant) and not isinstance(i.value, Tensor) else i for i in items
            ]
        return argument

    def _is_gate(self, call: Call, arguments: dict[str, Any]) -> bool:
        """Whether a call compares activations, or reads what a comparison made."""
        made = any(isinstance(value, Piecewise) for value in _flat(arguments))
        if is_complex(call.op, arguments):
            return False
        asked = call.op in COMPARISONS or (call.op == "to" and arguments.get("dtype") == torch.bool)
        return (asked or (made and call.op in GATES)) and not call.refused

    def _gated(self, call: Call, arguments: dict[str, Any]) -> Piecewise | Active | Complex | Constant:
        """Lower one call that a comparison takes part in, with activations in place of continuous functions
        where these have nothing in common."""
        arguments = {name: _wide(value) for name, value in arguments.items()}
        known = (value.shape for value in _flat(arguments) if isinstance(value, Piecewise))
        shape = next(known, ()) if call.shape is None else call.shape
        if any(value is _LOST for value in _flat(arguments)):
            return Active(-1, shape)
        self._note(call, arguments)
        try:
            made = GATES[call.op](Step(call, arguments, shape, self.builder))
        except RefusedError as reason:
            early = {name: self._early(value) for name, value in arguments.items()}
            if call.op in OPERATIONS and not self._is_gate(call, early):
                return self._active(call, early)
            self._refuse(call, str(reason))
            return Active(-1, shape)
        return made

    def _early(self, value: Any) -> Any:
        """A value, as an activation where it is known to be continuous."""
        if not isinstance(value, Piecewise) or value.is_constant or value.chosen_by is not None:
            return value
        try:
            return settled(self.builder, value)
        except RefusedError:
            return value

    def _settled(self, argument: Any) -> Any:
        """An argument with activations in place of what comparisons made."""
        if isinstance(argument, list):
            return [self._settled(item) for item in argument]
        if not isinstance(argument, Piecewise):
            return argument
        if id(argument) not in self.settled:
            try:
                made = settled(self.builder, argument)
            except RefusedError as reason:
                self._refuse(argument.call, str(reason))
                made = Active(-1, argument.shape)
            self.settled[id(argument)] = argument, made
        return self.settled[id(argument)][1]

    def _refuse(self, call: Call, reason: str) -> Active:
        self.offenders.append(offender(call, reason))
        return _LOST

    def _active(self, call: Call, arguments: dict[str, Any]) -> Active | Complex | Constant:
        """Lower one call that reads an activation; where that fails, note it and go on with a tensor of the
        right shape."""
        parent, part = call, None
        if call.op == "getitem":
            parent = self.graph.calls[call.arguments["0"].index]
            part = parent, int(call.arguments["1"])
            arguments = {name: self._resolve(value) for name, value in parent.arguments.items()}
        arguments = {name: self._settled(value) for name, value in arguments.items()}
        in_parts = call.op in _IN_PARTS or call.op.startswith(_POOLS_IN_PARTS)
        if part is None and in_parts and call.parts:
            return _UNTAKEN
        unknown = any(self.values.get(i) is _LOST for i in (*call.refs(), *parent.refs()))
        shape = self._shape(call, arguments)
        sound = call.batched and shape is not None
        after = Active(-1, shape or ()) if sound else _LOST
        if call.refused:
            return self._refuse(call, call.refused)
        of_pairs = is_complex(parent.op, arguments)
        table = COMPLEX if of_pairs else OPERATIONS
        stand_in = lost(parent.op, after, of_pairs=of_pairs) if sound else after
        if parent.op not in table or (call.parts and part is None):
            if part is None:
                self._refuse(call, why_not_complex(call.op) if of_pairs else why(call.op))
            return stand_in
        if unknown:
            return stand_in
        if not sound:
            return self._refuse(call, _UNKNOWN_SIZE if call.batched else _MIXED)
        if call.op not in _OF_ROWS and any(isinstance(value, Rows) for value in _flat(arguments)):
            return self._refuse(call, "reads the place of each input in its batch")
        arguments = {name: _wide(value) for name, value in arguments.items()}
        self._note(parent, arguments)
        try:
            step = Step(parent, arguments, shape or (), self.builder, part)
            if of_pairs:
                return COMPLEX[parent.op](step)
            return step.recognised(OPERATIONS[parent.op].lower(step))
        except RefusedError as reason:
            self._refuse(parent, str(reason))
            return stand_in

    def _shape(self, call: Call, arguments: dict[str, Any]) -> tuple[int, ...] | None:
        """Shape of a result for one input; where it depends on a constant mask, the call is made to tell."""
        if call.shape is not None or call.op == "getitem":
            return call.shape
        try:
            result = computed(call, {name: self._plain(value) for name, value in arguments.items()})
        except Exception:  # of torch, for arguments that are none: the call is refused
            return None
        return tuple(result.shape[1:]) if isinstance(result, Tensor) and len(result) == BATCH else None

    def _note(self, call: Call, arguments: dict[str, Any]) -> None:
        """Add a call to the digest: what it does, to which slots, with which constants; and see whether any
        constant is infinite."""

        def feed(value: Any) -> None:
            if isinstance(value, list):
                for item in value:
                    feed(item)
            elif isinstance(value, Complex):
                feed([value.real, value.imag])
            elif isinstance(value, Constant) and isinstance(value.value, Tensor):
                self.infinite |= bool(torch.isinf(value.value).any())
                self.digest.update(repr(tuple(value.value.shape)).encode())
                self.digest.update(value.value.contiguous().numpy().tobytes())
            elif isinstance(value, Piecewise):
                self.digest.update(f"made by {value.call.name}".encode("utf-8", "surrogatepass"))
            else:
                plain = value.value if isinstance(value, Constant) else value
                self.infinite |= isinstance(plain, float) and math.isinf(plain)
                self.digest.update(repr(value).encode())

        self.digest.update(repr((call.op, call.shape, call.parts)).encode())
        for name in sorted(call.arguments):
            self.digest.update(name.encode("utf-8", "surrogatepass"))
            feed(arguments.get(name))

    def _fold(self, call: Call, arguments: dict[str, Any]) -> Any:
        """Compute a call on constants alone, in float64."""
        if call.op in _SHAPE_ONLY:
            arguments = arguments | {"self": call.arguments["self"]}
        result = computed(call, {name: self._plain(value) for name, value in arguments.items()})
        if isinstance(result, (list, tuple)):
            return Constant(list(result))
        if isinstance(result, Tensor):
            if call.batched and len(result) == BATCH and not torch.equal(result[0], result[1]):
                return Rows(result)
            return Constant(result[:1] if call.batched else result, call.batched)
        return Constant(BatchSize(result) if call.batched and isinstance(result, int) else result)

    def _plain(self, value: Any) -> Any:
        """A value that torch takes: zeros for activations, and constants themselves."""
        if isinstance(value, Ref):
            call = self.graph.calls[value.index]
            return BATCH if call.op == "sym_size" else _zeros(call.shape or ())
        if isinstance(value, Active):
            return _zeros(value.shape)
        if isinstance(value, list):
            return [self._plain(item) for item in value]
        if isinstance(value, Constant):
            return value.of_batch
        return value.value if isinstance(value, Rows) else value


def _zeros(shape: tuple[int, ...]) -> Tensor:
    return torch.zeros(BATCH, *shape, dtype=torch.float64)


def _flat(arguments: dict[str, Any]) -> Iterator[Any]:
    """Arguments, and the items of those that are lists."""
    for value in arguments.values():
        yield from value if isinstance(value, list) else [value]


def _wide(argument: Any) -> Any:
    """An argument with its constants in float64."""
    if isinstance(argument, list):
        return [_wide(item) for item in argument]
    if isinstance(argument, Constant) and isinstance(argument.value, Tensor):
        return replace(argument, value=cast(argument.value, torch.float64, argument.value.device))
    return argument


def with_frees(
    nodes: list[Affine | Pointwise | Maximum], output: int
) -> tuple[Affine | Pointwise | Maximum, ...]:
    """The nodes, each with the slots that no later node reads."""
    seen = {output}
    result = []
    for node in reversed(nodes):
        frees = tuple(dict.fromkeys(slot for slot in (*node.inputs, node.output) if slot not in seen))
        seen.update(node.inputs)
        result.append(replace(node, frees=frees))
    return tuple(reversed(result))
