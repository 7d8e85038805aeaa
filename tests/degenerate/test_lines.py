"""Lines where they are awkward: concurrent, repeated, opposite, through corners, along the rim, nearly
parallel, huge and tiny."""

from __future__ import annotations

import numpy as np
import pytest

from splineviz import arrange
from splineviz.plane import Plane, Window
from tests.oracles.compare import assert_same
from tests.oracles.harness import Case, agree
from tests.oracles.network import (
    Add,
    Concat,
    Linear,
    Network,
    Pointwise,
    Step,
    absolute,
    linear,
    relu,
    sequential,
)


def lines(rows: object, bias: object = None) -> Network:
    return sequential(2, [linear(rows, bias), relu()])


def test_no_units() -> None:
    assert agree(sequential(2, [linear([[1, 2]])])).n_cells == 1


@pytest.mark.parametrize("bias", [0, 0.25, 7, -7])
def test_one_unit(bias: float) -> None:
    assert agree(lines([[1, 2]], [bias])).n_cells == (2 if abs(bias) < 3 else 1)


@pytest.mark.parametrize("point", [(0.0, 0.0), (0.25, -0.5), (1 / 3, 0.7), (1.0, 0.125), (1.0, 1.0)])
@pytest.mark.parametrize("n", [3, 4, 7])
def test_concurrent_lines(n: int, point: tuple[float, float]) -> None:
    """Inside, on the rim, and in a corner. Through a point that is not dyadic the lines miss each other by
    rounding."""
    rows = np.array([[k + 1, k * k - 3] for k in range(n)], dtype=float)
    arr = agree(lines(rows, -(rows @ point)), up_to_rounding=point[0] == 1 / 3)
    if max(map(abs, point)) < 1:
        assert arr.n_cells >= 2 * n


def test_lines_through_two_points_at_once() -> None:
    rows = [[1, 0], [0, 1], [1, 1], [1, -1], [1, 0], [1, 1], [2, -1]]
    agree(lines(rows, [0, 0, 0, 0, -0.5, -0.5, -1]))


@pytest.mark.parametrize("factors", [(1, 1, 1), (1, -1), (1, 3, -7), (1, 2**-40, -(2**40))])
def test_repeated_and_opposite_units(factors: tuple[float, ...]) -> None:
    rows = [[3 * f, -5 * f] for f in factors] + [[1, 1]]
    arr = agree(lines(rows, [f * 1.25 for f in factors] + [0.1]))
    assert arr.n_cells in (3, 4)
    assert (arr.edge_units.lengths.max(), len(factors)) == (len(factors), len(factors))


@pytest.mark.parametrize(
    ("rows", "bias", "cells"),
    [
        ([[1, 0]], [-1], 1),
        ([[1, 0]], [1], 1),
        ([[-1, 0], [0, 1], [0, -1]], [1, 1, -1], 1),
        ([[1, 1]], [-2], 1),
        ([[1, 1]], [2], 1),
        ([[1, 1], [1, -1]], [0, 0], 4),
        ([[1, 1], [2, 1], [1, 2]], [0, -1, 1], 6),
        ([[1, 3], [3, 1], [1, 1]], [-4, -4, -2], 1),
        ([[3, 1], [1, 3], [1, 0]], [-2, 2, -1], 3),
    ],
)
def test_corners_and_rim_of_the_window(rows: list[list[int]], bias: list[int], cells: int) -> None:
    arr = agree(lines(rows, bias))
    if cells != 6:
        assert arr.n_cells == cells


@pytest.mark.parametrize(
    "corners", [[[0, 0], [1, 0], [0, 1]], [[0, 0], [2, -1], [3, 1], [2, 3], [0, 2], [-1, 1]]]
)
def test_lines_through_all_pairs_of_corners(corners: list[list[float]]) -> None:
    points = np.array(corners, dtype=float)
    pairs = [(points[i], points[j]) for i in range(len(points)) for j in range(i)]
    rows = np.array([[a[1] - b[1], b[0] - a[0]] for a, b in pairs])
    bias = [-float(row @ a) for row, (a, _) in zip(rows, pairs, strict=True)]
    agree(lines(rows, bias), Window.polygon(points))


