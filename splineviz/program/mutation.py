"""In-place writes: which version of a tensor each later read of it means."""

from __future__ import annotations

from torch import fx

__all__ = ["Versions"]

_SAME = frozenset({"alias", "detach", "dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout"})


class Versions:
    """Turns in-place writes into new values, while the nodes of an exported graph are read in order.

    A write to a tensor redirects every later read of that tensor to the result. A write whose tensor shares memory with another
    one that is read later (a write through a view) is refused.
    """

    def __init__(self, graph: fx.Graph) -> None:
        self._order = {node: i for i, node in enumerate(graph.nodes)}
        self._index: dict[fx.Node, int] = {}
        self._tensor: dict[fx.Node, fx.Node] = {}
        self._memory: dict[fx.Node, fx.Node] = {}

    def index(self, node: fx.Node) -> int:
        """Index of the call that holds the present value of a node."""
        return self._index[node]

    def record(self, node: fx.Node, index: int) -> tuple[bool, str | None]:
        """Note that ``node`` has become the call ``index``; whether it writes in place, and why it is refused if it is."""
        self._index[node] = index
        self._tensor[node] = self._memory[node] = node
        schema = getattr(node.target, "_schema", None)
        source = next((a for a in node.args if isinstance(a, fx.Node)), None)
        if source is None:
            return False, None
        if schema is None:
            self._memory[node] = self._memory[source]
            return False, None
        written = [i for i, a in enumerate(schema.arguments) if a.alias_info is not None and a.alias_info.is_write]
        if written:
            return True, "writes to several tensors in place" if written != [0] else self._write(node, source, index)
        if schema.name.split("::")[-1] in _SAME:
            self._tensor[node] = self._tensor[source]
            self._memory[node] = self._memory[source]
        elif any(r.alias_info is not None for r in schema.returns):
            self._memory[node] = self._memory[source]
        return False, None

    def _write(self, node: fx.Node, target: fx.Node, index: int) -> str | None:
        tensor, memory = self._tensor[target], self._memory[target]
        refused = None
        for other in [n for n, m in self._memory.items() if m is memory]:
            if self._tensor[other] is tensor:
                self._index[other] = index
            elif any(self._order[user] > self._order[node] for user in other.users):
                self._index[other] = index
                refused = "writes in place to memory that is read again through another view"
        self._tensor[node], self._memory[node] = tensor, memory
        return refused
