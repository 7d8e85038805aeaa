"""The calls of a traced network as steps that run: constants apart, memory freed after its last use, batch
norms folded."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from splineviz.estimators.switches import StageReader
from splineviz.program.constants import cast
from splineviz.program.trace import BatchSize, Call, Ref, refs_of

__all__ = ["Op", "channels_last", "folded", "in_place", "op_of", "resolved", "scheduled"]

_FRESH = frozenset("conv1d conv2d conv3d linear addmm add sub batch_norm matmul mm".split())
"""Operations whose result shares memory with nothing else."""
_FILLED = frozenset("zeros ones full empty".split())
"""Operations that make tensors of the default type where none is given and the numbers in them are real."""
_LARGE_MAP = 64
_FOLDABLE = frozenset("conv1d conv2d conv3d linear".split())


@dataclass(frozen=True)
class Op:
    """One step; its result is the value of the traced call ``index``."""

    index: int
    call: Call
    target: Callable[..., Any]
    arguments: dict[str, Any]
    by_name: bool
    frees: tuple[int, ...] = ()
    switch: StageReader | None = None

    def run(self, values: Mapping[int, Any], constants: Mapping[int, Any], count: int) -> Any:
        """The result for ``count`` inputs."""
        if self.call.op == "sym_size":
            return count
        given = {
            name: resolved(argument, values, constants, count) for name, argument in self.arguments.items()
        }
        return self.target(**given) if self.by_name else self.target(*given.values())


def op_of(index: int, call: Call) -> Op:
    """A traced call in float64 on the CPU, writes in place replaced by their functional counterparts."""
    schema = getattr(call.target, "_schema", None)
    target = call.target
    if schema is not None and schema.is_mutable:
        target = _functional(call)
    arguments = {name: cast(a, torch.float64, torch.device("cpu")) for name, a in call.arguments.items()}
    if (
        call.op in _FILLED
        and arguments.get("dtype") is None
        and isinstance(arguments.get("fill_value", 0.0), float)
    ):
        arguments["dtype"] = torch.float64
    return Op(index, call, target, arguments, schema is not None)


def _functional(call: Call) -> Callable[..., Any]:
    """Counterpart on a new tensor of an operation in place; traced graphs read what was written from the
    result."""
    overload = call.target._overloadname
    packet = getattr(torch.ops.aten, call.op, None)
    if packet is not None and overload in packet.overloads():
        functional: Callable[..., Any] = getattr(packet, overload)
        return functional

    def on_copy(**given: Any) -> Any:
        first = next(name for name, value in given.items() if isinstance(value, Tensor))
        return call.target(**{**given, first: given[first].clone()})

    return on_copy


def resolved(argument: Any, values: Mapping[int, Any], constants: Mapping[int, Any], count: int) -> Any:
    """An argument with values in place of references, and the number of inputs in place of that of the
    trace."""
    if isinstance(argument, Ref):
        return values[argument.index] if argument.index in values else constants[argument.index]
    if isinstance(argument, list):
        return [resolved(item, values, constants, count) for item in argument]
    if isinstance(argument, BatchSize):
        return argument * count // 2  # a static graph was traced for two inputs
    return argument


def scheduled(
    ops: Sequence[Op], wanted: Sequence[int], known: Sequence[int], *, until: int | None = None
) -> tuple[Op, ...]:
    """The steps that ``wanted`` values and the stages among ``ops`` need, up to the stage ``until``; each
    frees what ends with it.

    ``known`` values are given. The step ``until`` is looked at and not run.
    """
    stages = {op.index for op in ops if op.switch is not None} if until is not None else set()
    needed, kept = {*wanted, *stages}, []
    last_read: set[int] = set(wanted)
    for op in reversed([op for op in ops if until is None or op.index <= until]):
        if op.index not in needed or op.index in known:
            continue
        reads = (
            set(op.switch.sources)
            if op.index == until and op.switch is not None
            else set(refs_of(op.arguments))
        )
        needed |= reads
        frees = tuple(sorted(i for i in {*reads, op.index} if i not in last_read))
        last_read |= reads
        kept.append(replace(op, frees=frees))
    return tuple(reversed(kept))


def folded(ops: Sequence[Op], constants: Mapping[int, Any]) -> list[Op]:
    """The steps with each batch norm in eval mode taken into the linear map whose result only it reads."""
    readers: dict[int, int] = {}
    for op in ops:
        for index in refs_of(op.arguments):
            readers[index] = readers.get(index, 0) + 1
    made: dict[int, Op] = {op.index: op for op in ops}
    for op in ops:
        source = op.arguments.get("input")
        if op.call.op != "batch_norm" or not isinstance(source, Ref) or readers[source.index] != 1:
            continue
        layer = made.get(source.index)
        if layer is None or layer.call.op not in _FOLDABLE or op.arguments.get("training"):
            continue
        parts = {
            name: resolved(op.arguments[name], {}, constants, 0)
            for name in ("weight", "bias", "running_mean", "running_var")
        }
        own = {name: resolved(layer.arguments[name], {}, constants, 0) for name in ("weight", "bias")}
        in_channels = layer.call.op != "linear" or len(layer.call.shape or ()) == 1
        if parts["running_mean"] is None or not in_channels:
            continue
        scale = (parts["running_var"] + op.arguments["eps"]).rsqrt()
        scale = scale if parts["weight"] is None else scale * parts["weight"]
        shift = -parts["running_mean"] * scale + (0.0 if parts["bias"] is None else parts["bias"])
        weight = own["weight"] * scale.reshape(-1, *(1,) * (own["weight"].dim() - 1))
        bias = shift if own["bias"] is None else shift + own["bias"] * scale
        del made[layer.index]
        made[op.index] = replace(
            layer, index=op.index, arguments=layer.arguments | {"weight": weight, "bias": bias}
        )
    return [made[index] for index in sorted(made)]


def channels_last(ops: Sequence[Op], constants: Mapping[int, Any]) -> list[Op]:
    """The steps with the channels of large maps innermost in memory.

    On a CPU in single precision such convolutions take two thirds of the time; on maps of fewer than 8 x 8
    pixels they take longer.
    """
    done = []
    for op in ops:
        if op.call.op == "conv2d" and op.call.shape is not None:
            weight = resolved(op.arguments["weight"], {}, constants, 0)
            if math.prod(op.call.shape[-2:]) >= _LARGE_MAP:
                op = replace(
                    op,
                    arguments=op.arguments | {"weight": weight.contiguous(memory_format=torch.channels_last)},
                )
            else:
                op = replace(op, target=_channels_first(op.target))
        done.append(op)
    return done


def _channels_first(target: Callable[..., Any]) -> Callable[..., Any]:
    def run(**given: Any) -> Any:
        return target(**{**given, "input": given["input"].contiguous()})

    return run


def in_place(ops: Sequence[Op], fresh: Sequence[int]) -> tuple[Op, ...]:
    """The steps with relu and add on memory that nobody else will read; ``fresh`` values may be overwritten,
    too."""
    own = {*fresh, *(op.index for op in ops if op.call.op in _FRESH)}
    done = []
    for op in ops:
        subject = op.arguments.get("self")
        index = subject.index if isinstance(subject, Ref) else -1
        if index in own and index in op.frees and op.call.op in ("relu", "add"):
            overload = op.call.target._overloadname
            writer = getattr(torch.ops.aten, f"{op.call.op}_")
            if overload in writer.overloads() and _same_shape(op, index, ops):
                op = replace(op, target=getattr(writer, overload))
                own.add(op.index)
        done.append(op)
    return tuple(done)


def _same_shape(op: Op, index: int, ops: Sequence[Op]) -> bool:
    if op.call.op == "relu":
        return True
    written = next((other for other in ops if other.index == index), None)
    return written is not None and written.call.shape is not None and written.call.shape == op.call.shape
