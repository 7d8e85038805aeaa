"""Every error on bad input says what to try, or else what is allowed."""

from __future__ import annotations

import ast
from pathlib import Path

import splineviz as sv
import splineviz_cli

ALLOWED = (
    *("expected", "must be", "must have", "must hold", "must lie", "must end", "must ascend", "has shape"),
    *("one of", "to one size", "different", "exclude each other", "it has", "there is no", "is an index"),
    *(
        "needs",
        "known are",
        "its classes are",
        "are written to",
        "is written to",
        "may hold",
        "is one on chains",
    ),
    *(
        "are told by",
        "belongs to",
        "goes with",
        "take one value",
        "at least",
        "is i/n",
        "steps are",
        "begins with",
    ),
    *(
        "whole numbers from",
        "the target is",
        "are two arrays",
        "a point of the plane is",
        "holds nothing under",
    ),
    *("the model has no output", "and nothing else", "the study has", "the exact quantities are"),
)
"""Words by which a message says what would be right"""
OF_THE_SYSTEM = (
    "cannot be read: ",
    "cannot read ",
    "does not run for",
    "cannot be computed on",
    "has {size} entries",
)
"""Beginnings of what an operating system, or the network's own code, says for itself"""


def errors() -> list[tuple[str, ast.Call]]:
    """Calls of InputError with the place of each."""
    packages = Path(sv.__file__).parent, Path(splineviz_cli.__file__).resolve().parent
    return [
        (f"{path.name}:{node.lineno}", node)
        for package in packages
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "InputError" and node.args
    ]


def test_errors_say_what_to_try_or_what_is_allowed() -> None:
    mute = []
    for place, call in errors():
        hinted = any(keyword.arg in (None, "hint", "command_hint") for keyword in call.keywords)
        message = ast.unparse(call.args[0])
        if not hinted and not any(word in message for word in (*ALLOWED, *OF_THE_SYSTEM)):
            mute.append((place, message))
    assert mute == []
    assert len(errors()) > 300
