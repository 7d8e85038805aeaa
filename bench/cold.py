"""How long a user waits in a new process: help, the demo's picture, and the demo's picture right after
installation."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from probe import summary

__all__ = ["cold_start"]

_RUN = "from splineviz_cli.main import main; main()"


def cold_start(repetitions: int) -> dict[str, Any]:
    """Seconds of `splineviz --help`, of `splineviz slice demo -o x.png`, and of the latter with no cache at
    all; beside those that pass, those that processors work, which other processes on the machine hardly
    change."""
    with tempfile.TemporaryDirectory() as folder:
        picture = str(Path(folder, "x.png"))
        _seconds("slice", "demo", "-o", picture)  # fills the caches that an earlier use would have filled
        warm = [_seconds("slice", "demo", "-o", picture) for _ in range(repetitions)]
        # Compiled kernels and matplotlib's list of fonts are both made on first use.
        empty = {"NUMBA_CACHE_DIR": str(Path(folder, "kernels")), "MPLCONFIGDIR": str(Path(folder, "fonts"))}
        first = _seconds("slice", "demo", "-o", picture, **empty)
        if not list(Path(folder, "kernels").rglob("*.nbi")):
            raise SystemExit(
                "the first run was not cold: it left no compiled kernels in the empty folder given to it"
            )
    return {
        "help": _summary([_seconds("--help") for _ in range(repetitions)]),
        "demo": _summary(warm),
        "demo_first_time": _summary([first]),
    }


def _summary(runs: list[tuple[float, float]]) -> dict[str, Any]:
    return summary([passed for passed, _ in runs]) | {"processor": min(worked for _, worked in runs)}


def _seconds(*arguments: str, **environment: str) -> tuple[float, float]:
    """Seconds that pass, and that processors work, in one run of the command in a new process, with as many
    threads as a user would have."""
    entry = Path(sys.executable).with_name("splineviz")
    command = [str(entry)] if entry.exists() else [sys.executable, "-c", _RUN]
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [*command, *arguments], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(
            f"splineviz {' '.join(arguments)} failed with exit code {done.returncode}:\n{done.stderr}"
        )
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
