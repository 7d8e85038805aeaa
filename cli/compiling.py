"""Compiling the kernels, once after installation: said to whoever waits, and by two processes at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .progress import note

__all__ = ["compile_together"]


def compile_together(quiet: bool) -> None:
    """If the compiled kernels are not there yet, say so, and have another process compile all but that of `refine`.

    `refine` takes most of the time, and this process meets it first. The others it then finds in the cache, or compiles itself.
    """
    from splineviz.geometry.extend import extend_values

    cache = extend_values.stats.cache_path
    if cache is None or not any(Path(cache).glob("*.nbi")):
        note("compiling the geometry kernels, once after installation; this takes about half a minute", quiet)
        if (os.cpu_count() or 1) > 1:
            silent = subprocess.DEVNULL
            command = [sys.executable, "-m", "splineviz.arrangement.uncut"]
            subprocess.Popen(command, stdin=silent, stdout=silent, stderr=silent)
