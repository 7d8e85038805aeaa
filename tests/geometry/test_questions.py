"""How often a refinement runs: once more only where an answer is not what was assumed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from splineviz.deadline import SpentError, until
from splineviz.geometry import refine as module
from splineviz.geometry.answers import Value
from splineviz.geometry.questions import UNKNOWN
from splineviz.geometry.refine import Proof, Refinement, refine
from tests.geometry.hand import at, square

TRUE = np.array([[1.0, 0.0, 0.25], [1.0, 0.0, 0.25 - 2.0**-20], [0.0, 1.0, 0.125]])
"""Two vertical lines, the first of them to the left of the second by 2^-20, and one across."""
SWAPPED = TRUE[[1, 0, 2]]


class Answers:
    """Answers by exact values alone."""

    def at(self, pairs: np.ndarray) -> Value | None:
        raise NotImplementedError

    def rungs(self) -> Iterator[Callable[[np.ndarray], Value | None]]:
        yield self.at

    def signs(self, pairs: np.ndarray) -> np.ndarray:
        return np.full(len(pairs), UNKNOWN)

    def coincident(self, questions: np.ndarray) -> np.ndarray:
        return np.zeros(len(questions), bool)


class Oracle(Answers):
    def __init__(self, exact: np.ndarray) -> None:
        self.exact, self.asked = exact, 0

    def at(self, pairs: np.ndarray) -> Value:
        self.asked += len(pairs)
        return lambda vertex, unit: int(Fraction(self.exact[vertex, unit]) * 2**60)


class Silent(Answers):
    def at(self, pairs: np.ndarray) -> None:
        return None


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many questions each run of the kernel asked."""
    counts, original = [], module._refine

    def counted(*arguments: Any) -> Any:
        found = original(*arguments)
        counts.append(len(found.questions))
        return found

    monkeypatch.setattr(module, "_refine", counted)
    return counts


def refined(given: np.ndarray, exact: Any) -> Refinement:
    """The square cut along lines as they are given, known to a millionth, and estimated to be known far
    better."""
    sub = square()
    return refine(
        sub, at(sub, given), np.ones(3), np.full(4, 1e-14), 0, proof=Proof(np.full(4, 2e-6), True, exact)
    )


def along_lower_edge(step: Refinement) -> list[int]:
    """Units of the new vertices on the lower edge, from its left end to its right one."""
    sub, edges = square(), step.subdivision.edges
    (lower,) = [e for e, ends in enumerate(sub.edges.tolist()) if np.allclose(sub.vertices[ends, 1], -1.0)]
    parts = edges[step.first_part[lower] : step.first_part[lower + 1]]
    inner = parts[:-1, 1] - 4
    units: list[int] = step.birth["unit"][inner].tolist()
    return units if sub.vertices[sub.edges[lower, 0], 0] < 0 else units[::-1]


def test_what_estimates_say_rightly_is_confirmed_in_one_run(runs: list[int]) -> None:
    oracle = Oracle(at(square(), TRUE))
    step = refined(TRUE, oracle)
    assert len(runs) == 1 and runs[0] > 0 and oracle.asked
    assert (step.open, step.re_evaluated) == (0, runs[0])
    assert along_lower_edge(step) == [0, 1] and len(step.subdivision.faces) == 6


def test_what_estimates_say_wrongly_is_done_again(runs: list[int]) -> None:
    step = refined(SWAPPED, Oracle(at(square(), TRUE)))
    assert len(runs) == 2 and runs[1] == 0
    assert step.open == 0
    assert along_lower_edge(step) == [0, 1], "as it is exactly"


def test_no_run_begins_when_time_is_up(runs: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where answers say otherwise again and again, runs are many."""
    oracle = Oracle(at(square(), TRUE))
    answers = oracle.at
    with until(time.monotonic() + 3600.0):

        def late(pairs: np.ndarray) -> Value:
            monkeypatch.setattr(time, "monotonic", lambda: np.inf)
            return answers(pairs)

        monkeypatch.setattr(oracle, "at", late)
        with pytest.raises(SpentError):
            refined(SWAPPED, oracle)
    assert len(runs) == 1


def test_what_nobody_can_tell_stays_open_in_one_run(runs: list[int]) -> None:
    step = refined(TRUE, Silent())
    assert len(runs) == 1
    assert (step.open, step.re_evaluated) == (runs[0], 0)
    assert along_lower_edge(step) == [0, 1]


def test_what_neither_answers_nor_estimates_hold_apart_is_one_point() -> None:
    """Two lines that are nearer to each other than they are known: nothing says which of them comes first."""
    sub = square()
    near = np.full(4, 1e-5)
    step = refine(sub, at(sub, TRUE), np.ones(3), near, 0, proof=Proof(near, True, Silent()))
    (unit,) = along_lower_edge(step)
    assert unit in (0, 1) and step.open > 0
    assert len(step.subdivision.faces) == 4, "they are one line"


def test_signs_are_asked_for_before_anything_is_cut(runs: list[int]) -> None:
    exact = at(square(), TRUE)
    exact[0, 0] = 2.0**-30
    sub = square()
    step = refine(
        sub,
        exact.copy(),
        np.ones(3),
        np.full(4, 1e-14),
        0,
        proof=Proof(np.full(4, 1e-8), True, Oracle(exact)),
    )
    assert runs == [1, 0]
    assert (step.open, step.re_evaluated) == (0, 1)
