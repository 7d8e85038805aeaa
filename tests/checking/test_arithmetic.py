"""The checker's own arithmetic against fractions: rounding bounds hold, forms are exact, polygons are cut
where they should be."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import splineviz as sv
from splineviz.checking.exact import ExactNetwork, NotExactError, states_at, states_of
from splineviz.checking.network import Network
from splineviz.checking.polygon import Polygon
from splineviz.checking.polygon_checks import integers
from splineviz.program import Program
from tests.checking.networks import mlp
from tests.program.nets import CASES, Case
from tests.program.nets_max import CASES as MAXIMA

_ROUNDED = {
    *(
        "linear 1d",
        "bilinear",
        "bilinear aligned",
        "bicubic",
        "bicubic aligned",
        "trilinear",
        "trilinear aligned",
        "addcdiv",
    ),
    *("interpolate recomputed", "interpolate antialiased", "interpolate cubic antialiased"),
}
"""Whose coefficients are fractions that cannot be told from what float64 makes of them."""


def _network(case: Case) -> Network:
    program = sv.load_program(case.make(), input_shape=case.shape)
    return Network(program, len(program.stages))


def _some(program: Program, seed: int = 0) -> tuple[sv.Plane, np.ndarray]:
    rng = np.random.default_rng(seed)
    plane = sv.Plane.at(rng.standard_normal(program.input_shape), seed=seed)
    return plane, rng.uniform(-2, 2, (6, 2))


@pytest.mark.parametrize("case", [*CASES, *MAXIMA], ids=lambda case: case.name)
def test_every_operation_in_exact_arithmetic_and_within_its_bound(case: Case) -> None:
    """What enters stages, at points of a plane: a float64 pass is within its bound of the exact value,
    derivatives are close."""
    network = _network(case)
    if case.name in _ROUNDED:
        with pytest.raises(NotExactError, match=r"float64 rounds|not whole"):
            ExactNetwork(network)
        return
    exact = ExactNetwork(network)
    plane, uv = _some(network.program)
    x = plane.lift(uv).reshape(len(uv), -1)
    error = 2.0**-51 * (np.abs(plane.origin) + np.abs(uv) @ np.abs(plane.basis))
    readings, output, bound, slopes = network.read(
        x, error, np.broadcast_to(plane.basis, (len(uv), *plane.basis.shape))
    )
    assert output is not None and slopes is not None
    for row, point in enumerate(uv):
        entered = []
        at = states_at(network.layout, point)
        _, forms = exact.walk(
            plane, lambda stage, value, at=at, entered=entered: (entered.append(value), at(stage, value))[1]
        )
        here = np.array([*map(Fraction, point.tolist()), Fraction(1)], dtype=object)
        for reading, value in zip(readings, entered, strict=True):
            true = value.numerators @ here / value.denominator
            off = np.array(
                [abs(Fraction(v) - t) for v, t in zip(reading.value[row].tolist(), true, strict=True)]
            )
            assert (off <= np.array([Fraction(e) for e in reading.error[row].tolist()])).all()
            assert reading.error[row].max(initial=0.0) <= 1e-10 * max(
                1.0, np.abs(reading.value[row]).max(initial=0.0)
            )
        assert forms is not None
        true = (forms.numerators @ here / forms.denominator).astype(float)
        assert (np.abs(output[row] - true) <= bound[row] + 2.0**-52 * np.abs(true)).all()
        gradient = (forms.numerators[:, :2] / Fraction(forms.denominator)).astype(float)
        np.testing.assert_allclose(
            slopes[:, row].T, gradient, rtol=0, atol=1e-12 * max(1.0, np.abs(gradient).max(initial=0.0))
        )


def test_deep_bounds_stay_useful() -> None:
    """At 12 layers of 40 the norm of the whole is what keeps the bound below what units are apart."""
    network = Network(program := sv.load_program(mlp(2, *[40] * 12, 1)), 12)
    plane, uv = sv.Plane.identity(), np.random.default_rng(0).uniform(-1, 1, (50, 2))
    readings, *_ = network.read(plane.lift(uv), np.zeros_like(uv))
    assert len(program.stages) == 12
    assert max(reading.error.max() for reading in readings) < 1e-9
    assert not any(reading.unsure.any() for reading in readings)


def test_states_come_back_from_their_columns() -> None:
    network = _network(next(case for case in MAXIMA if case.name == "max pool behind relu"))
    plane, uv = _some(network.program)
    exact = ExactNetwork(network)
    given: list[np.ndarray] = []
    at = states_at(network.layout, uv[0])
    exact.walk(plane, lambda stage, value: (given.append(at(stage, value)), given[-1])[1])
    bits = np.concatenate(
        [network.layout.columns_of(stage, states[None])[0] for stage, states in enumerate(given)]
    )
    again = states_of(network.layout, bits)
    exact.walk(
        plane,
        lambda stage, value: (np.testing.assert_array_equal(again(stage, value), given[stage]), given[stage])[
            1
        ],
    )


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_floats_as_whole_numbers(values: list[float]) -> None:
    numbers, k = integers(np.array(values))
    assert [
        Fraction(int(number), 2**k) if k >= 0 else Fraction(int(number) * 2**-k) for number in numbers
    ] == [Fraction(v) for v in values]


@given(st.lists(st.tuples(*[st.integers(-4, 4)] * 3), max_size=6))
def test_polygons_are_cut_like_a_plain_one(lines: list[tuple[int, int, int]]) -> None:
    """Against clipping with fractions, corner by corner; lines through corners and along sides are
    frequent."""
    plain = [(Fraction(x), Fraction(y)) for x, y in ((-2, -2), (2, -2), (2, 2), (-2, 2))]
    polygon: Polygon | None = Polygon.of(np.array([[-2.0, -2.0], [2.0, -2.0], [2.0, 2.0], [-2.0, 2.0]]))
    for line in lines:
        plain = _clip(plain, line)
        area = sum(((a[0] * b[1] - b[0] * a[1]) for a, b in pairwise([*plain, *plain[:1]])), Fraction(0)) / 2
        assert polygon is not None
        polygon = polygon.within(np.array([line], dtype=object), np.array([False]))
        if not area or not any(line):
            assert polygon is None or (area and any(line))
            return
        assert polygon is not None and polygon.area == area
        corners = {(Fraction(x, w), Fraction(y, w)) for x, y, w in polygon.corners}
        assert corners <= set(plain) and len(corners) == len(polygon.lines) >= 3


def test_a_form_that_vanishes_is_allowed_to_those_that_are_off() -> None:
    square = Polygon.of(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]))
    nothing = np.zeros((1, 3), dtype=object)
    assert square.within(nothing, np.array([True])) is square
    assert square.within(nothing, np.array([False])) is None
    assert square.within(np.array([[0, 0, -1]], dtype=object), np.array([True])) is None


def _clip(
    polygon: list[tuple[Fraction, Fraction]], line: tuple[int, int, int]
) -> list[tuple[Fraction, Fraction]]:
    kept = []
    for a, b in pairwise([*polygon, *polygon[:1]]):
        va, vb = (line[0] * p[0] + line[1] * p[1] + line[2] for p in (a, b))
        if va >= 0:
            kept.append(a)
        if va * vb < 0:
            t = va / (va - vb)
            kept.append((a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])))
    return kept
