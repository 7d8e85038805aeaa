"""Run all checks of a module in a process of its own, and print a JSON object: what each one complained of,
null for nothing.

The checker of array shapes, which all tests run under, wraps functions in a way that cannot be pickled: what
travels to other processes is tested without it.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import torch

__all__ = ["checks", "outcomes"]


def checks(module: ModuleType) -> dict[str, Callable[[], None]]:
    """The functions of a module whose names begin with ``check_``."""
    return {name: value for name, value in vars(module).items() if name.startswith("check_")}


def outcomes(module: ModuleType) -> dict[str, str | None]:
    """What became of them in another process."""
    command = [sys.executable, "-m", "tests.travel.run", module.__name__]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(found, dict)
    return found


def _outcome(check: Callable[[], None]) -> str | None:
    try:
        check()
    except Exception:
        return traceback.format_exc()
    return None


if __name__ == "__main__":
    torch.set_num_threads(1)
    outcomes = {name: _outcome(check) for name, check in checks(importlib.import_module(sys.argv[1])).items()}
    print(json.dumps(outcomes))  # noqa: T201
