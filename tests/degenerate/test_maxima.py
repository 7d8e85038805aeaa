"""Maxima whose candidates lie within rounding of each other and of zero."""

from __future__ import annotations

import numpy as np

from splineviz.geometry.candidate_rounds import Entries, Signs, Turn, largest_after
from splineviz.geometry.records import BIRTH, VANISHING
from splineviz.plane import Plane, Window
from tests.oracles.harness import Case
from tests.oracles.maps import conv2d, max_pool2d
from tests.oracles.network import linear, prelu, sequential


def largest(z: float, candidate: float, top: float) -> float:
    """The larger of two at one vertex, from their numbers and the sign of their difference."""
    entries = Entries(np.array([[candidate]]), np.empty((0, 1)), np.array([0]))
    first, none = np.array([0]), np.empty(0, np.int64)
    turn = Turn(first, first, first, np.array([True]))
    signs = Signs(np.array([[z]]), first, none, np.empty((0, 1), np.uint64))
    births, made = np.empty(0, BIRTH), np.empty(0, VANISHING)
    found = largest_after(
        entries, turn, np.array([[top]]), signs, births, made, np.array([0]), np.ones(1), True
    )
    return float(found[0, 0])


def test_the_larger_is_the_one_that_was_found_larger() -> None:
    """By its number it may be below: what then stays must not be a 0.0 that passes for zero."""
    assert largest(2.0**-1000, -1e-17, 0.0) == -1e-17
    assert largest(-(2.0**-1000), 0.0, -1e-17) == -1e-17
    assert largest(0.0, -1e-17, 0.0) == largest(0.0, 0.0, 1e-17) == 0.0


def test_values_between_two_that_are_not_zero_are_not_zero() -> None:
    """Halfway between -1 and 1 rounding gives 0.0; an entry that is zero has that number by right."""
    x = np.array([[-1.0, 0.0], [1.0, 0.0]])
    birth = np.zeros(1, BIRTH)
    birth["b"], birth["t"] = 1, 0.5
    entries = Entries(x, np.array([[-1.0, 0.0]]), np.arange(3))
    places, none = np.array([0, 1]), np.empty(0, VANISHING)
    turn = Turn(np.array([1, 1]), np.array([1, 1]), places, np.array([True, True]))
    faces = Signs(-np.ones((2, 2)), np.array([0, 3]), np.array([0, 2, 1]), np.zeros((1, 1), np.uint64))
    found = largest_after(entries, turn, x, faces, birth, none, np.array([2]), np.ones(2), True)
    assert found[0, 0] != 0.0 and abs(found[0, 0]) < 1e-200 and found[0, 1] == 0.0


def test_a_sliver_between_what_is_zero_and_what_is_not_quite() -> None:
    """A cell of area 1e-36 beside a window of a pool, one of whose candidates is 3e-17 with the number
    -1e-17, and the other zero."""
    kernel = [[[0, 2, 2], [1, 0, 2], [-2, -1, -1]]], [[[-1, -2, 2], [-2, -1, 1], [0, 0, 1]]]
    after = [[[-2, 1, -2], [1, 1, 1], [-1, 1, -2]], [[-1, 0, 1], [-2, -1, 2], [-2, 1, 2]]]
    last = [[-1, -2, -1, 1, 0, 1, 2, -2, 1], [2, 1, 1, -2, -1, 1, 2, 0, 2]]
    network = sequential(
        25,
        [
            conv2d(list(kernel), [0, 0], (1, 5, 5), 1, 1),
            prelu([0.25] * 25 + [2.0**-17] * 25),
            max_pool2d((2, 5, 5), 3, 2, 1, False),
            conv2d([after], [-2], (2, 3, 3), 1, 1),
            prelu([0] * 9),
            linear(last, [0, 0]),
        ],
    )
    origin = np.full(25, -0.5)
    origin[1], origin[22] = 0.5, 0.0
    u, v = np.zeros(25), np.zeros(25)
    u[[0, 1, 11, 22]] = [0.5547001962252291, -0.5547001962252291, 0.5547001962252291, -0.2773500981126146]
    v[[0, 1, 6, 11, 17, 22]] = [
        -0.23112508176051214,
        -0.3698001308168194,
        0.6009252125773316,
        -0.23112508176051214,
        -0.6009252125773316,
        -0.1849000654084097,
    ]
    low, right, upper = -0.45069390943299864, 2.2534695471649933, 2.114794498108686
    window = Window.polygon([[low, low], [right, low], [right, upper], [low, upper]])
    plane = Plane(origin, np.array([u, v]), (25,), np.zeros((0, 2)))
    Case(network, (window,), plane).agree("full")
