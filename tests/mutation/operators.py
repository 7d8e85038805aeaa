"""Small faults of a source file: what could be written wrong, one at a time."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

__all__ = ["Mutation", "mutations"]

_COMPARED = {
    ast.Lt: ("<", "<=", ">="),
    ast.LtE: ("<=", "<", ">"),
    ast.Gt: (">", ">=", "<="),
    ast.GtE: (">=", ">", "<"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
_COMPUTED = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
}
_NAMES = {
    one: other
    for pair in ("min max", "minimum maximum", "argmin argmax", "amin amax", "any all", "floor ceil")
    for one, other in (pair.split(), pair.split()[::-1])
}
_REMOVED = (ast.Expr, ast.AugAssign, ast.Continue, ast.Break, ast.Raise)


@dataclass(frozen=True, order=True)
class Mutation:
    """A replacement of some bytes of a file."""

    start: int
    end: int
    new: str
    line: int
    what: str
    """Old and new text, in few words"""
    within: str
    """The source's line"""

    def of(self, source: bytes) -> bytes:
        """The file with the fault."""
        return source[: self.start] + self.new.encode() + source[self.end :]


def mutations(source: bytes) -> list[Mutation]:
    """All mutations of a file, in the order of their places; none of messages, annotations and assertions."""
    return sorted(_Finder(source).found)


class _Finder(ast.NodeVisitor):
    def __init__(self, source: bytes) -> None:
        self._source, self.found = source, set[Mutation]()
        self._lines = source.decode().splitlines()
        self._starts = [0, *(match.end() for match in re.finditer(b"\n", source))]
        self.visit(ast.parse(source))

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, _REMOVED) and not _is_text(node):
            self._replace(node, "pass")
        if isinstance(node, ast.Assign) and not all(
            isinstance(t, ast.Name | ast.Tuple) for t in node.targets
        ):
            self._replace(node, "pass")
        if isinstance(node, ast.Raise | ast.Assert | ast.JoinedStr | ast.Import | ast.ImportFrom):
            return
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        super().visit(node)

    def visit_arg(self, node: ast.arg) -> None:
        """Nothing of its annotation."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for part in (*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None), *node.body):
            self.visit(part)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Compare(self, node: ast.Compare) -> None:
        sides = [node.left, *node.comparators]
        for left, operator, right in zip(sides, node.ops, sides[1:], strict=False):
            old, *others = _COMPARED[type(operator)]
            for new in others:
                self._between(left, right, old, new)
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if type(node.op) in _COMPUTED:
            self._between(node.left, node.right, *_COMPUTED[type(node.op)])
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._between(left, right, old, new)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if not isinstance(node.op, ast.UAdd):
            self._replace(node, self._text(node.operand), f"{ast.unparse(node)} without its sign")
        self.generic_visit(node)

    def visit_If(self, node: ast.If | ast.IfExp) -> None:
        if not isinstance(node.test, ast.Compare | ast.UnaryOp):
            self._replace(node.test, f"not ({self._text(node.test)})")
        self.generic_visit(node)

    visit_IfExp = visit_If  # noqa: N815

    def visit_Constant(self, node: ast.Constant) -> None:
        match node.value:
            case bool():
                self._replace(node, str(not node.value))
            case int():
                self._replace(node, str(node.value + 1))
            case float():
                self._replace(node, repr(2.0 * node.value or 1.0))

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if name in _NAMES:
                end = self._end(node.func)
                self._add(
                    end - len(name), end, _NAMES[name], node.func.end_lineno, f"{name} -> {_NAMES[name]}"
                )
        before: ast.AST = node.args[-1] if node.args else node.func
        for keyword in node.keywords:
            if keyword.arg and self._source[self._end(before) : self._start(keyword)].strip() == b",":
                what = f"{self._text(keyword)} left out"
                self._add(self._end(before), self._end(keyword), "", keyword.lineno, what)
            before = keyword
        self.generic_visit(node)

    def _replace(self, node: ast.AST, new: str, what: str | None = None) -> None:
        old = " ".join(self._text(node).split())
        what = what or (f"{old} removed" if new == "pass" else f"{old} -> {new}")
        self._add(self._start(node), self._end(node), new, node.lineno, what)  # type: ignore[attr-defined]

    def _between(self, left: ast.AST, right: ast.AST, old: str, new: str) -> None:
        """Mutate the operator between two operands, of which one may stand in brackets."""
        start, end = self._end(left), self._start(right)
        place = self._source[start:end].decode().find(old)
        if place >= 0 and b"#" not in self._source[start:end]:
            around = f"{self._text(left)} {old} {self._text(right)}"
            line = self._source.count(b"\n", 0, start + place) + 1
            self._add(start + place, start + place + len(old), new, line, f"{old} -> {new} in {around}")

    def _add(self, start: int, end: int, new: str, line: int | None, what: str) -> None:
        words = " ".join(what.split())
        short = words if len(words) <= 90 else words[:87] + "..."
        within = self._lines[line - 1].strip() if line else ""
        self.found.add(Mutation(start, end, new, line or 0, short, within))

    def _start(self, node: ast.AST) -> int:
        return self._starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]

    def _end(self, node: ast.AST) -> int:
        return self._starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]

    def _text(self, node: ast.AST) -> str:
        return self._source[self._start(node) : self._end(node)].decode()


def _is_text(node: ast.AST) -> bool:
    """Whether it is a docstring or a word to mypy."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
