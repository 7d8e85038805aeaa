"""The moments at which a process is about to change files: where it can be killed, or told that the disk is
full."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

__all__ = ["before_changes"]

_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_watched: dict[str, Callable[[str], None]] = {}


@contextmanager
def before_changes(folder: Path, react: Callable[[str], None]) -> Iterator[None]:
    """Call ``react`` within the block before each file below ``folder`` is opened to be written, renamed, made
    or removed."""
    _listen()
    below = str(folder.resolve()) + os.sep
    _watched[below] = react
    try:
        yield
    finally:
        del _watched[below]


@cache
def _listen() -> None:
    """Once: Python has no way to take a hook away again."""
    sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if not _watched or not (event in _CHANGES or event == "open"):
        return
    if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & _WRITING):
        return
    if isinstance(arguments[0], (str, bytes, os.PathLike)):
        path = os.path.abspath(os.fsdecode(arguments[0]))
        for folder, react in _watched.items():
            if path.startswith(folder):
                react(event)