@pytest.mark.parametrize("tilt", [1e-3, 1e-9, 1e-12])
@pytest.mark.parametrize("gap", [0.0, 1e-9])
def test_nearly_parallel_lines(tilt: float, gap: float) -> None:
    agree(
        lines([[0.3, 1.0], [0.3 + tilt, 1.0], [0.3, 1.0 - tilt]], [0.1, 0.1 + gap, 0.1 - gap]),
        up_to_rounding=True,
    )


@pytest.mark.parametrize("scale", [1e-6, 1e6, 1e-30, 1e30])
def test_scaled_weights(scale: float) -> None:
    rng = np.random.default_rng(0)
    first, second = rng.standard_normal((5, 2)), rng.standard_normal((4, 5))
    small: list[Linear | Pointwise] = [
        linear(first * scale, rng.standard_normal(5) * scale),
        relu(),
        linear(second / scale, rng.standard_normal(4)),
        relu(),
    ]
    assert agree(sequential(2, small)).n_cells > 10


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_scaled_weights_that_stay_scaled(scale: float) -> None:
    rng = np.random.default_rng(1)
    ops: list[Linear | Pointwise] = []
    for inputs, outputs in ((2, 5), (5, 4), (4, 3)):
        ops += [
            linear(
                rng.standard_normal((outputs, inputs)) * scale, rng.standard_normal(outputs) * scale * 0.1
            ),
            relu(),
        ]
    # Scaled up, a bias is 1e-7 of its layer: kinks pass that close to vertices, and the third layer's closer
    # than rounding.
    agree(sequential(2, ops), up_to_rounding=True)


def test_small_integer_grid() -> None:
    """Many lines of small integers: most crossings are of three lines and more."""
    rows = [[a, b] for a in range(-2, 3) for b in range(3) if (a, b) > (0, 0)]
    arr = agree(lines(rows * 2, [0] * len(rows) + [1] * len(rows)))
    assert arr.n_cells > 30


def test_absolute_values_of_concurrent_lines() -> None:
    """Folded twice: the second layer's lines bend at the edges of the first."""
    network = sequential(
        2, [linear([[1, 0], [0, 1]]), absolute(), linear([[1, 1], [1, -1], [2, 1]], [-1, 0, -1]), absolute()]
    )
    agree(network)


def test_both_halves_of_one_unit() -> None:
    """concat(relu(z), relu(-z)), and its sum and difference behind it."""
    steps = (
        Step(linear([[1, 2], [2, -1]], [0.25, 0]), (0,)),
        Step(linear([[-1, 0], [0, -1]]), (1,)),
        Step(relu(), (1,)),
        Step(relu(), (2,)),
        Step(Concat(), (3, 4)),
        Step(linear([[1, 0, 1, 0], [1, 0, -1, 0], [1, 1, 1, 1], [0, 1, 0, -2]], [0, 0, -1, 0.5]), (5,)),
        Step(relu(), (6,)),
        Step(linear([[1, 1, 1, 1]]), (7,)),
    )
    agree(Network(2, steps))


