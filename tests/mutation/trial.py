"""One mutant: the tests of its file in a process of its own, until the first that fails."""

from __future__ import annotations

import ast
import importlib
import json
import math
import os
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import pytest

__all__ = ["Outcome", "dependents", "run_tests"]

_KERNELS = ("exact", "geometry", "values")
_BYTES = 8 << 30
_COMPILED = 150.0
"""Seconds of processor time, more than all kernels take to compile on a machine that is busy."""
_NOT_ITS_OWN = "tests/geometry/test_compiled.py"
"""Where a trial's own way with kernels would be noticed"""
_UNKNOWN = 0.1
"""Seconds of a test that has not run yet"""
_PATIENT = 5.0
"""Times as long as without the fault: so long may a test take before it counts as hanging."""


@dataclass(frozen=True)
class Outcome:
    """End of a run of tests."""

    failed: str | None
    """Name of the first test that failed"""
    hung: bool
    """Whether it did not end"""
    seconds: float
    """Of processor time"""
    times: dict[str, float]
    """Seconds of processor time of each test that passed"""


def run_tests(
    tree: Path, tests: list[str], times: dict[str, float], mutated: str | None, most: float = math.inf
) -> Outcome:
    """Run tests of a copy of the project until one fails: those in files that are named first, then those in
    folders; of either the quick ones first, for about ``most`` seconds.

    ``mutated`` is the module that is not as it was when kernels were last compiled. The parent has imported
    what takes long to import, and nothing of the project.
    """
    with tempfile.TemporaryDirectory(dir=tree.parent) as folder:
        report = Path(folder, "report.json")
        child = os.fork()
        if not child:
            code = 1
            try:
                watch = _Watch(report, tests, times, mutated, most)
                code = _in_child(tree, tests, watch, mutated, Path(folder))
            finally:
                os._exit(code)
        _, status, used = os.wait4(child, 0)
        told = json.loads(report.read_text())
    ended = os.WIFEXITED(status) and os.WEXITSTATUS(status) in (
        pytest.ExitCode.OK,
        pytest.ExitCode.INTERRUPTED,
    )
    passed = ended and told["failed"] is None
    hung = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU
    return Outcome(
        None if passed else told["failed"] or told["at"], hung, used.ru_utime + used.ru_stime, told["times"]
    )


def dependents(package: Path, module: str) -> set[str]:
    """Modules with kernels, of a package's folder, into which a module of it may be compiled."""
    reads = {}
    for folder in _KERNELS:
        for path in (package / folder).glob("*.py"):
            name = ".".join((package.name, folder, path.stem))
            tree = ast.walk(ast.parse(path.read_bytes()))
            reads[name] = {node.module or "" for node in tree if isinstance(node, ast.ImportFrom)}
    found, new = set[str](), {module}
    while new:
        found |= new
        new = {name for name, read in reads.items() if read & found} - found
    return found


def _in_child(tree: Path, tests: list[str], watch: _Watch, mutated: str | None, scratch: Path) -> int:
    null = os.open(os.devnull, os.O_WRONLY)
    if mutated is not None:
        os.dup2(null, 1)
        os.dup2(null, 2)
    os.chdir(tree)
    os.environ["PYTHONPATH"] = f"{tree}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    sys.path.insert(0, str(tree))
    sys.dont_write_bytecode = mutated is not None
    for name in list(sys.modules):
        if name.split(".")[0] in ("splineviz", "splineviz_cli", "tests"):
            del sys.modules[name]
    resource.setrlimit(resource.RLIMIT_AS, (_BYTES, _BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    kernels = tree.parent / "kernels"
    if watch.compiles:
        kernels = Path(shutil.copytree(kernels, scratch / "kernels"))
    numba.config.CACHE_DIR = str(kernels)
    watch.allow(_COMPILED)
    if mutated is not None:
        _compile_anew(dependents(tree / "splineviz", mutated) if watch.compiles else set(), kernels)
    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests], plugins=[watch]))


def _compile_anew(stale: Iterable[str], kernels: Path) -> None:
    """Take kernels from the cache, but those of stale modules, whatever their stamp."""
    compiled: Any = importlib.import_module("splineviz.geometry.compiled")
    own, kept, kernel = compiled._STAMP, (kernels / "stamp").read_text(), compiled.kernel

    def stamped(function: Any) -> Any:
        compiled._STAMP = own if function.__module__ in stale else kept
        return kernel(function)

    compiled.kernel = stamped


class _Watch:
    """A plugin that orders tests, and ends a process whose test hangs."""

    def __init__(
        self, report: Path, files: list[str], times: dict[str, float], mutated: str | None, most: float
    ) -> None:
        self._report, self._files, self._known, self._left = report, files, times, most
        self.compiles = mutated is not None and mutated.split(".")[1] in _KERNELS
        self._compiled = _COMPILED if mutated is None or self.compiles else 0.0
        self._told: dict[str, Any] = {"failed": None, "at": "import", "times": {}}
        self._write()

    def allow(self, seconds: float) -> None:
        """Let the process go on for so much time of the processor."""
        end = int(_spent() + seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (end, resource.RLIM_INFINITY))

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Of each part the quick ones first."""
        items[:] = [item for item in items if not item.nodeid.startswith(_NOT_ITS_OWN)]
        items.sort(key=lambda item: (self._part(item.nodeid), self._expected(item)))

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Note which test runs, and when it is taken for hanging."""
        self._told["at"] = item.nodeid
        self._write()
        self.allow(10.0 + _PATIENT * max(2.0, self._expected(item)) + self._compiled)
        self._began = _spent()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the first failure, and the time of what passes."""
        if report.failed:
            self._told["failed"] = report.nodeid
        elif report.when == "call":
            own = self._known.get(report.nodeid, _UNKNOWN) if self.compiles else _spent() - self._began
            self._told["times"][report.nodeid] = round(own, 3)
            self._left -= own

    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """End where the time for tests is spent."""
        if self._left <= 0:
            item.session.shouldstop = "enough"

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note what cannot be imported."""
        if report.failed:
            self._told["failed"] = report.nodeid

    def pytest_sessionfinish(self) -> None:
        """Write all down."""
        self._write()

    def _write(self) -> None:
        self._report.write_text(json.dumps(self._told))

    def _expected(self, item: pytest.Item) -> float:
        return self._known.get(item.nodeid, _UNKNOWN)

    def _part(self, test: str) -> int:
        """0 for tests of the file itself, 1 for others."""
        return int(test.split("::", maxsplit=1)[0] not in self._files)


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
