"""Exact answers to what error bounds leave open, from exact values of units at exact vertices."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Protocol

import numpy as np

from splineviz.geometry.questions import ANSWER, EDGE, SIGN, UNKNOWN, Answers, tabulate

__all__ = ["ExactAnswers", "Number", "UnsureError", "Value", "checked"]


class Number(Protocol):
    """A number as far as it is known: a whole one, or one up to a bound."""

    def __add__(self, other: Any, /) -> Any: ...

    def __sub__(self, other: Any, /) -> Any: ...

    def __mul__(self, other: Any, /) -> Any: ...

    def __abs__(self) -> Any: ...

    def __gt__(self, zero: int, /) -> bool: ...

    def __lt__(self, zero: int, /) -> bool: ...


Value = Callable[[int, int], Number]


class UnsureError(Exception):
    """A number may be positive or not, for all that is known of it."""


class ExactAnswers(Protocol):
    """Knows the units of one stage better than by float64."""

    def coincident(self, questions: np.ndarray) -> np.ndarray:
        """(n,) bool: which questions are about what is equal by construction: a sign that is 0, one point."""
        ...  # pragma: no cover

    def signs(self, pairs: np.ndarray) -> np.ndarray:
        """(n,) signs for rows (vertex, unit), `UNKNOWN` where that is not told cheaply."""
        ...  # pragma: no cover

    def rungs(self) -> Iterable[Callable[[np.ndarray], Value | None]]:
        """Ways to find values, the cheapest first and the last one exact. Each is called with rows (vertex,
        unit) and returns ``value(vertex, unit)``, times a positive number that all units of a vertex share;
        or None if that cannot be told. Comparisons of values that are not known well enough raise
        `UnsureError`.
        """


def checked(
    answers: Answers, questions: np.ndarray, exact: ExactAnswers | None
) -> tuple[Answers, int | None]:
    """All answers, with those to `questions.QUESTION` of a run added, and how many say what it assumed; None
    if one does not.

    Points on chords are those of the run: what it asks about faces makes sense only if it was right about
    their edges.
    """
    if len(questions) == 0:
        return answers, 0
    within = (questions["chord"] != SIGN) & (questions["chord"] != EDGE)
    n_confirmed: int | None = 0
    for some in (questions[~within], questions[within]):
        if len(some) and n_confirmed is not None:
            answers = _answered(answers, some, exact)
            decisions = answers.rows["decision"][-len(some) :]
            same = decisions == some["assumed"]
            n_confirmed = n_confirmed + int(same.sum()) if (same | (decisions == UNKNOWN)).all() else None
    return answers, n_confirmed


def _answered(answers: Answers, questions: np.ndarray, exact: ExactAnswers | None) -> Answers:
    """All answers, with those to `questions.QUESTION` added."""
    rows = np.empty(len(questions), ANSWER)
    for key in list(ANSWER.names or ())[:4]:
        rows[key] = questions[key]
    rows["decision"] = UNKNOWN
    if exact is not None:
        rows["decision"][exact.coincident(questions)] = 0
        about_signs = np.flatnonzero((questions["chord"] == SIGN) & (rows["decision"] == UNKNOWN))
        asked = questions[about_signs]
        rows["decision"][about_signs] = exact.signs(np.column_stack([asked["place"], asked["first"]]))
    left = np.flatnonzero(rows["decision"] == UNKNOWN)
    for rung in () if exact is None or not len(left) else exact.rungs():
        value = rung(_needed(questions[left]))
        if value is None:
            continue
        for i in left.tolist():
            with suppress(UnsureError):
                rows["decision"][i] = _decide(questions[i].tolist(), value)
        left = left[rows["decision"][left] == UNKNOWN]
        if not len(left):
            break
    return tabulate(np.concatenate([answers.rows, rows]))


def _needed(questions: np.ndarray) -> np.ndarray:
    """(n, 2) the (vertex, unit) whose values the questions depend on, each once."""
    pairs = []
    for a, b, unit in (("pa", "pb", "pu"), ("qa", "qb", "qu")):
        for vertex in (a, b):
            for column in ("first", "second", unit):
                pairs.append(np.column_stack([questions[vertex], questions[column]]))
    rows = np.concatenate(pairs)
    rows = rows[rows[:, 1] >= 0]
    width = int(rows[:, 1].max()) + 1
    return np.stack(np.divmod(np.unique(rows[:, 0] * width + rows[:, 1]), width), axis=1)


def _decide(question: tuple[int, ...], value: Value) -> int:
    place, chord, first, second, pa, pb, pu, qa, qb, qu, _ = question
    if chord == SIGN:
        z = value(place, first)
        return (z > 0) - (z < 0)
    # A unit with values z, y of opposite sign at p and q vanishes at |z| / (|z| + |y|) of the way.
    z_first, z_second = _on_edge(pa, pb, pu, first, value), _on_edge(pa, pb, pu, second, value)
    y_first, y_second = _on_edge(qa, qb, qu, first, value), _on_edge(qa, qb, qu, second, value)
    if _opposite(z_first, y_first) and _opposite(z_second, y_second):
        lead = abs(z_second * y_first) - abs(z_first * y_second)
        return int(lead > 0) - int(lead < 0)
    # Not both cross between p and q, so earlier decisions were wrong: they were not all proven.
    return UNKNOWN


def _on_edge(a: int, b: int, w: int, unit: int, value: Value) -> Any:
    """Value of a unit at a point of `QUESTION`, times a positive number that does not depend on the
    unit."""
    if w < 0:
        return value(a, unit)
    return value(a, unit) * abs(value(b, w)) + value(b, unit) * abs(value(a, w))


def _opposite(z: Number, y: Number) -> bool:
    return (z > 0 and y < 0) or (z < 0 and y > 0)
