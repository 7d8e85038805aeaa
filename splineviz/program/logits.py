"""Cutting off the softmax, sigmoid or choice of the largest at the end of a network: the logits that enter it
tell the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from splineviz.program.constants import computed, stored
from splineviz.program.trace import Call, Graph, Ref, refs_of

__all__ = ["CutOff", "last_operation", "without_last"]

Weights = Mapping[str, Tensor]

_INCREASING = frozenset(
    "sigmoid log_sigmoid logsigmoid tanh softplus atan erf elu selu celu exp expm1".split()
)
_BY_ROW = frozenset({"softmax", "log_softmax", "_softmax", "_log_softmax"})
_NOTHING = frozenset({"contiguous", "clone", "detach", "alias", "to", "dropout"})
_RESHAPES = frozenset({"view", "reshape", "flatten", "squeeze", "unsqueeze", "unflatten"})
_SHIFTS = frozenset({"add", "sub", "subtract"})
_SCALES = frozenset({"mul", "multiply", "div", "divide", "true_divide"})


@dataclass(frozen=True)
class CutOff:
    """The operation that was cut off."""

    note: str
    """Name and place of the operation."""
    finish: Callable[[Tensor], Tensor]
    """Function from the output of the program to that of the module, (batch, *output_shape) both."""


def last_operation(graph: Graph, weights: Weights) -> Call | None:
    """The call at the end of a graph that may be cut off, if there is one."""
    choice, tail = _choice(graph), _tail(graph, weights)
    if choice is not None:
        return choice.call
    return graph.calls[tail[0]] if tail else None


def without_last(graph: Graph, weights: Weights) -> tuple[Graph, CutOff | None]:
    """The graph without the softmax or sigmoid at its end, if there is one, and what scales and shifts it; or
    without the choice of the largest that ends it.

    Reshapes after a sigmoid stay. Before the choice there may be a softmax or sigmoid, too, which does not
    change it.
    """
    choice = _choice(graph)
    if choice is None:
        return _without_squashing(graph, weights)
    shape, dim = graph.calls[graph.output].shape or (), choice.dim
    graph, squashing = _without_squashing(replace(graph, output=choice.source), weights)

    def finish(logits: Tensor) -> Tensor:
        return (
            (logits if squashing is None else squashing.finish(logits))
            .argmax(dim)
            .reshape(len(logits), *shape)
        )

    note = _named(choice.call)
    return graph, CutOff(note if squashing is None else f"{squashing.note}, {note}", finish)


@dataclass(frozen=True)
class _Choice:
    """The index of the largest entry along an axis, as the output of a graph."""

    call: Call
    dim: int
    source: int


def _choice(graph: Graph) -> _Choice | None:
    call = graph.calls[graph.output]
    while (
        call.batched
        and not call.refused
        and call.op in _NOTHING | _RESHAPES
        and isinstance(call.arguments.get("self"), Ref)
    ):
        call = graph.calls[call.arguments["self"].index]
    if not call.batched:
        return None
    if call.op == "getitem" and call.arguments["1"] == 1:
        call = graph.calls[call.arguments["0"].index]
        if call.op != "max":
            return None
    elif call.op != "argmax":
        return None
    dim, source = call.arguments.get("dim"), call.arguments["self"]
    shape = graph.calls[source.index].shape if isinstance(source, Ref) else None
    if shape is None or dim is None or dim % (len(shape) + 1) == 0:
        return None
    return _Choice(call, int(dim), source.index)


def _without_squashing(graph: Graph, weights: Weights) -> tuple[Graph, CutOff | None]:
    tail = _tail(graph, weights)
    if not tail:
        return graph, None
    calls = list(graph.calls)
    for index in tail:
        call = calls[index]
        if call.op not in _RESHAPES:
            passed_on = {"self": Ref(_source(graph, call))}
            calls[index] = replace(call, op="alias", target=torch.ops.aten.alias.default, arguments=passed_on)
    cut = [graph.calls[i] for i in tail if graph.calls[i].op not in _NOTHING | _RESHAPES]
    note = ", then ".join([_named(cut[0]), *(call.op for call in cut[1:])])
    return replace(graph, calls=tuple(calls)), CutOff(note, _rerun(graph, tail, weights))


def _rerun(graph: Graph, tail: Sequence[int], weights: Weights) -> Callable[[Tensor], Tensor]:
    """The calls of a tail as a function of what leaves it without them; reshapes have been done there."""

    def finish(logits: Tensor) -> Tensor:
        value = logits
        for index in tail:
            call = graph.calls[index]
            if call.op not in _NOTHING | _RESHAPES:
                value = computed(call, _given(graph, call, _source(graph, call), value, weights))
        return value

    return finish


def _given(graph: Graph, call: Call, source: int, value: Tensor, weights: Weights) -> dict[str, Any]:
    def plain(argument: Any) -> Any:
        if not isinstance(argument, Ref):
            return argument
        return value if argument.index == source else _constant(graph, argument, weights)

    return {name: plain(argument) for name, argument in call.arguments.items()}


def _tail(graph: Graph, weights: Weights) -> list[int]:
    """The calls that end a graph from its first squashing one on, in order; empty if it has none.

    Each acts on every entry alone, by an increasing function, or is a softmax; or it does nothing but
    reshape.
    """
    found: list[int] = []
    index, last = graph.output, 0
    while True:
        call = graph.calls[index]
        if call.refused or not call.batched or not _is_monotone(graph, call, weights):
            break
        found.append(index)
        if call.op in _INCREASING | _BY_ROW:
            last = len(found)
        index = _source(graph, call)
    tail = found[:last][::-1]
    softmax = any(graph.calls[i].op in _BY_ROW for i in tail)
    # the axis of a softmax is that of the logits as they enter it
    return [] if softmax and any(graph.calls[i].op in _RESHAPES for i in tail) else tail


def _is_monotone(graph: Graph, call: Call, weights: Weights) -> bool:
    """Whether a call acts on each entry alone and does not exchange larger and smaller, or is a softmax along
    an axis of one input."""
    refs = list(call.refs())
    if call.op in _INCREASING and not all(_positive(v) for v in call.arguments.values() if _is_number(v)):
        return False  # elu(x, alpha=-1) has a minimum
    if call.op in _NOTHING | _RESHAPES | _INCREASING:
        return isinstance(call.arguments.get("self", call.arguments.get("input")), Ref)
    if call.op in _BY_ROW:
        # a softmax over the batch is no function of one input
        return call.shape is not None and call.arguments["dim"] % (len(call.shape) + 1) != 0
    active = [i for i in refs if graph.calls[i].batched or graph.calls[i].op == "input"]
    if call.op not in _SHIFTS | _SCALES or len(active) != 1 or graph.calls[active[0]].shape != call.shape:
        return False
    first, second = call.arguments["self"], call.arguments["other"]
    forward = isinstance(first, Ref) and first.index == active[0]
    constant = _constant(graph, second if forward else first, weights)
    if constant is None or call.arguments.get("rounding_mode") is not None:
        return False
    if call.op in _SHIFTS:
        return (forward or call.op == "add") and _positive(call.arguments.get("alpha", 1))
    return (forward or call.op in ("mul", "multiply")) and _positive(constant)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _positive(value: Any) -> bool:
    return bool((torch.as_tensor(value) > 0).all())


def _constant(graph: Graph, argument: Any, weights: Weights) -> Any:
    """A number, or a tensor that does not depend on the input; None if it is neither."""
    if not isinstance(argument, Ref):
        return argument
    call = graph.calls[argument.index]
    if call.batched or call.op in ("input", "region"):
        return None
    if call.op == "weight":
        return stored(graph, weights, call.name)
    arguments = {name: _constant(graph, one, weights) for name, one in call.arguments.items()}
    if any(isinstance(one, (list, tuple)) and list(refs_of(one)) for one in call.arguments.values()):
        return None
    missing = any(arguments[n] is None and isinstance(one, Ref) for n, one in call.arguments.items())
    return None if missing else computed(call, arguments)


def _source(graph: Graph, call: Call) -> int:
    """The call whose value, of all that enter, depends on the input."""
    return next(i for i in call.refs() if graph.calls[i].batched or graph.calls[i].op == "input")


def _named(call: Call) -> str:
    return f"{call.op} in {call.place}" if call.place else call.op
