"""Crossings of lines in two float64, against fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from splineviz.exact.line_crossings import Lines, cross_lines, lines_through, unknown_lines


def exactly(lines: Lines, i: int) -> list[Fraction]:
    return [
        Fraction(float(a)) + Fraction(float(b))
        for a, b in zip(lines.high[:, i], lines.low[:, i], strict=True)
    ]


def crossed(one: list[Fraction], other: list[Fraction]) -> tuple[Fraction, Fraction] | None:
    (c, p, q), (d, r, s) = one, other
    w = p * s - q * r
    return None if w == 0 else ((q * d - c * s) / w, (c * r - p * d) / w)


def some_lines(rng: np.random.Generator, n: int, scale: float) -> Lines:
    high = rng.standard_normal((3, n)) * scale
    low = high * 2.0**-53 * rng.uniform(-0.9, 0.9, (3, n))
    return Lines(high, low, np.zeros((3, n)))


@pytest.mark.parametrize("scale", [1.0, 2.0**-700, 2.0**600])
def test_lines_cross_where_fractions_say(scale: float) -> None:
    rng, n = np.random.default_rng(0), 200
    one, other = some_lines(rng, n, scale), some_lines(rng, n, 1.0)
    # Some are parallel but for their last bits, and some pass through one point with many others.
    other.high[1:, :50] = one.high[1:, :50] / scale * (1.0 + rng.standard_normal(50) * 2.0**-30)
    places = cross_lines(one, other)
    assert (places.distance[50:] < 2.0**-70).mean() > 0.95
    for i in np.flatnonzero(places.distance < np.inf).tolist():
        exact = crossed(exactly(one, i), exactly(other, i))
        assert exact is not None
        off = [
            abs(Fraction(float(a)) + Fraction(float(b)) - x)
            for a, b, x in zip(places.uv[i], places.low[i], exact, strict=True)
        ]
        assert sum(off) <= Fraction(float(places.distance[i]))


def test_errors_of_lines_are_in_what_their_crossing_is_off_by() -> None:
    """Coefficients moved by their errors, either way, cross within the distance."""
    rng, n = np.random.default_rng(1), 100
    one, other = some_lines(rng, n, 1.0), some_lines(rng, n, 1.0)
    error = 10.0 ** rng.uniform(-14, -3, (3, n))
    places = cross_lines(one._replace(error=error), other._replace(error=error))
    moved = (
        lines._replace(high=lines.high + error * rng.choice([-1.0, 1.0], (3, n)) * 0.999)
        for lines in (one, other)
    )
    a, b = moved
    told = np.flatnonzero(places.distance < np.inf)
    assert len(told) > n // 2
    for i in told.tolist():
        exact = crossed(exactly(a, i), exactly(b, i))
        assert exact is not None
        off = np.hypot(*(float(x) - y for x, y in zip(exact, places.uv[i], strict=True)))
        assert off <= places.distance[i] * (1.0 + 1e-9) + 1e-15


def test_parallel_and_unknown_lines_cross_nowhere() -> None:
    a, b = np.array([[0.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 0.125], [1.0, 1.125]])
    lines = lines_through(a, b)
    first, second = (Lines(*(np.ascontiguousarray(part[:, [i]]) for part in lines)) for i in (0, 1))
    assert np.isinf(cross_lines(first, second).distance).all()
    assert np.isinf(cross_lines(first, unknown_lines(1)).distance).all()


@pytest.mark.parametrize("scale", [1.0, 1e-300, 1e150])
def test_a_line_passes_through_its_points(scale: float) -> None:
    rng, n = np.random.default_rng(2), 60
    a, b = scale * rng.standard_normal((n, 2)), scale * rng.standard_normal((n, 2))
    b[:10] = a[:10] * (1.0 + 2.0**-40)
    lines = lines_through(a, b)
    for i in range(n):
        c, p, q = exactly(lines, i)
        for u, v in (a[i].tolist(), b[i].tolist()):
            bound = sum(
                Fraction(float(e)) * size
                for e, size in zip(lines.error[:, i], (1, abs(Fraction(u)), abs(Fraction(v))), strict=True)
            )
            assert abs(c + p * Fraction(u) + q * Fraction(v)) <= bound
