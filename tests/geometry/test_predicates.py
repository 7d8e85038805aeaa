"""The three decisions, at and beside the bound that settles them."""

from __future__ import annotations

from fractions import Fraction

import numba
import numpy as np
import pytest

from splineviz.geometry import predicates, questions
from splineviz.geometry.kernel_compiler import KernelCompiler
from splineviz.geometry.places import Places
from splineviz.geometry.predicates import MARGIN, TINY, Crossing, Signs, Units
from splineviz.geometry.questions import (
    ANSWER,
    EDGE,
    NO_ANSWERS,
    SIGN,
    UNKNOWN,
    Answers,
    Dialogue,
    Key,
    Point,
    tabulate,
)
from splineviz.geometry.rounding import UNIT_ROUNDOFF

# Parts of kernels cannot be called from Python by themselves, and are whole only within a kernel of our compiler.
as_kernel = numba.njit(pipeline_class=KernelCompiler)
judge = as_kernel(predicates.classify.py_func)
units_at = as_kernel(predicates.units_at.py_func)
no_questions = as_kernel(questions.no_questions.py_func)
prove_crossing = as_kernel(predicates.prove_crossing.py_func)
crossing = as_kernel(predicates.crossing.py_func)
in_order = as_kernel(predicates.in_order.py_func)
order = as_kernel(predicates.order.py_func)


def units_of(
    z: np.ndarray, scale: np.ndarray, slack: np.ndarray, proof: np.ndarray, shares: object = 0.0
) -> Units:
    """Units at vertices whose exact places differ from the nominal ones by shares of the ways to the next two."""
    n = len(z)
    neighbours = np.stack([np.arange(1, n + 1) % n, np.arange(2, n + 2) % n], axis=1)
    off = np.broadcast_to(np.float64(shares), (n, 4)).copy()
    places, moved, no_kinds = (
        Places(neighbours, off, np.zeros((n, 2))),
        np.zeros((n, 2)),
        np.empty(0, np.int64),
    )
    return units_at(z, scale, slack.copy(), proof.copy(), places, moved, no_kinds)


def classify(z: np.ndarray, scale: np.ndarray, slack: np.ndarray, first: int) -> Signs:
    """By estimates alone."""
    units = units_of(z, scale, slack, np.empty(0))
    return judge(units, False, first, Dialogue(NO_ANSWERS, no_questions(100)))


def test_units_that_have_cut_are_not_counted_as_zeros() -> None:
    z = np.zeros((1, 100))
    assert (
        classify(z, np.ones(100), np.ones(1), 1).zeros,
        classify(z, np.ones(100), np.ones(1), 0).zeros,
    ) == (36, 100)


@pytest.mark.parametrize("n_units", [1, 63, 64, 65, 200])
def test_signs_are_three_valued(n_units: int) -> None:
    rng = np.random.default_rng(n_units)
    z = rng.integers(-2, 3, (5, n_units)).astype(np.float64)
    given = z.copy()
    signs = classify(z, np.ones(n_units), np.zeros(5), 0)
    above = np.unpackbits(signs.positive.view(np.uint8), axis=1, bitorder="little")
    below = np.unpackbits(signs.negative.view(np.uint8), axis=1, bitorder="little")
    np.testing.assert_array_equal(above[:, :n_units], given > 0)
    np.testing.assert_array_equal(below[:, :n_units], given < 0)
    assert not above[:, n_units:].any() and not below[:, n_units:].any()
    assert (signs.zeros, signs.open) == ((given == 0).sum(), 0)
    np.testing.assert_array_equal(z, given)


def test_values_within_the_bound_become_zero_and_are_counted() -> None:
    scale, slack = np.array([1.0, 4.0, 0.0]), np.array([1e-10, 0.0])
    least = MARGIN * 1e-10
    z = np.array([[least, -4 * least * (1 + 1e-9), 1e-300], [1e-300, 0.0, 0.0]])
    signs = classify(z, scale, slack, 0)
    assert z.tolist() == [[0.0, -4 * least * (1 + 1e-9), 1e-300], [1e-300, 0.0, 0.0]]
    assert signs.positive[:, 0].tolist() == [0b100, 0b001] and signs.negative[:, 0].tolist() == [0b010, 0]
    assert (signs.zeros, signs.open) == (3, 1)


