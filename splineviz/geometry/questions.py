"""Decisions that a proven error bound leaves open: asked by the kernels, answered outside, looked up when
they run again.

Two kinds are enough. The *sign* of a unit at a vertex; and the *order* in which two units vanish on the way
from one point to another, along an edge or along the chord of a third. A point is a vertex, or lies where a
unit vanishes between two vertices.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from splineviz.geometry.compiled import kernel, part

__all__ = ["ANSWER", "EDGE", "FEW", "MANY", "NO_ANSWERS", "QUESTION", "SIGN", "UNKNOWN"]
__all__ += ["Answers", "Questions", "ask", "ask_sign", "asking", "look_up", "tabulate"]

SIGN, EDGE = -2, -1
"""What stands in a question in place of a chord's unit: it is about a vertex, or about an edge."""

UNKNOWN, NONE = 2, 3
"""Verdicts beside -1, 0 and 1: nobody can tell; nobody has been asked."""

FEW, MANY = 1 << 10, 1 << 16
"""Room for questions in a first run, where most often there are none, and in the next ones"""

QUESTION = np.dtype(
    [(name, np.int64) for name in "place chord first second pa pb pu qa qb qu assumed".split()]
)
"""About ``place``, a vertex, edge or face: ``first`` is the unit whose sign is asked for; or ``first`` <
``second`` vanish, on an edge or on the ``chord`` of a face, on the way from the point p to q. A point lies
where unit ``pu`` vanishes between the vertices ``pa`` and ``pb``, or, with ``pu`` -1, is the vertex ``pa``.
``assumed`` is the verdict on an order that the run went on with."""

ANSWER = np.dtype([(name, np.int64) for name in "place chord first second verdict".split()])
"""``verdict`` is the sign; or 1 where ``first`` vanishes first, 0 where both vanish in one point, -1
otherwise."""


class Answers(NamedTuple):
    """All answers so far, with an open hash table of their rows."""

    rows: np.ndarray
    slots: np.ndarray
    """Rows by the hash of their first four columns, -1 for none; a power of two of them"""


class Questions(NamedTuple):
    """Questions of one run."""

    rows: np.ndarray
    asked: np.ndarray
    """(2,) how many there are; and how many stop the run, whose result is of no use then: signs, and what
    waits for the next run or does not fit. Orders are assumed to be as estimated, and if the answers say the
    same, the result stands."""


NO_ANSWERS = Answers(np.empty(0, ANSWER), np.full(1, -1))


def tabulate(rows: np.ndarray) -> Answers:
    """The answers with their table."""
    slots = np.full(1 << max(1, int(2 * len(rows)).bit_length()), -1)
    _fill(rows, slots)
    return Answers(rows, slots)


@kernel
def _fill(rows: Any, slots: Any) -> None:
    for i in range(len(rows)):
        k = _slot(rows[i].place, rows[i].chord, rows[i].first, rows[i].second, len(slots))
        while slots[k] >= 0:
            k = (k + 1) % len(slots)
        slots[k] = i


@part()
def _slot(place: Any, chord: Any, first: Any, second: Any, n: Any) -> Any:
    h = np.uint64(place)
    for x in (chord, first, second):
        h = (h ^ np.uint64(x)) * np.uint64(0xFF51AFD7ED558CCD)
        h ^= h >> np.uint64(33)
    return np.int64(h & np.uint64(n - 1))


@part()
def look_up(answers: Any, place: Any, chord: Any, first: Any, second: Any) -> Any:
    """The verdict on a question, the other way round if ``first`` > ``second``; `NONE` where there is
    none."""
    turned = chord != SIGN and first > second
    if turned:
        first, second = second, first
    k = _slot(place, chord, first, second, len(answers.slots))
    while answers.slots[k] >= 0:
        row = answers.rows[answers.slots[k]]
        if row.place == place and row.chord == chord and row.first == first and row.second == second:
            return -row.verdict if turned and row.verdict != UNKNOWN else row.verdict
        k = (k + 1) % len(answers.slots)
    return NONE


@part()
def asking(room: Any) -> Any:
    """Nothing asked yet."""
    return Questions(np.empty(room, QUESTION), np.zeros(2, np.int64))


@part()
def ask_sign(questions: Any, vertex: Any, unit: Any) -> None:
    questions.asked[1] += 1
    ask(questions, vertex, SIGN, unit, -1, vertex, vertex, -1, vertex, vertex, -1, UNKNOWN)


@part()
def ask(
    questions: Any, place: Any, chord: Any, first: Any, second: Any,
    pa: Any, pb: Any, pu: Any, qa: Any, qb: Any, qu: Any, assumed: Any,
) -> None:  # fmt: skip
    """Put down a `QUESTION`, the other way round if it is about an order and ``first`` > ``second``, as
    `look_up` has it."""
    n = questions.asked[0]
    if n == len(questions.rows):
        questions.asked[1] += 1
        return
    questions.asked[0] += 1
    if chord != SIGN and first > second:
        first, second, assumed = second, first, -assumed
    row = questions.rows[n]
    row.place, row.chord, row.first, row.second, row.assumed = place, chord, first, second, assumed
    row.pa, row.pb, row.pu, row.qa, row.qb, row.qu = pa, pb, pu, qa, qb, qu
