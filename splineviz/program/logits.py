"""Cutting off the softmax or sigmoid at the end of a network, which keeps the order of the logits that enter it."""

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
_BY_ROW: dict[str, Callable[[Tensor, int], Tensor]] = {"softmax": torch.softmax, "log_softmax": torch.log_softmax}
_NOTHING = frozenset({"contiguous", "clone", "detach", "alias", "to", "dropout"})
_RESHAPES = frozenset({"view", "reshape", "flatten", "squeeze", "unsqueeze", "unflatten"})


@dataclass(frozen=True)
class CutOff:
    """The operation that was cut off."""

    note: str
    """Its name and place."""
    finish: Callable[[Tensor], Tensor]
    """From the output of the program to that of the module, (batch, *output_shape) both."""


def last_operation(graph: Graph) -> Call | None:
    """The call at the end of a graph that may be cut off, if there is one."""
    index = _last(graph)
    return None if index is None else graph.calls[index]


def without_last(graph: Graph) -> tuple[Graph, CutOff | None]:
    """The graph without the softmax or sigmoid at its end, if there is one; a reshape after a sigmoid stays."""
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

    passed_on = replace(call, op="alias", arguments={"self": call.arguments["self"]})
    calls = (*graph.calls[:index], passed_on, *graph.calls[index + 1 :])
    return replace(graph, calls=calls), CutOff(f"{call.op} in {call.place}" if call.place else call.op, finish)


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