def test_how_far_values_were_moved_for_their_signs_is_told() -> None:
    """In all, and the largest over the scale of its unit; not where a unit has no scale."""
    scale = np.array([0.25, 4.0, 0.5, 0.0])
    z, slack = np.array([[3e-12, -8e-12, 1.0, 2.0], [1.0, -1.0, -2e-12, 1.0]]), np.full(2, 1e-12)
    units = units_of(z.copy(), scale, slack, np.empty(0))
    judge(units, False, 0, Dialogue(NO_ANSWERS, no_questions(100)))
    assert units.z.tolist() == [[0.0, 0.0, 1.0, 2.0], [1.0, -1.0, 0.0, 1.0]]
    assert units.moved[0] == pytest.approx([73e-24, 12e-12])
    assert units.moved[1] == pytest.approx([4e-24, 4e-12])


def test_a_crossing_lies_within_its_bound() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        za, zb = 10.0 ** rng.uniform(-8, 8), -(10.0 ** rng.uniform(-8, 8))
        bound_a, bound_b = 1e-9 * za, 1e-9 * -zb
        t, bound = crossing(za, zb, bound_a, bound_b)
        assert 0 <= t <= 1
        for da, db in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            a, b = Fraction(za) + da * Fraction(bound_a), Fraction(zb) + db * Fraction(bound_b)
            assert abs(a / (a - b) - Fraction(t)) <= Fraction(bound) * (1 + Fraction(1, 10**8))


@pytest.mark.parametrize("sign", [-1, 1])
def test_what_a_proof_leaves_open_is_asked_for_and_the_answer_stands(sign: int) -> None:
    given = np.array([[3e-9, -3e-9, 0.0, 2e-9, 5e-9, 1.0], [0.0, 1.0, -1.0, 1.0, -1.0, 1.0]])
    scale, proof, slack = (
        np.array([1.0, 1.0, 1.0, 1.0, 1.0, 0.0]),
        np.array([4e-9, 1e-12]),
        np.array([1e-11, 1e-14]),
    )
    asked, z = no_questions(100), given.copy()
    signs = judge(units_of(z, scale, slack, proof), False, 0, Dialogue(NO_ANSWERS, asked))
    rows = asked.rows[: asked.asked[0]]
    assert rows[["place", "chord", "first"]].tolist() == [
        (0, SIGN, 0),
        (0, SIGN, 1),
        (0, SIGN, 2),
        (0, SIGN, 3),
        (1, SIGN, 0),
    ]
    assert signs.open == 5
    np.testing.assert_array_equal(z, given, "values wait for their answers")

    decisions = [(0, 0, 1), (0, 1, 1), (0, 2, sign), (0, 3, 0), (1, 0, UNKNOWN)]
    answers = tabulate(np.array([(v, SIGN, unit, -1, decision) for v, unit, decision in decisions], ANSWER))
    asked, z = no_questions(100), given.copy()
    signs = judge(units_of(z, scale, slack, proof), False, 0, Dialogue(answers, asked))
    assert asked.asked[0] == 0
    assert z[0].tolist() == [3e-9, TINY, sign * TINY, 0.0, 5e-9, 1.0]
    assert z[1].tolist() == given[1].tolist()
    above, below = (0b110011, 0b000100) if sign < 0 else (0b110111, 0)
    assert (signs.positive[0, 0], signs.negative[0, 0]) == (above, below)
    assert (signs.zeros, signs.open) == (2, 1), (
        "nobody can tell the last one, so it is taken as the estimate has it"
    )


def test_zeros_that_are_sure_are_not_asked_for() -> None:
    slack, proof = np.zeros(2), np.full(2, 1e-9)
    asked, z = no_questions(100), np.array([[0.0, 1e-20, 1.0], np.ones(3)])
    signs = judge(units_of(z, np.ones(3), slack, proof), True, 0, Dialogue(NO_ANSWERS, asked))
    assert asked.rows[: asked.asked[0]]["first"].tolist() == [1] and signs.zeros == 1
    asked, z = no_questions(100), np.array([[0.0, 0.0, 1.0], np.ones(3)])
    judge(units_of(z, np.array([1.0, 0.0, 1.0]), slack, proof), False, 0, Dialogue(NO_ANSWERS, asked))
    assert asked.rows[: asked.asked[0]]["first"].tolist() == [0], "an entry that nothing goes into is zero"


