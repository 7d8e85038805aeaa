"""Compiling the kernels, once after installation: said to whoever waits, and by two processes at once."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from .progress import note

__all__ = ["begin_compiling"]

_REFINE = "import gc; gc.disable(); from splineviz.geometry.refine import compile_refine; compile_refine()"


def begin_compiling(quiet: bool) -> Callable[[], None]:
    """Have another process compile the largest kernel, which takes most of the time, unless kernels are
    there.

    The function that this returns says so, compiles the others, and waits. What the other process fails to do
    is done when it is needed; where the request is refused before, it ends with this one.
    """
    from splineviz.geometry.compiled import is_carried
    from splineviz.values.extension import extend_values

    cache = cast("Any", extend_values).stats.cache_path
    if cache is not None and (any(Path(cache).glob("*.nbi")) or is_carried(extend_values)):
        return lambda: None
    other = None
    if cache is not None and (os.cpu_count() or 1) > 1:
        silent = subprocess.DEVNULL
        other = subprocess.Popen(
            [sys.executable, "-P", "-c", _REFINE],  # else a numba.py in the current folder would be run
            stdin=silent,
            stdout=silent,
            stderr=silent,
        )
        atexit.register(_end, other)

    def finish() -> None:
        when = (
            "once after installation" if cache is not None else "each time: you have no folder to keep them"
        )
        note(f"compiling the geometry kernels, {when}; this takes about twenty seconds", quiet)
        if other is not None:
            from splineviz.engine.warm_up import compile_others

            compile_others()
            other.wait()

    return finish


def _end(other: subprocess.Popen[bytes]) -> None:
    if other.poll() is None:
        other.kill()
        other.wait()
