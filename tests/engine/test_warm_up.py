"""What compiles in a process beside the one that compiles `refine`."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import importlib, pkgutil
from numba.core.dispatcher import Dispatcher
import splineviz as sv
from splineviz.engine.warm_up import compile_others
from splineviz.geometry.compiled import FOLDERS

packages = [importlib.import_module(f"splineviz.{folder}") for folder in FOLDERS]
names = [f"{package.__name__}.{found.name}" for package in packages for found in pkgutil.iter_modules(package.__path__)]
modules = [importlib.import_module(name) for name in names]
kernels = {value.py_func.__name__: value for module in modules for value in vars(module).values() if isinstance(value, Dispatcher)}
kernels = {name: kernel for name, kernel in kernels.items() if not kernel.targetoptions.get("no_cpython_wrapper")}
compile_others()
assert not kernels["_refine"].signatures
before = {name: set(kernel.signatures) for name, kernel in kernels.items()}
arr = sv.slice("demo", sv.demo.load_points())
assert arr.stats.certified and arr.n_linear_regions and arr.n_decision_regions
print(*(name for name, kernel in kernels.items() if set(kernel.signatures) - before[name]))
"""


def test_all_kernels_but_refine_are_compiled_for_what_they_are_given() -> None:
    """With the very types that they meet in the demo; two more, of few lines, take no time."""
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert set(run.stdout.split()) == {"_refine", "pin", "carried"}
