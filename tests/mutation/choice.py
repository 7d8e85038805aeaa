"""Which mutants are tried, and by which tests."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.operators import Mutation, mutations

__all__ = ["ROOMS", "Mutant", "files_for", "sample"]

ROOMS = {
    "geometry": ("tests/geometry", "tests/closed_forms", "tests/degenerate"),
    "exact": ("tests/exact", "tests/engine/test_decisions.py", "tests/engine/test_proofs.py"),
    "engine": ("tests/closed_forms", "tests/engine/test_batches.py", "tests/engine"),
    "estimators": ("tests/estimators", "tests/cli/test_estimate.py"),
    "validation": ("tests/validation", "tests/report"),
}
"""Rooms that are mutated, and the tests of each that come after those that name the file."""
_PLUMBING = ("geometry/compiled.py",)
"""What says which kernels are compiled anew, which is what a trial itself relies on."""


@dataclass(frozen=True)
class Mutant:
    """A mutation of a file of the package."""

    path: str
    """Relative to the package's folder"""
    mutation: Mutation

    @property
    def name(self) -> str:
        """File, line, and old and new text."""
        return f"{self.path}:{self.mutation.line} {self.mutation.what}"

    @property
    def fault(self) -> str:
        """Its name with the text of the line in place of its number, which moves."""
        return f"{self.path} {self.mutation.what} | {self.mutation.within}"

    @property
    def module(self) -> str:
        """Dotted name."""
        return "splineviz." + self.path.removesuffix(".py").replace("/", ".")


def sample(package: Path, rooms: list[str], seed: int) -> Iterator[Mutant]:
    """All mutants in random order, of one room after the other in turn, until no room has any left."""
    queues = {}
    for room in rooms:
        files = sorted((package / room).rglob("*.py"))
        names = [path.relative_to(package).as_posix() for path in files]
        queue = [
            Mutant(n, m) for n in names if n not in _PLUMBING for m in mutations((package / n).read_bytes())
        ]
        random.Random(f"{seed} {room}").shuffle(queue)
        queues[room] = queue
    while any(queues.values()):
        yield from (queue.pop() for queue in queues.values() if queue)


def files_for(tree: Path, mutant: Mutant) -> list[str]:
    """The examples in the file's own docstrings, the test files that import it, and the tests of its room."""
    room, own = mutant.path.split("/")[0], f"splineviz/{mutant.path}"
    parent, _, last = mutant.module.rpartition(".")
    names = re.compile(rf"{re.escape(mutant.module)}\b|from {re.escape(parent)} import .*\b{last}\b")
    files = [path for folder in ROOMS[room] for path in sorted((tree / folder).rglob("test_*.py"))]
    direct = [path for path in sorted(files) if names.search(path.read_text(encoding="utf-8"))]
    return [own, *(path.relative_to(tree).as_posix() for path in direct), *ROOMS[room]]
