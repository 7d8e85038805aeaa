"""Families of small networks and windows, each with the coincidences, exact or near, that one kind of network brings."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from splineviz.plane import Plane, Window
from tests.fuzz.trained import FORMATS, digits, flat
from tests.oracles.harness import Case
from tests.oracles.maps import average_pool2d, conv2d, max_pool2d, normed
from tests.oracles.network import Linear, Network, Pointwise, Step, absolute, leaky_relu, linear, maxout, relu, sequential
from tests.properties.strategies import layers, networks, windows, windows_on_kinks

__all__ = ["FAMILIES", "NEAR"]

_PLAIN = ("dyadic", "integer", "pruned", "ternary")
_SMALL = st.integers(-3, 3)


@st.composite
def _cases(draw: st.DrawFn, **how: Any) -> Case:
    """A network of `networks`, on a window of the list and on one that has to do with its kinks."""
    network = draw(networks(**how))
    return Case(network, (draw(windows()), draw(windows_on_kinks(network))))


def _rows(draw: st.DrawFn, n: int, width: int, entries: st.SearchStrategy[Any] = _SMALL) -> list[list[Any]]:
    row = st.lists(entries, min_size=width, max_size=width)
    return draw(st.lists(row, min_size=n, max_size=n))


def _tail(draw: st.DrawFn, width: int, kind: str = "integer") -> list[Linear | Pointwise]:
    """A second layer and outputs."""
    return [draw(layers(width, 3, kind)), relu(), draw(layers(3, 2, kind))]


@st.composite
def _concurrent(draw: st.DrawFn, *, exact: bool) -> Case:
    """All lines of the first layer go through one of two points, and the second layer vanishes at the first of them."""
    quarters = st.tuples(*[st.integers(-4, 4).map(lambda n: Fraction(n, 4))] * 2)
    others = st.tuples(*[st.sampled_from([1 / 3, 0.7, -0.1, 0.9])] * 2)
    points = [draw(quarters if exact else others) for _ in range(2)]
    rows = _rows(draw, draw(st.integers(3, 7)), 2)
    which = [draw(st.booleans()) for _ in rows]
    bias = [-(row[0] * points[w][0] + row[1] * points[w][1]) for row, w in zip(rows, which, strict=True)]
    bend = draw(st.sampled_from([relu(), absolute(), leaky_relu(-1), leaky_relu(2)]))
    second = _rows(draw, 3, len(rows))
    at = [bend.slopes[z > 0][0] * Fraction(z) for row, b in zip(rows, bias, strict=True)
          for z in [row[0] * points[0][0] + row[1] * points[0][1] + b]]  # fmt: skip
    offsets = [-float(sum(w * a for w, a in zip(row, at, strict=True))) for row in second]
    network = sequential(2, [linear(rows, bias), bend, linear(second, offsets), relu(), linear([[1, 1, -1], [1, 2, 3]])])
    return Case(network, (draw(windows()),))


@st.composite
def _corners(draw: st.DrawFn, *, exact: bool) -> Case:
    """Lines through pairs of corners of the window, its sides among them; not exactly where the corners have many digits."""
    window = draw(windows().filter(lambda window: exact == bool((4 * window.vertices % 1 == 0).all())))
    corners = [[Fraction(x) for x in corner] for corner in window.vertices.tolist()]
    pairs = draw(st.lists(st.sampled_from([(p, q) for p in corners for q in corners if p != q]), min_size=2, max_size=6))
    rows = [[p[1] - q[1], q[0] - p[0]] for p, q in pairs]
    bias = [-(a * p[0] + b * p[1]) for (a, b), (p, _) in zip(rows, pairs, strict=True)]
    dyadic = [[Fraction(float(x)) for x in row] for row in rows], [Fraction(float(x)) for x in bias]
    return Case(sequential(2, [linear(*dyadic), relu(), *_tail(draw, len(rows))]), (window,))


@st.composite
def _tangent(draw: st.DrawFn) -> Case:
    """Folds, and behind them units that touch zero at a vertex or along an edge: sums of magnitudes, from below and above."""
    rows = _rows(draw, 3, 2, st.integers(-2, 2))
    bias = draw(st.lists(st.sampled_from([0, 0, 1, Fraction(1, 2)]), min_size=3, max_size=3))
    fold = draw(st.sampled_from([absolute(), relu()]))
    signs = _rows(draw, 4, 3, st.sampled_from([-2, -1, -1, 0, 1]))
    level = draw(st.lists(st.sampled_from([0, 0, 1, 2, -1]), min_size=4, max_size=4))
    network = sequential(2, [linear(rows, bias), fold, linear(signs, level), relu(), *_tail(draw, 4)])
    return Case(network, (draw(windows()), draw(windows_on_kinks(network))))


@st.composite
def _dead(draw: st.DrawFn) -> Case:
    """Constant units, layers that are off everywhere, and ones that are on everywhere."""
    ops: list[Linear | Pointwise] = [draw(layers(2, 4, "integer")), relu()]
    for _ in range(draw(st.integers(1, 2))):
        rows = [[draw(st.sampled_from([0, 1, -1])) * w for w in row] for row in _rows(draw, 4, 4)]
        bias = draw(st.sampled_from([[0, 0, 1, -1], [-99] * 4, [99] * 4, [0] * 4]))
        ops += [linear(rows, bias), draw(st.sampled_from([relu(), absolute(), leaky_relu(1)]))]
    network = sequential(2, [*ops, draw(layers(4, 2, "integer"))])
    return Case(network, (draw(windows()), draw(windows_on_kinks(network))))


@st.composite
def _convolutional(draw: st.DrawFn) -> Case:
    """Two inputs spread over a picture of 3 x 3, convolutions with padding, one of the pools."""
    ops: list[Any] = [linear(_rows(draw, 9, 2, st.integers(-1, 1)), draw(st.lists(st.integers(-1, 1), min_size=9, max_size=9)))]
    kernel = [[_rows(draw, 3, 3, st.integers(-1, 1))] for _ in range(draw(st.integers(1, 2)))]
    shape = len(kernel), 3, 3
    ops += [conv2d(kernel, [draw(_SMALL) for _ in kernel], (1, 3, 3), padding=1), relu()]
    pool = draw(
        st.sampled_from(
            [max_pool2d(shape, 2, 1), max_pool2d(shape, 3, 2, 1), average_pool2d(shape, 3, 3), average_pool2d(shape, 3, 1, 1)]
        )
    )
    ops.append(pool)
    width = len(pool.windows) if hasattr(pool, "windows") else len(pool.weight)
    ops += [draw(layers(width, 3, "integer")), relu(), draw(layers(3, 2, "integer"))]
    return Case(sequential(2, ops), (draw(windows()),))


@st.composite
def _thirds(draw: st.DrawFn) -> Case:
    """Averages over nine: sums of them coincide with sums of what they average, but not in floating point."""
    first = linear(_rows(draw, 9, 2, st.integers(-1, 2)), draw(st.lists(st.integers(-1, 1), min_size=9, max_size=9)))
    means = average_pool2d((1, 3, 3), 3, draw(st.sampled_from([1, 3])), draw(st.sampled_from([0, 1])))
    ops = [first, draw(st.sampled_from([relu(), absolute()])), means, draw(layers(len(means.weight), 3, "integer")), relu()]
    if draw(st.booleans()):
        ops = ops[:1] + ops[2:]
    return Case(sequential(2, [*ops, draw(layers(3, 2, "integer"))]), (draw(windows()),))


@st.composite
def _normalised(draw: st.DrawFn) -> Case:
    width = draw(st.integers(2, 5))
    row = st.lists(st.sampled_from([-2.0, -0.5, 0.0, 0.25, 1.0, 3.0]), min_size=width, max_size=width)
    variance = st.lists(st.sampled_from([0.25, 1.0, 2.0, 9.0]), min_size=width, max_size=width)
    norm = normed(draw(row), draw(row), draw(row), draw(variance))
    first = draw(layers(2, width, "integer"))
    bend = draw(st.sampled_from([relu(), absolute()]))
    order = draw(st.sampled_from([[first, norm, bend], [first, bend, norm, absolute()]]))
    return Case(sequential(2, [*order, *_tail(draw, width)]), (draw(windows()),))


def _gaussian(seed: int, widths: list[int], scales: list[float], kind: Callable[[float], float] = float) -> Network:
    rng = random.Random(seed)
    ops: list[Linear | Pointwise] = []
    for inputs, outputs, scale in zip(widths, widths[1:], scales, strict=False):
        table = [[kind(scale * rng.gauss(0, 1)) for _ in range(inputs + 1)] for _ in range(outputs)]
        ops += [linear([row[:-1] for row in table], [row[-1] for row in table]), relu()]
    return sequential(widths[0], ops[:-1])


@st.composite
def _general(draw: st.DrawFn, *, scales: list[float]) -> Case:
    """Normal weights; layers on quite different scales where ``scales`` has several."""
    widths = [2, *draw(st.lists(st.sampled_from([3, 6]), min_size=1, max_size=3)), 2]
    chosen = [draw(st.sampled_from(scales)) for _ in widths[1:]]
    return Case(
        _gaussian(draw(st.integers(0, 2**20)), widths, chosen),
        (draw(windows()), Window.diamond(draw(st.sampled_from([1e-3, 2.0])))),
    )


@st.composite
def _planes(draw: st.DrawFn) -> Case:
    """Five inputs, on a plane through three points."""
    seed = draw(st.integers(0, 2**20))
    plane = Plane.through(*np.random.default_rng(seed).standard_normal((3, 5)))
    network = _gaussian(seed, [5, *draw(st.lists(st.integers(2, 6), min_size=1, max_size=2)), 3], [1.0] * 3)
    return Case(network, (Window.around(plane), Window.polygon(plane.anchors)), plane)


@st.composite
def _parallel(draw: st.DrawFn, *, by: Callable[[float, int], float]) -> Case:
    """Lines that differ by next to nothing in a coefficient or two, some of them opposite."""
    base = [draw(st.sampled_from([0.3, 1.0, -0.7, 0.1, -1.0, 2.5])) for _ in range(3)]
    table = [base]
    for _ in range(draw(st.integers(1, 4))):
        sign = draw(st.sampled_from([1.0, 1.0, -1.0, 2.0]))
        table.append([sign * by(x, draw(st.integers(-2, 2))) for x in base])
    table.append([float(draw(_SMALL)) for _ in range(3)])
    ops = [linear([row[:2] for row in table], [row[2] for row in table]), relu(), *_tail(draw, len(table))]
    return Case(sequential(2, ops), (draw(windows()),))


def _by_share(x: float, steps: int) -> float:
    return x * (1.0 + 1e-9 * steps)


def _by_ulps(x: float, steps: int) -> float:
    for _ in range(abs(steps)):
        x = math.nextafter(x, math.copysign(math.inf, steps))
    return x


@st.composite
def _tiny(draw: st.DrawFn) -> Case:
    """Lines past one point by 2^-40 to 2^-300, and a second layer that sees such steps: cells far below the spacing of float64."""
    steps = st.sampled_from([0, *(sign * Fraction(1, 2**k) for k in (40, 60, 80, 150, 300) for sign in (1, -1))])
    rows = _rows(draw, draw(st.integers(3, 5)), 2)
    bias = draw(st.lists(steps, min_size=len(rows), max_size=len(rows)))
    second, offsets = _rows(draw, 3, len(rows)), draw(st.lists(steps, min_size=3, max_size=3))
    network = sequential(
        2, [linear(rows, bias), draw(st.sampled_from([relu(), absolute()])), linear(second, offsets), relu(), linear([[1, 1, 1]])]
    )
    return Case(network, (draw(windows()),))


@st.composite
def _maxout_of_many(draw: st.DrawFn) -> Case:
    """A maximum over up to nine affine functions, several of which tie in one point, and one behind it."""
    n = draw(st.integers(3, 9))
    ops = [draw(layers(2, n, "integer", zero_bias=draw(st.booleans()))), maxout([range(n), range(n - 1, -1, -1), [0] * n])]
    return Case(sequential(2, [*ops, draw(layers(3, 3, "integer")), relu(), draw(layers(3, 2, "integer"))]), (draw(windows()),))


@st.composite
def _image(draw: st.DrawFn) -> Case:
    """A picture of 2 x 2 sliced along two of its own directions, convolved, pooled."""
    plane = Plane.at([draw(st.integers(-1, 1)) / 2 for _ in range(4)], directions=[[1, 0, 0, 0], [0, 0, 1, 0]])
    kernel = [[_rows(draw, 2, 2, st.integers(-2, 2))] for _ in range(2)]
    steps = [conv2d(kernel, [0, draw(_SMALL)], (1, 2, 2), padding=1), relu(), max_pool2d((2, 3, 3), 2, 1), *_tail(draw, 8)]
    return Case(Network(4, tuple(Step(op, (i,)) for i, op in enumerate(steps))), (draw(windows()),), plane)


FAMILIES: dict[str, st.SearchStrategy[Case]] = {
    "integer": _cases(kinds=("integer",)),
    "dyadic": _cases(kinds=("dyadic",)),
    "ternary": _cases(kinds=("ternary",)),
    "zero bias": _cases(kinds=_PLAIN, zero_bias=True),
    "pruned": _cases(kinds=("pruned",)),
    "repeated, opposite and rescaled units": _cases(kinds=_PLAIN, repeat=True),
    "leaky slopes 0, 1, -1, > 1, prelu": _cases(kinds=_PLAIN, activations="leaky"),
    "abs": _cases(kinds=_PLAIN, activations="abs"),
    "hardtanh, relu6": _cases(kinds=_PLAIN, activations="clamp"),
    "residual": _cases(kinds=_PLAIN, shapes=("residual",)),
    "concatenation": _cases(kinds=_PLAIN, shapes=("concat",)),
    "reused modules": _cases(kinds=_PLAIN, shapes=("reused",)),
    "one wide layer": _cases(kinds=_PLAIN, max_depth=1, max_width=10),
    "max-pool, maximum, amax": _cases(kinds=_PLAIN, maxima=True),
    "maxima of many": _maxout_of_many(),
    "convolutions and pools": _convolutional(),
    "pictures": _image(),
    "batch-norm": _normalised(),
    "averages over nine": _thirds(),
    "dead layers, constant units": _dead(),
    "concurrent lines": _concurrent(exact=True),
    "lines through corners and along the rim": _corners(exact=True),
    "tangency": _tangent(),
    "normal weights": _general(scales=[1.0]),
    "weights x 1e-6 and 1e6": _general(scales=[1e-6, 1.0, 1e6]),
    "planes through three points": _planes(),
    **{f"trained, {form}": flat(form) for form in FORMATS},
    **{f"trained on digits, {form}": digits(form) for form in FORMATS},
    "concurrent but for rounding": _concurrent(exact=False),
    "lines through corners but for rounding": _corners(exact=False),
    "parallel at 1e-9": _parallel(by=_by_share),
    "parallel at one unit in the last place": _parallel(by=_by_ulps),
    "tiny cells": _tiny(),
}

NEAR = (
    "concurrent but for rounding",
    "lines through corners but for rounding",
    "parallel at 1e-9",
    "parallel at one unit in the last place",
    "tiny cells",
)
"""Families whose coincidences are missed by rounding, so that only exact decisions get them right."""
