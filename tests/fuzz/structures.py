"""Structures of their own: pictures, pools, averages, batch-norms, maxima of many, layers that do nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from splineviz.plane import Plane
from tests.fuzz.parts import SMALL, draw_rows, draw_tail
from tests.oracles.harness import Case
from tests.oracles.maps import average_pool2d, conv2d, max_pool2d, normed
from tests.oracles.network import (
    Linear,
    Network,
    Pointwise,
    Step,
    absolute,
    leaky_relu,
    linear,
    maxout,
    relu,
    sequential,
)
from tests.properties.strategies import layers, windows, windows_on_kinks

__all__ = ["convolutional", "dead", "image", "maxout_of_many", "normalised", "thirds"]


@st.composite
def dead(draw: st.DrawFn) -> Case:
    """Constant units, layers that are off everywhere, and ones that are on everywhere."""
    ops: list[Linear | Pointwise] = [draw(layers(2, 4, "integer")), relu()]
    for _ in range(draw(st.integers(1, 2))):
        rows = [[draw(st.sampled_from([0, 1, -1])) * w for w in row] for row in draw_rows(draw, 4, 4)]
        bias = draw(st.sampled_from([[0, 0, 1, -1], [-99] * 4, [99] * 4, [0] * 4]))
        ops += [linear(rows, bias), draw(st.sampled_from([relu(), absolute(), leaky_relu(1)]))]
    network = sequential(2, [*ops, draw(layers(4, 2, "integer"))])
    return Case(network, (draw(windows()), draw(windows_on_kinks(network))))


@st.composite
def convolutional(draw: st.DrawFn) -> Case:
    """Two inputs spread over a picture of 3 x 3, convolutions with padding, one of the pools."""
    ops: list[Any] = [
        linear(
            draw_rows(draw, 9, 2, st.integers(-1, 1)),
            draw(st.lists(st.integers(-1, 1), min_size=9, max_size=9)),
        )
    ]
    kernel = [[draw_rows(draw, 3, 3, st.integers(-1, 1))] for _ in range(draw(st.integers(1, 2)))]
    shape = len(kernel), 3, 3
    ops += [conv2d(kernel, [draw(SMALL) for _ in kernel], (1, 3, 3), padding=1), relu()]
    pool = draw(
        st.sampled_from(
            [
                max_pool2d(shape, 2, 1),
                max_pool2d(shape, 3, 2, 1),
                average_pool2d(shape, 3, 3),
                average_pool2d(shape, 3, 1, 1),
            ]
        )
    )
    ops.append(pool)
    width = len(pool.windows) if hasattr(pool, "windows") else len(pool.weight)
    ops += [draw(layers(width, 3, "integer")), relu(), draw(layers(3, 2, "integer"))]
    return Case(sequential(2, ops), (draw(windows()),))


@st.composite
def thirds(draw: st.DrawFn) -> Case:
    """Averages over nine: sums of them coincide with sums of what they average, but not in floating point."""
    first = linear(
        draw_rows(draw, 9, 2, st.integers(-1, 2)), draw(st.lists(st.integers(-1, 1), min_size=9, max_size=9))
    )
    means = average_pool2d((1, 3, 3), 3, draw(st.sampled_from([1, 3])), draw(st.sampled_from([0, 1])))
    ops = [
        first,
        draw(st.sampled_from([relu(), absolute()])),
        means,
        draw(layers(len(means.weight), 3, "integer")),
        relu(),
    ]
    if draw(st.booleans()):
        ops = ops[:1] + ops[2:]
    return Case(sequential(2, [*ops, draw(layers(3, 2, "integer"))]), (draw(windows()),))


@st.composite
def normalised(draw: st.DrawFn) -> Case:
    width = draw(st.integers(2, 5))
    row = st.lists(st.sampled_from([-2.0, -0.5, 0.0, 0.25, 1.0, 3.0]), min_size=width, max_size=width)
    variance = st.lists(st.sampled_from([0.25, 1.0, 2.0, 9.0]), min_size=width, max_size=width)
    norm = normed(draw(row), draw(row), draw(row), draw(variance))
    first = draw(layers(2, width, "integer"))
    bend = draw(st.sampled_from([relu(), absolute()]))
    order = draw(st.sampled_from([[first, norm, bend], [first, bend, norm, absolute()]]))
    return Case(sequential(2, [*order, *draw_tail(draw, width)]), (draw(windows()),))


@st.composite
def maxout_of_many(draw: st.DrawFn) -> Case:
    """A maximum over up to nine affine functions, several of which tie in one point, and one behind it."""
    n = draw(st.integers(3, 9))
    ops = [
        draw(layers(2, n, "integer", zero_bias=draw(st.booleans()))),
        maxout([range(n), range(n - 1, -1, -1), [0] * n]),
    ]
    return Case(
        sequential(2, [*ops, draw(layers(3, 3, "integer")), relu(), draw(layers(3, 2, "integer"))]),
        (draw(windows()),),
    )


@st.composite
def image(draw: st.DrawFn) -> Case:
    """A picture of 2 x 2 sliced along two of its own directions, convolved, pooled."""
    plane = Plane.at(
        [draw(st.integers(-1, 1)) / 2 for _ in range(4)], directions=[[1, 0, 0, 0], [0, 0, 1, 0]]
    )
    kernel = [[draw_rows(draw, 2, 2, st.integers(-2, 2))] for _ in range(2)]
    steps = [
        conv2d(kernel, [0, draw(SMALL)], (1, 2, 2), padding=1),
        relu(),
        max_pool2d((2, 3, 3), 2, 1),
        *draw_tail(draw, 8),
    ]
    return Case(Network(4, tuple(Step(op, (i,)) for i, op in enumerate(steps))), (draw(windows()),), plane)
