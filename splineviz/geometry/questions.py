"""Questions about decisions that a proven error bound leaves open, and their answers.

Kernels ask them, exact arithmetic outside answers them, and kernels that run again look the answers up.

Two kinds are enough. The *sign* of a unit at a vertex; and the *order* in which two units vanish on the way
from one point to another, along an edge or along the chord of a third. A point is a vertex, or lies where a
unit vanishes between two vertices.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

from splineviz.geometry.compiled import kernel, part

__all__ = ["ANSWER", "EDGE", "MOST", "NO_ANSWERS", "QUESTION", "SIGN", "UNKNOWN"]
__all__ += [
    "Answers",
    "Dialogue",
    "Key",
    "Point",
    "Questions",
    "ask",
    "ask_sign",
    "look_up",
    "no_questions",
    "tabulate",
]

SIGN, EDGE = -2, -1
"""In place of a chord's unit in a question: it is about a vertex, or about an edge."""

UNKNOWN, NONE = 2, 3
"""Decisions beside -1, 0 and 1: nobody can tell; nobody has been asked."""

MOST = 1 << 16
"""Questions of one run: more wait for the next one. Room that is not written to costs nothing."""

QUESTION = np.dtype(
    [(name, np.int64) for name in "place chord first second pa pb pu qa qb qu assumed".split()]
)
"""About ``place``, a vertex, edge or face: ``first`` is the unit whose sign is asked for; or ``first`` <
``second`` vanish, on an edge or on the ``chord`` of a face, on the way from the point p to q. A point lies
where unit ``pu`` vanishes between the vertices ``pa`` and ``pb``, or, with ``pu`` -1, is the vertex ``pa``.
``assumed`` is the order that the run went on with."""

ANSWER = np.dtype([(name, np.int64) for name in "place chord first second decision".split()])
"""``decision`` is the sign; or 1 where ``first`` vanishes first, 0 where both vanish in one point, -1
otherwise."""


class Key(NamedTuple):
    """Subject of a question: the first four columns of `QUESTION` and `ANSWER`."""

    place: int
    chord: int
    first: int
    second: int


class Point(NamedTuple):
    """End of an edge or chord, as in `QUESTION`: where ``unit`` vanishes between vertices a and b, or, with
    -1, the vertex a."""

    a: int
    b: int
    unit: int


class Answers(NamedTuple):
    """All answers so far, with an open hash table of their rows."""

    rows: np.ndarray
    """(answers,) of `ANSWER`"""
    slots: Int64[np.ndarray, "slot"]
    """Rows by the hash of their key, -1 for none; a power of two of them"""


class Questions(NamedTuple):
    """Questions of one run."""

    rows: np.ndarray
    """(room,) of `QUESTION`"""
    asked: Int64[np.ndarray, "2"]
    """Number of questions, and of those that stop the run, whose result is of no use then: signs, and what
    waits for the next run or does not fit. Orders are assumed to be as estimated, and if the answers say the
    same, the result stands."""


class Dialogue(NamedTuple):
    """Answers of exact arithmetic that kernels have, and questions that they ask of it."""

    answers: Answers
    questions: Questions


NO_ANSWERS = Answers(np.empty(0, ANSWER), np.full(1, -1))


def tabulate(rows: np.ndarray) -> Answers:
    """Answers, rows of `ANSWER`, with their table."""
    slots = np.full(1 << max(1, int(2 * len(rows)).bit_length()), -1)
    _fill(rows, slots)
    return Answers(rows, slots)


@kernel
def _fill(rows: np.ndarray, slots: Int64[np.ndarray, "slot"]) -> None:
    for i in range(len(rows)):
        k = _slot(Key(rows[i].place, rows[i].chord, rows[i].first, rows[i].second), len(slots))
        while slots[k] >= 0:
            k = (k + 1) % len(slots)
        slots[k] = i


@part()
def _slot(key: Key, n: int) -> np.int64:
    """Slot at which the search for a key begins, among n slots, a power of two."""
    h = np.uint64(key.place)
    for x in (key.chord, key.first, key.second):
        h = (h ^ np.uint64(x)) * np.uint64(0xFF51AFD7ED558CCD)
        h ^= h >> np.uint64(33)
    return np.int64(h & np.uint64(n - 1))


@part()
def look_up(answers: Answers, key: Key) -> int:
    """The decision on a question, the other way round if ``first`` > ``second``; `NONE` where there is
    none."""
    turned = key.chord != SIGN and key.first > key.second
    if turned:
        key = Key(key.place, key.chord, key.second, key.first)
    k = _slot(key, len(answers.slots))
    while answers.slots[k] >= 0:
        row = answers.rows[answers.slots[k]]
        if (
            row.place == key.place
            and row.chord == key.chord
            and row.first == key.first
            and row.second == key.second
        ):
            decision: int = row.decision
            return -decision if turned and decision != UNKNOWN else decision
        k = (k + 1) % len(answers.slots)
    return NONE


@part()
def no_questions(room: int) -> Questions:
    """Room for so many questions, none of them asked yet."""
    return Questions(np.empty(room, QUESTION), np.zeros(2, np.int64))


@part()
def ask_sign(questions: Questions, vertex: int, unit: int) -> None:
    """Ask for the sign of a unit at a vertex; the run stops."""
    questions.asked[1] += 1
    at = Point(vertex, vertex, -1)
    ask(questions, Key(vertex, SIGN, unit, -1), at, at, UNKNOWN)


@part()
def ask(questions: Questions, key: Key, p: Point, q: Point, assumed: int) -> None:
    """Put down a `QUESTION`, the other way round if it is about an order and ``first`` > ``second``, as
    `look_up` has it."""
    n = questions.asked[0]
    if n == len(questions.rows):
        questions.asked[1] += 1
        return
    questions.asked[0] += 1
    row = questions.rows[n]
    row.place, row.chord, row.first, row.second, row.assumed = (
        key.place,
        key.chord,
        key.first,
        key.second,
        assumed,
    )
    if key.chord != SIGN and key.first > key.second:
        row.first, row.second, row.assumed = key.second, key.first, -assumed
    row.pa, row.pb, row.pu = p.a, p.b, p.unit
    row.qa, row.qb, row.qu = q.a, q.b, q.unit