def test_what_nobody_can_tell_stays_open_though_zeros_are_sure() -> None:
    z, answers = np.array([[1e-20], [1.0]]), tabulate(np.array([(0, SIGN, 0, -1, UNKNOWN)], ANSWER))
    for _ in range(2):
        units = units_of(z, np.ones(1), np.full(2, 1e-15), np.full(2, 1e-9))
        assert judge(units, True, 0, Dialogue(answers, no_questions(100))).open == 1


def test_answers_are_found_again() -> None:
    rng = np.random.default_rng(0)
    rows = np.unique(
        np.array([tuple(row) for row in rng.integers(-1, 6, (400, 5)).tolist()], ANSWER)[
            list(ANSWER.names or ())[:4]
        ]
    )
    table = np.empty(len(rows), ANSWER)
    for name in rows.dtype.names or ():
        table[name] = rows[name]
    table["decision"] = rng.integers(-1, 2, len(table))
    table = table[table["first"] < table["second"]]
    answers: Answers = tabulate(table)
    find = as_kernel(questions.look_up.py_func)
    for place, chord, first, second, decision in table.tolist():
        assert find(answers, Key(place, chord, first, second)) == decision
        assert find(answers, Key(place, chord, second, first)) == -decision, "the other way round"
    assert find(answers, Key(77, 0, 1, 2)) > UNKNOWN


def test_a_proof_covers_the_crossing_whatever_the_values_are_within_theirs() -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        za, zb = 10.0 ** rng.uniform(-8, 8), -(10.0 ** rng.uniform(-8, 8))
        errors = za * 10.0 ** rng.uniform(-16, -0.01), -zb * 10.0 ** rng.uniform(-16, -0.01)
        t, _ = crossing(za, zb, 0.0, 0.0)
        proof = prove_crossing(t, za, zb, *errors)
        for da, db in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            a, b = Fraction(za) + da * Fraction(errors[0]), Fraction(zb) + db * Fraction(errors[1])
            assert abs(a / (a - b) - Fraction(t)) <= Fraction(proof)
    assert prove_crossing(0.5, 1e-9, -1e-9, 1e-9, 1e-9) == 1.0, (
        "the values may be of one sign, so it may be anywhere"
    )


def test_a_crossing_is_the_same_for_the_opposite_unit() -> None:
    assert crossing(0.3, -0.7, 1e-12, 2e-12) == crossing(-0.3, 0.7, 1e-12, 2e-12)


def test_crossings_of_no_spread_are_anywhere() -> None:
    assert crossing(0.0, 0.0, 0.0, 0.0) == (0.5, 0.5)


def test_order_is_certain_only_beyond_both_bounds() -> None:
    gap = MARGIN * (1e-10 + 2e-10)
    assert in_order(0.25, 1e-10, 0.25 + 1.01 * gap, 2e-10)
    assert not in_order(0.25, 1e-10, 0.25 + 0.99 * gap, 2e-10)
    assert not in_order(0.25 + 1.01 * gap, 1e-10, 0.25, 2e-10)
    assert not in_order(0.25, 4 * UNIT_ROUNDOFF, 0.25, 4 * UNIT_ROUNDOFF)


@pytest.mark.parametrize(("first", "second", "likely"), [(0.25, 0.5, 1), (0.25, 0.25, 0), (0.5, 0.25, -1)])
def test_an_order_that_is_asked_for_goes_on_as_it_is_estimated(
    first: float, second: float, likely: int
) -> None:
    """One point where estimates cannot tell; what nobody can tell is not asked again."""
    ways = Crossing(first, 1e-12, 1.0), Crossing(second, 1e-12, 1.0)
    key, p, q = Key(7, EDGE, 2, 5), Point(0, 0, -1), Point(1, 1, -1)
    asked = no_questions(100)
    assert order(key, p, q, *ways, Dialogue(NO_ANSWERS, asked)) == (likely, True)
    assert asked.asked.tolist() == [1, 0] and asked.rows[0]["assumed"] == likely
    unknown = tabulate(np.array([(7, EDGE, 2, 5, UNKNOWN)], ANSWER))
    assert order(key, p, q, *ways, Dialogue(unknown, asked)) == (likely, True) and asked.asked[0] == 1
    known = tabulate(np.array([(7, EDGE, 2, 5, -1)], ANSWER))
    assert order(key, p, q, *ways, Dialogue(known, asked)) == (-1, False) and asked.asked[0] == 1
