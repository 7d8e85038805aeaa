"""How many small faults of the code do the tests find?

``make mutate`` runs it; ``python -m tests.mutation --help`` lists the options. One fault at a time is put into a
copy of the project, and the tests of its file run there until one fails. Faults are drawn at random, as many of
each room; which ones, the seed tells. Those that were found by a test are not tried again while the file is as it
was; survivors are, since there may be a new test. Figures go into docs/mutation.json and docs/mutation.md.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from splineviz.geometry.compiled import stamp_of
from tests.mutation.choice import ROOMS, Mutant, files_for, sample
from tests.mutation.table import summary, to_markdown
from tests.mutation.trial import run_tests

ROOT = Path(__file__).parents[2]
_HEAVY = (
    "hypothesis.strategies",
    "matplotlib.figure",
    "networkx",
    "scipy.stats",
    "shapely",
    "sympy",
    "torch.export",
    "torch._dynamo",
)
"""Modules that take long to import, once for all mutants."""
_COPIED = ("bench", "cli", "docs", "gallery", "splineviz", "tests", "pyproject.toml", "Makefile")


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parse(arguments)
    for module in _HEAVY:
        importlib.import_module(module)
    tree = _copy(given.output)
    store, began = _Store(given.output / "trials.jsonl"), time.monotonic()
    bench = _Bench(tree, given.output / "times.json", given.most)
    equivalent = json.loads((Path(__file__).parent / "equivalents.json").read_text())
    chosen = list(islice(sample(tree / "splineviz", given.rooms, given.seed), given.mutants))
    for mutant in chosen:
        late = given.minutes is not None and time.monotonic() > began + 60 * given.minutes
        if late or mutant.fault in equivalent or store.killed(tree, mutant):
            continue
        store.add(tree, mutant, bench.trial(mutant))
    figures = summary([(m, store.of(tree, m)) for m in chosen], equivalent, given.seed, given.most)
    for name, text in (
        ("mutation.json", json.dumps(figures, indent=1) + "\n"),
        ("mutation.md", to_markdown(figures)),
    ):
        (given.docs / name).write_text(text)
    print(f"{figures['killed']} of {figures['tried']} killed; {given.docs / 'mutation.md'}")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description="Put faults in, and test.")
    parser.add_argument("--mutants", type=int, default=100, help="in all, evenly over the rooms; %(default)s")
    parser.add_argument("--minutes", type=float, help="begin with no more mutants after so many")
    parser.add_argument("--seed", type=int, default=0, help="of the sample; %(default)s")
    parser.add_argument(
        "--rooms", nargs="+", choices=list(ROOMS), default=list(ROOMS), help="all, by default"
    )
    parser.add_argument("--most", type=float, default=30.0, help="seconds of tests for a mutant; %(default)s")
    parser.add_argument(
        "-o", "--output", type=Path, default=ROOT / "build/mutation", help="where trials are kept"
    )
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where the figures go")
    return parser.parse_args(arguments)


def _copy(folder: Path) -> Path:
    """The project's copy in which faults are made, as the project is now."""
    tree = folder / "tree"
    for name in _COPIED:
        if (ROOT / name).is_dir():
            shutil.rmtree(tree / name, ignore_errors=True)
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "*.nb?"))
        else:
            shutil.copy2(ROOT / name, tree / name)
    (folder / "kernels").mkdir(exist_ok=True)
    return tree


class _Bench:
    """The copy of the project, and how long its tests take without a fault."""

    def __init__(self, tree: Path, path: Path, most: float) -> None:
        self._tree, self._path, self._most = tree, path, most
        self._times: dict[str, float] = json.loads(path.read_text()) if path.exists() else {}
        stamp, package = tree.parent / "kernels/stamp", tree / "splineviz"
        if not stamp.exists() or stamp.read_text() != stamp_of(package):
            # Nearly all kernels; what other tests take, their first trial tells.
            self._passing(["tests/closed_forms"])
            stamp.write_text(stamp_of(package))

    def trial(self, mutant: Mutant) -> dict[str, Any]:
        """Put the fault in, and run the tests of its file."""
        path = self._tree / "splineviz" / mutant.path
        source, found = path.read_bytes(), path.stat()
        try:
            path.write_bytes(mutant.mutation.of(source))
            tests = files_for(self._tree, mutant)
            outcome = run_tests(self._tree, tests, self._times, mutant.module, self._most)
        finally:
            path.write_bytes(source)
            os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
        self._keep(outcome.times)
        if outcome.failed and "::" in outcome.failed and outcome.failed not in self._times:
            self._passing([outcome.failed])
            if outcome.hung:  # or only slow, which is known now
                return self.trial(mutant)
        end = "survived" if outcome.failed is None else "hung" if outcome.hung else "failed"
        print(f"{outcome.seconds:5.0f} s  {end}  {mutant.name}  {outcome.failed or ''}", flush=True)
        return {"end": end, "by": outcome.failed, "seconds": round(outcome.seconds, 1)}

    def _passing(self, tests: list[str]) -> None:
        """See to it that tests pass without a fault: else they tell nothing."""
        outcome = run_tests(self._tree, tests, self._times, None)
        if outcome.failed:
            raise SystemExit(f"without a fault, {outcome.failed} fails")
        self._keep(outcome.times)

    def _keep(self, times: dict[str, float]) -> None:
        for test, seconds in times.items():
            self._times[test] = min(seconds, self._times.get(test, seconds))
        self._path.write_text(json.dumps(self._times, indent=1))


class _Store:
    """Outcomes of mutants, one line of JSON each; the last one counts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_text().splitlines() if path.exists() else []
        self._trials = {row["key"]: row for row in map(json.loads, lines)}

    def of(self, tree: Path, mutant: Mutant) -> dict[str, Any] | None:
        return self._trials.get(_key(tree, mutant))

    def killed(self, tree: Path, mutant: Mutant) -> bool:
        trial = self.of(tree, mutant)
        return trial is not None and trial["end"] != "survived"

    def add(self, tree: Path, mutant: Mutant, trial: dict[str, Any]) -> None:
        key = _key(tree, mutant)
        self._trials[key] = {"key": key, "name": mutant.name} | trial
        with self._path.open("a") as file:
            file.write(json.dumps(self._trials[key]) + "\n")


def _key(tree: Path, mutant: Mutant) -> str:
    source = (tree / "splineviz" / mutant.path).read_bytes()
    return hashlib.sha256(source + json.dumps(asdict(mutant)).encode()).hexdigest()[:16]


if __name__ == "__main__":
    raise SystemExit(main())
