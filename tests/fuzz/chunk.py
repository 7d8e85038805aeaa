"""One family, one seed, some hundred cases: all are run, whatever fails, and one failure of each kind is
shrunk."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any
from unittest import mock

import hypothesis
import torch
from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzz.families import FAMILIES
from tests.fuzz.script import as_script
from tests.oracles.compare import Mismatch
from tests.oracles.harness import Case

__all__ = ["Chunk", "run_chunk"]

SHRINK_SECONDS = 40


@dataclass
class Chunk:
    family: str
    seed: int
    cases: int = 0
    cells: int = 0
    seconds: float = 0.0
    """Of processor time."""
    failures: dict[str, int] = field(default_factory=dict)
    """How many cases differ in what."""
    shares: dict[str, float] = field(default_factory=dict)
    """The largest share of its bound that each kind of number used."""
    scripts: dict[str, str] = field(default_factory=dict)
    """A reproducing script for each kind of failure that was shrunk."""


def run_chunk(family: str, seed: int, size: int, certify: str, known: frozenset[str] = frozenset()) -> Chunk:
    """Run ``size`` cases of a family; kinds of failure in ``known`` are counted and not shrunk."""
    torch.set_num_threads(1)
    began = time.process_time()
    chunk, failures = Chunk(family, seed), Counter[str]()

    def count(case: Case) -> None:
        chunk.cases += 1
        kind, _ = _failure(case, certify, chunk)
        if kind:
            failures[kind] += 1

    _over(count, family, seed, size, [Phase.generate])
    chunk.failures = dict(failures)
    for kind in sorted(set(failures) - known):
        case, message = _shrunk(family, seed, size, certify, kind)
        name = f"{family}-{kind}-{seed}.py".replace(" ", "_").replace(",", "").replace(">", "gt")
        chunk.scripts[name] = as_script(case, f"{family}, seed {seed}: {message}", name, certify)
    chunk.seconds = time.process_time() - began
    return chunk


def _failure(case: Case, certify: str, chunk: Chunk | None = None) -> tuple[str, str]:
    """What is wrong with a case, in one word and at length; empty where nothing is."""
    try:
        found = case.agree(certify)
    except Mismatch as mismatch:
        return mismatch.what, str(mismatch)
    except Exception as error:
        return type(error).__name__, f"{type(error).__name__}: {error}"
    if chunk is not None:
        chunk.cells += sum(exact.n_cells for exact in case.exact)
        for agreement in found:
            for what, share in asdict(agreement).items():
                chunk.shares[what] = max(share, chunk.shares.get(what, 0.0))
    return "", ""


def _shrunk(family: str, seed: int, size: int, certify: str, kind: str) -> tuple[Case, str]:
    """The smallest case found that fails in the same way. The same seed meets the same cases."""
    last: list[tuple[Case, str]] = []

    def fail(case: Case) -> None:
        what, message = _failure(case, certify)
        if what == kind:
            last[:] = [(case, message)]
            raise Mismatch(what, message)

    with mock.patch("hypothesis.internal.conjecture.engine.MAX_SHRINKING_SECONDS", SHRINK_SECONDS):
        try:
            _over(fail, family, seed, size, [Phase.generate, Phase.shrink])
        except Exception:
            assert last
    return last[0]


def _over(body: Callable[[Case], None], family: str, seed: int, size: int, phases: list[Any]) -> None:
    @hypothesis.seed(seed)
    @settings(
        max_examples=size,
        phases=phases,
        database=None,
        derandomize=False,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(FAMILIES[family])
    def over(case: Case) -> None:
        body(case)

    over()
