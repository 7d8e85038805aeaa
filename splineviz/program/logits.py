"""Cutting off the softmax, sigmoid or choice of the largest at the end of a network: the logits that enter it
tell the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from splineviz.program.trace import Call, Graph, Ref

__all__ = ["CutOff", "last_operation", "without_last"]

_BY_ENTRY: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": torch.sigmoid,
    "log_sigmoid": torch.nn.functional.logsigmoid,
    "logsigmoid": torch.nn.functional.logsigmoid,
}
_BY_ROW: dict[str, Callable[[Tensor, int], Tensor]] = {
    "softmax": torch.softmax,
    "log_softmax": torch.log_softmax,
    "_softmax": torch.softmax,
    "_log_softmax": torch.log_softmax,
}
_NOTHING = frozenset({"contiguous", "clone", "detach", "alias", "to", "dropout"})
_RESHAPES = frozenset({"view", "reshape", "flatten", "squeeze", "unsqueeze", "unflatten"})


@dataclass(frozen=True)
class CutOff:
    """The operation that was cut off."""

    note: str
    """Name and place of the operation."""
    finish: Callable[[Tensor], Tensor]
    """Function from the output of the program to that of the module, (batch, *output_shape) both."""


def last_operation(graph: Graph) -> Call | None:
    """The call at the end of a graph that may be cut off, if there is one."""
    choice, index = _choice(graph), _last(graph)
    if choice is not None:
        return choice.call
    return None if index is None else graph.calls[index]


def without_last(graph: Graph) -> tuple[Graph, CutOff | None]:
    """The graph without the softmax or sigmoid at its end, if there is one, or without the choice of the
    largest that ends it.

    A reshape after a sigmoid stays. Before the choice there may be a softmax or sigmoid, too, which does not
    change it.
    """
    choice = _choice(graph)
    if choice is None:
        return _without_squashing(graph)
    shape, dim = graph.calls[graph.output].shape or (), choice.dim
    graph, squashing = _without_squashing(replace(graph, output=choice.source))

    def finish(logits: Tensor) -> Tensor:
        return (
            (logits if squashing is None else squashing.finish(logits))
            .argmax(dim)
            .reshape(len(logits), *shape)
        )

    note = f"{choice.call.op} in {choice.call.place}" if choice.call.place else choice.call.op
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


def _without_squashing(graph: Graph) -> tuple[Graph, CutOff | None]:
    index = _last(graph)
    if index is None:
        return graph, None
    call = graph.calls[index]
    if call.op in _BY_ENTRY:
        finish = _BY_ENTRY[call.op]
    else:
        normalise, dim = _BY_ROW[call.op], int(call.arguments["dim"])

        def finish(logits: Tensor) -> Tensor:
            return normalise(logits, dim)

    passed_on = replace(
        call, op="alias", target=torch.ops.aten.alias.default, arguments={"self": call.arguments["self"]}
    )
    calls = (*graph.calls[:index], passed_on, *graph.calls[index + 1 :])
    return replace(graph, calls=calls), CutOff(
        f"{call.op} in {call.place}" if call.place else call.op, finish
    )


def _last(graph: Graph) -> int | None:
    index, reshaped = graph.output, False
    while True:
        call = graph.calls[index]
        source = call.arguments.get("self", call.arguments.get("input"))
        if not isinstance(source, Ref) or call.refused or not call.batched:
            return None
        if call.op in _BY_ENTRY:
            return index
        if call.op in _BY_ROW:
            # a softmax over the batch is no function of one input
            across = call.shape is not None and call.arguments["dim"] % (len(call.shape) + 1) == 0
            return None if reshaped or across else index
        if call.op not in _NOTHING | _RESHAPES:
            return None
        reshaped |= call.op in _RESHAPES
        index = source.index
