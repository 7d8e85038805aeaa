"""In-place writes: which version of a tensor each later read of it means."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx

__all__ = ["Derived", "Versions", "Views", "read_view", "write_view"]

_WHOLE = frozenset(
    "alias detach dropout alpha_dropout feature_dropout feature_alpha_dropout to type_as contiguous".split()
)
"""Operations whose result, where it shares the memory of their argument, is that argument"""


_LENGTH = "number of inputs"  # stands for it among the arguments of views
_Step = tuple[Callable[..., Any], tuple[Any, ...], tuple[tuple[str, Any], ...]]


@dataclass(frozen=True)
class Views:
    """Operations, with their arguments and in order, that take a view from the tensor whose memory it
    shares."""

    steps: tuple[_Step, ...] = ()

    def then(self, node: fx.Node, base: Tensor) -> Views | None:
        """The view that ``node`` takes of this one, in the memory of ``base``; ``None`` if its arguments are
        neither fixed nor the number of inputs."""
        others = [other for other in node.all_input_nodes if other is not node.args[0]]
        if not callable(node.target) or any(str(n.meta.get("val")) != str(_length(base)) for n in others):
            return None
        if node.target is operator.getitem:
            *before, several = self.steps
            return Views((*before, (_part, (several, node.args[1]), ())))
        arguments: Any = fx.map_arg(node.args[1:], lambda _: _LENGTH)
        return Views((*self.steps, (node.target, arguments, tuple(node.kwargs.items()))))

    def of(self, base: Tensor) -> Tensor:
        """Entries of ``base`` that the view shows, in its memory."""
        count = _length(base)
        for function, arguments, named in self.steps:
            base = function(base, *(_with_length(a, count) for a in arguments), **dict(named))
        return base


def _length(base: Tensor) -> int:
    return base.shape[0] if base.dim() else 1


def _with_length(argument: Any, count: int) -> Any:
    """An argument with the number of inputs in its place."""
    if isinstance(argument, (list, tuple)):
        return type(argument)(_with_length(item, count) for item in argument)
    return count if isinstance(argument, str) and argument == _LENGTH else argument


def _part(base: Tensor, several: _Step, which: int) -> Tensor:
    """One of the views that an operation takes at once, as one that torch lets be written to."""
    function, arguments, named = several
    parts = function(base, *arguments, **dict(named))
    part = parts[which]
    if part.dim() < base.dim():  # unbind
        return base.select(arguments[0] if arguments else 0, which)
    axis = next((a for a, (p, q) in enumerate(zip(part.shape, base.shape, strict=True)) if p != q), 0)
    return base.narrow(axis, sum(p.shape[axis] for p in parts[:which]), part.shape[axis])


def read_view(base: Tensor, views: Views) -> Tensor:
    """The entries of ``base`` that a view shows."""
    return views.of(base)


def write_view(base: Tensor, value: Tensor, views: Views) -> Tensor:
    """A copy of ``base`` with ``value`` written through a view."""
    base = base.clone(memory_format=torch.contiguous_format)  # of which every reshape is a view
    view = views.of(base)
    if not _shared(view, base):
        raise RuntimeError("the view of a tensor is a copy where its memory has another layout")
    view.copy_(value)
    return base


def _shared(value: object, base: object) -> bool:
    """Whether a tensor, or any of several, is in the memory of ``base``."""
    if isinstance(value, (list, tuple)):
        return any(_shared(item, base) for item in value)
    if not isinstance(value, Tensor) or not isinstance(base, Tensor):
        return False
    return bool(torch._C._is_alias_of(value, base))  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Derived:
    """A value that a write in place makes beside its own result: that of ``node``, from calls of these
    indices."""

    node: fx.Node
    base: int
    value: int | None
    """Index of the call whose result is written through the view; ``None`` where the view is only read
    again."""
    views: Views


class Versions:
    """Turns in-place writes into new values, while the nodes of an exported graph are read in order.

    A write to a tensor redirects every later read of that tensor to the result. If it is a view, the tensor
    that it was taken from is made anew, and so are all other views of it that are read later. A write through
    a view that depends on more than fixed numbers is refused, if the memory is read again.
    """

    def __init__(self, graph: fx.Graph) -> None:
        self._order = {node: i for i, node in enumerate(graph.nodes)}
        self._index: dict[fx.Node, int] = {}
        self._tensor: dict[fx.Node, fx.Node] = {}
        self._memory: dict[fx.Node, fx.Node] = {}
        self._views: dict[fx.Node, Views | None] = {}
        """Way from the first tensor of the memory to each tensor, where that is certain."""

    def index(self, node: fx.Node) -> int:
        """Index of the call that holds the present value of a node."""
        return self._index[node]

    def record(self, node: fx.Node, index: int) -> tuple[bool, str | None, list[Derived]]:
        """Note that ``node`` has become the call ``index``.

        Returns whether it writes in place, why it is refused if it is, and the values that follow it as calls
        of their own.
        """
        self._index[node] = index
        self._tensor[node] = self._memory[node] = node
        self._views[node] = Views()
        source = next((a for a in node.args if isinstance(a, fx.Node)), None)
        if source is None:
            return False, None, []
        schema = getattr(node.target, "_schema", None)
        arguments = [] if schema is None else schema.arguments
        written = [i for i, a in enumerate(arguments) if a.alias_info is not None and a.alias_info.is_write]
        if written:
            several = "writes to several tensors in place"
            return (True, several, []) if written != [0] else (True, *self._write(node, source, index))
        memory, views = self._memory[source], self._views[source]
        if not _shared(node.meta.get("val"), memory.meta.get("val")):
            return False, None, []
        self._memory[node] = memory
        if schema is not None and schema.name.split("::")[-1] in _WHOLE:
            self._tensor[node], self._views[node] = self._tensor[source], views
        else:
            self._views[node] = None if views is None else views.then(node, memory.meta["val"])
        return False, None, []

    def _write(self, node: fx.Node, target: fx.Node, index: int) -> tuple[str | None, list[Derived]]:
        tensor, memory, views = self._tensor[target], self._memory[target], self._views[target]
        before, base = self._index[memory], index
        later: dict[fx.Node, list[fx.Node]] = {}
        for other in [n for n, m in self._memory.items() if m is memory]:
            if self._tensor[other] is tensor:
                self._index[other] = index
            elif any(self._order[user] > self._order[node] for user in other.users):
                later.setdefault(self._tensor[other], []).append(other)
        self._tensor[node], self._memory[node], self._views[node] = tensor, memory, views
        unsure = bool(later) and (views is None or any(self._views[first] is None for first in later))
        derived: list[Derived] = []
        if tensor is not memory:
            base = index + 1
            derived.append(Derived(memory, before, index, views or Views()))
            for other in (memory, *later.pop(memory, [])):
                self._index[other] = base
        for first, others in later.items():
            derived.append(Derived(first, base, None, self._views[first] or Views()))
            for other in others:
                self._index[other] = index + len(derived)
        return (
            "writes in place to memory that is read again through another view" if unsure else None,
            derived,
        )