def test_pre_activations_used_again() -> None:
    """relu(z), |z| and z itself go on, and z is cut once more, in place and by another breakpoint."""
    steps = (
        Step(linear([[1, 2], [2, -1], [1, 1]], [0.25, 0, -0.5]), (0,)),
        Step(relu(), (1,)),
        Step(absolute(), (1,)),
        Step(Add(), (1, 2, 3)),
        Step(relu(), (4,)),
        Step(linear([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [-0.25, 0, 0]), (1,)),
        Step(relu(), (6,)),
        Step(Concat(), (5, 7, 3)),
        Step(linear([[1, -1, 2, 0, 1, -1, 1, 1, -2], [1] * 9], [0, -3]), (8,)),
        Step(relu(), (9,)),
    )
    agree(Network(2, steps))


A_BILLIONTH = sequential(
    2,
    [
        linear(
            [[0.3, 0.1], [0.3, 0.1], [0.3000000003, 0.09999999990000001], [0.3, 0.1], [0.3, 0.1], [0, -1]],
            [0.3, 0.3, 0.3, 0.3, 0.3, 0],
        ),
        relu(),
        linear([[3, 0, 3, 0, -3, -1], [0, 0, 3, 3, -1, 0], [1, -2, 1, -2, -1, -2]], [1, -1, 3]),
        relu(),
        linear([[3, 0, 3], [-3, -1, 1]], [0, 0]),
    ],
)
"""A line crosses others between vertices of which one, where two lines 1e-9 apart meet, is off by 1e-7:
``make fuzz`` found it."""


@pytest.mark.parametrize("certify", ["full", "fast"])
def test_vertices_between_one_that_is_badly_known(certify: str) -> None:
    case = Case(A_BILLIONTH, (Window.polygon([[-4.0, -3.0], [3.0, -3.0], [3.0, 5.0], [-4.0, 5.0]]),))
    case.agree(certify)
    displacement = case.arrange(case.windows[0], certify).stats.largest_displacement
    assert displacement is not None and displacement < 1e-12


def test_badly_known_vertices_of_batches() -> None:
    """Also those that there were before the faces were divided."""
    case = Case(A_BILLIONTH, (Window.polygon([[-4.0, -3.0], [3.0, -3.0], [3.0, 5.0], [-4.0, 5.0]]),))
    parts = arrange(
        case.program, Plane.identity(), case.windows[0], certify="full", jobs=1, max_memory=10_000
    )
    assert parts.stats.batches > 2
    assert_same(parts, case.exact[0])


@pytest.mark.parametrize(
    ("rows", "bias", "corners"),
    [
        (
            [[0.1, 0.1], [0.1, 0.1], [0.10000000010000001, 0.0999999998], [0.1, 0.1], [0.1, 0.1], [0, 1]],
            [0.3, 0.2999999994, 0.3, 0.3, 0.3, 1],
            [[-4.0, -3.0], [3.0, -3.0], [3.0, 5.0], [-4.0, 5.0]],
        ),
        (
            [[0.3, 1], [0.30000000000000004, 1], [0.3, 1], [0.3, 1.0000000000000002], [0.3, 1], [0, 0]],
            [0.1, 0.1, 0.1, 0.1, 0.09999999999999999, 0],
            [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]],
        ),
    ],
)
def test_points_that_are_taken_for_one_at_first(
    rows: list[list[float]], bias: list[float], corners: list[list[float]]
) -> None:
    """Where an edge was cut in another order than is assumed, chords end elsewhere, and what was asked about
    them means nothing."""
    layers = [
        linear(rows, bias),
        relu(),
        linear([[3, 0, 3, 0, -3, -1], [0, 0, 3, 3, -1, 0], [1, -2, 1, -2, -1, -2]], [1, -1, 3]),
        relu(),
    ]
    Case(sequential(2, layers), (Window.polygon(corners),)).agree("full")


@pytest.mark.parametrize("certify", ["full", "fast", "off"])
def test_two_lines_that_leave_an_edge_at_one_point(certify: str) -> None:
    """Behind x = 0 both are y = 0, before it y = x / 2 and y = -x / 2: by estimates, too, they are one there."""
    first, second = linear([[1, 0], [0, 1]], [0, 5]), linear([[-0.5, 1], [0.5, 1]], [-5, -5])
    case = Case(sequential(2, [first, relu(), second, relu()]), (Window.box(-1, 1, -1, 1),))
    arr = case.arrange(case.windows[0], certify)
    arr.check()
    assert (arr.n_cells, arr.n_vertices, arr.n_edges) == (5, 10, 14)
    assert np.bincount(arr.edges.ravel()).max() == 5 and (arr.vertices == 0).all(1).sum() == 1
