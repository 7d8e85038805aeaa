"""In-place writes: which version of a tensor each later read of it means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, fx

__all__ = ["Derived", "Versions", "Views", "read_view", "write_view"]

_SAME = frozenset({"alias", "detach", "dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout"})
_VIEWS = frozenset(
    "slice select narrow view unsqueeze squeeze unflatten transpose swapaxes swapdims permute "
    "movedim moveaxis diagonal mT".split()
)
"""Operations that always return a view; reshape and its like may return a copy."""


@dataclass(frozen=True)
class Views:
    """Operations, with their arguments and in order, that take a view from the tensor whose memory it
    shares."""

    steps: tuple[tuple[Callable[..., Any], tuple[Any, ...], tuple[tuple[str, Any], ...]], ...] = ()

    def then(self, node: fx.Node) -> Views | None:
        """The view that ``node`` takes of this one; ``None`` if its arguments are not fixed."""
        if any(other is not node.args[0] for other in node.all_input_nodes) or not callable(node.target):
            return None
        return Views((*self.steps, (node.target, tuple(node.args[1:]), tuple(node.kwargs.items()))))

    def of(self, base: Tensor) -> Tensor:
        """Entries of ``base`` that the view shows, in its memory."""
        for function, arguments, named in self.steps:
            base = function(base, *arguments, **dict(named))
        return base


def read_view(base: Tensor, views: Views) -> Tensor:
    """The entries of ``base`` that a view shows."""
    return views.of(base)


def write_view(base: Tensor, value: Tensor, views: Views) -> Tensor:
    """A copy of ``base`` with ``value`` written through a view."""
    base = base.clone()
    views.of(base).copy_(value)
    return base


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
    something that may or may not be a view is refused, if the memory is read again.
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
        schema = getattr(node.target, "_schema", None)
        source = next((a for a in node.args if isinstance(a, fx.Node)), None)
        if source is None:
            return False, None, []
        if schema is None:
            self._memory[node], self._views[node] = self._memory[source], None
            return False, None, []
        written = [
            i for i, a in enumerate(schema.arguments) if a.alias_info is not None and a.alias_info.is_write
        ]
        if written:
            several = "writes to several tensors in place"
            return (True, several, []) if written != [0] else (True, *self._write(node, source, index))
        name = schema.name.split("::")[-1]
        if name in _SAME:
            self._tensor[node], self._memory[node] = self._tensor[source], self._memory[source]
            self._views[node] = self._views[source]
        elif any(r.alias_info is not None for r in schema.returns):
            views = self._views[source]
            self._memory[node] = self._memory[source]
            self._views[node] = views.then(node) if views is not None and name in _VIEWS else None
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
