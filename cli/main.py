"""Entry point of the command `splineviz`: how the process begins, is interrupted, and ends."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import time
from io import TextIOWrapper
from pathlib import Path

from .interrupts import end, end_on_signals

__all__ = ["main"]


def main() -> None:
    """Run the command line of this process."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever began the process
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 it stays open
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as stderr: no letter that it lacks ends a command
    end_on_signals()  # before anything that takes long to import
    # Between the small products of a slice torch's threads would spin: as much processor time as all else,
    # and it holds up whatever runs beside.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    code = 1
    # Registered first, it runs last. Threads that are within torch while the interpreter is taken apart would
    # abort the process, whatever its exit code; and taking it apart is no small part of a short command.
    atexit.register(lambda: _end(code))
    # Most objects here are those of imported modules, which live until the end: looking through them again
    # and again would take a third of the time of a small picture.
    gc.set_threshold(100_000, 20, 20)
    from .commands import run

    code = run()
    sys.exit(code)


def _end(code: int) -> None:
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        time.sleep(0.001)  # a signal that has come by now is heeded
        end(code)
