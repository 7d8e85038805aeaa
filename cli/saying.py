"""Words on stdout and stderr, whatever is in the names of files, modules and classes."""

from __future__ import annotations

import os
import sys

from splineviz.showing import in_json, in_line

__all__ = ["say", "say_json"]


def say(*lines: str, err: bool = False) -> None:
    """Lines on stdout or stderr."""
    _write("\n".join(map(in_line, lines)), err)


def say_json(value: object) -> None:
    """One JSON object on stdout."""
    _write(in_json(value), err=False)


def _write(text: str, err: bool) -> None:
    """Whoever reads may stop at any time, as ``head`` does: the files are written nevertheless."""
    stream = sys.stderr if err else sys.stdout
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
