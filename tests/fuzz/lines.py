"""Lines that meet, touch, or just miss each other."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from hypothesis import strategies as st

from tests.fuzz.parts import SMALL, draw_rows, draw_tail
from tests.oracles.harness import Case
from tests.oracles.network import absolute, leaky_relu, linear, relu, sequential
from tests.properties.strategies import windows, windows_on_kinks

__all__ = ["by_share", "by_ulps", "concurrent", "corners", "parallel", "tangent", "tiny"]


@st.composite
def concurrent(draw: st.DrawFn, *, exact: bool) -> Case:
    """All lines of the first layer go through one of two points, and the second layer vanishes at the first
    of them."""
    quarters = st.tuples(*[st.integers(-4, 4).map(lambda n: Fraction(n, 4))] * 2)
    others = st.tuples(*[st.sampled_from([1 / 3, 0.7, -0.1, 0.9])] * 2)
    points = [draw(quarters if exact else others) for _ in range(2)]
    rows = draw_rows(draw, draw(st.integers(3, 7)), 2)
    which = [draw(st.booleans()) for _ in rows]
    bias = [-(row[0] * points[w][0] + row[1] * points[w][1]) for row, w in zip(rows, which, strict=True)]
    bend = draw(st.sampled_from([relu(), absolute(), leaky_relu(-1), leaky_relu(2)]))
    second = draw_rows(draw, 3, len(rows))
    at = [bend.slopes[z > 0][0] * Fraction(z) for row, b in zip(rows, bias, strict=True)
          for z in [row[0] * points[0][0] + row[1] * points[0][1] + b]]  # fmt: skip
    offsets = [-float(sum(w * a for w, a in zip(row, at, strict=True))) for row in second]
    network = sequential(
        2, [linear(rows, bias), bend, linear(second, offsets), relu(), linear([[1, 1, -1], [1, 2, 3]])]
    )
    return Case(network, (draw(windows()),))


@st.composite
def corners(draw: st.DrawFn, *, exact: bool) -> Case:
    """Lines through pairs of corners of the window, its sides among them; not exactly where the corners have
    many digits."""
    window = draw(windows().filter(lambda window: exact == bool((4 * window.vertices % 1 == 0).all())))
    corners = [[Fraction(x) for x in corner] for corner in window.vertices.tolist()]
    pairs = draw(
        st.lists(
            st.sampled_from([(p, q) for p in corners for q in corners if p != q]), min_size=2, max_size=6
        )
    )
    rows = [[p[1] - q[1], q[0] - p[0]] for p, q in pairs]
    bias = [-(a * p[0] + b * p[1]) for (a, b), (p, _) in zip(rows, pairs, strict=True)]
    dyadic = [[Fraction(float(x)) for x in row] for row in rows], [Fraction(float(x)) for x in bias]
    return Case(sequential(2, [linear(*dyadic), relu(), *draw_tail(draw, len(rows))]), (window,))


@st.composite
def tangent(draw: st.DrawFn) -> Case:
    """Folds, and behind them units that touch zero at a vertex or along an edge: sums of magnitudes, from
    below and above."""
    rows = draw_rows(draw, 3, 2, st.integers(-2, 2))
    bias = draw(st.lists(st.sampled_from([0, 0, 1, Fraction(1, 2)]), min_size=3, max_size=3))
    fold = draw(st.sampled_from([absolute(), relu()]))
    signs = draw_rows(draw, 4, 3, st.sampled_from([-2, -1, -1, 0, 1]))
    level = draw(st.lists(st.sampled_from([0, 0, 1, 2, -1]), min_size=4, max_size=4))
    network = sequential(2, [linear(rows, bias), fold, linear(signs, level), relu(), *draw_tail(draw, 4)])
    return Case(network, (draw(windows()), draw(windows_on_kinks(network))))


@st.composite
def parallel(draw: st.DrawFn, *, by: Callable[[float, int], float]) -> Case:
    """Lines that differ by next to nothing in a coefficient or two, some of them opposite."""
    base = [draw(st.sampled_from([0.3, 1.0, -0.7, 0.1, -1.0, 2.5])) for _ in range(3)]
    table = [base]
    for _ in range(draw(st.integers(1, 4))):
        sign = draw(st.sampled_from([1.0, 1.0, -1.0, 2.0]))
        table.append([sign * by(x, draw(st.integers(-2, 2))) for x in base])
    table.append([float(draw(SMALL)) for _ in range(3)])
    ops = [
        linear([row[:2] for row in table], [row[2] for row in table]),
        relu(),
        *draw_tail(draw, len(table)),
    ]
    return Case(sequential(2, ops), (draw(windows()),))


def by_share(x: float, steps: int) -> float:
    return x * (1.0 + 1e-9 * steps)


def by_ulps(x: float, steps: int) -> float:
    for _ in range(abs(steps)):
        x = math.nextafter(x, math.copysign(math.inf, steps))
    return x


@st.composite
def tiny(draw: st.DrawFn) -> Case:
    """Lines past one point by 2^-40 to 2^-300, and a second layer that sees such steps: cells far below the
    spacing of float64."""
    steps = st.sampled_from(
        [0, *(sign * Fraction(1, 2**k) for k in (40, 60, 80, 150, 300) for sign in (1, -1))]
    )
    rows = draw_rows(draw, draw(st.integers(3, 5)), 2)
    bias = draw(st.lists(steps, min_size=len(rows), max_size=len(rows)))
    second, offsets = draw_rows(draw, 3, len(rows)), draw(st.lists(steps, min_size=3, max_size=3))
    network = sequential(
        2,
        [
            linear(rows, bias),
            draw(st.sampled_from([relu(), absolute()])),
            linear(second, offsets),
            relu(),
            linear([[1, 1, 1]]),
        ],
    )
    return Case(network, (draw(windows()),))
