"""Small networks and windows whose coefficients make coincidences likely: integers, dyadics, zero biases, repeated units."""

from __future__ import annotations

import random
from fractions import Fraction

from hypothesis import strategies as st

from splineviz.plane import Window
from tests.oracles.network import (
    Add,
    Concat,
    Linear,
    Maximum,
    Network,
    Pointwise,
    Step,
    absolute,
    hardtanh,
    larger,
    leaky_relu,
    linear,
    max_pool1d,
    maxout,
    prelu,
    relu,
    smaller,
)

__all__ = ["networks", "windows"]

_COEFFICIENTS = {
    "integer": [Fraction(n) for n in range(-3, 4)],
    "dyadic": [Fraction(n, 8) for n in range(-16, 17)],
    "ternary": [Fraction(n) for n in (-1, 0, 1)],
    "pruned": [Fraction(n) for n in (0, 0, 0, 1, -1, 2)],
    "general": [Fraction(n * n - 2**19 + 1, 2**19) for n in range(0, 1024, 3)],
}
_FACTORS = [Fraction(1), Fraction(-1), Fraction(2), Fraction(-1, 2), Fraction(3)]


@st.composite
def _layer(draw: st.DrawFn, inputs: int, outputs: int, kind: str, *, zero_bias: bool, repeat: bool) -> Linear:
    """Half of all layers are drawn entry by entry, which shrinks well, half from a seed, which is seldom mostly zeros."""
    entries = _COEFFICIENTS[kind]
    if draw(st.booleans()):
        rng = random.Random(draw(st.integers(0, 2**16)))
        table = [[rng.choice(entries) for _ in range(inputs + 1)] for _ in range(outputs)]
    else:
        row = st.lists(st.sampled_from(entries), min_size=inputs + 1, max_size=inputs + 1)
        table = draw(st.lists(row, min_size=outputs, max_size=outputs))
    rows, bias = [row[:-1] for row in table], [Fraction(0) if zero_bias else row[-1] for row in table]
    if repeat and outputs > 1:
        source, copy = draw(st.permutations(range(outputs)))[:2]
        factor = draw(st.sampled_from(_FACTORS))
        rows[copy], bias[copy] = [factor * w for w in rows[source]], factor * bias[source]
    return linear(rows, bias)


@st.composite
def _activation(draw: st.DrawFn, width: int) -> Pointwise:
    plain = [
        relu(),
        relu(),
        absolute(),
        leaky_relu(Fraction(1, 4)),
        leaky_relu(-1),
        leaky_relu(2),
        hardtanh(),
        hardtanh(0, Fraction(3, 2)),
    ]
    slopes = [Fraction(k - 1, 2) for k in range(width)]
    return draw(st.sampled_from([*plain, prelu(slopes)]))


@st.composite
def _maximum(draw: st.DrawFn, width: int) -> Maximum:
    choices = [max_pool1d(width, 2, 2), max_pool1d(width, 2), max_pool1d(width, 3, 2, 1), maxout([range(width)])]
    if width > 3:
        choices.append(max_pool1d(width, 2, 1, 1, 2))
    if width % 2 == 0:
        choices += [larger(width), smaller(width)]
    rows = st.lists(st.integers(0, width - 1), min_size=3, max_size=3)
    return draw(st.one_of(st.sampled_from(choices), st.lists(rows, min_size=1, max_size=3).map(maxout)))


@st.composite
def networks(draw: st.DrawFn, max_depth: int = 3, max_width: int = 6, *, maxima: bool = False) -> Network:
    """Two inputs; a plain layer, then blocks that are plain, residual (round linear layer and activation) or concatenating.

    With ``maxima``, blocks may end in one, and at least the first does.
    """
    kind = draw(st.sampled_from(sorted(_COEFFICIENTS)))
    zero_bias, repeat = draw(st.booleans()), draw(st.booleans())
    steps: list[Step] = []
    slot, width = 0, 2
    for block in range(draw(st.integers(1, max_depth))):
        shape = draw(st.sampled_from(["plain", "residual", "concat"])) if block else "plain"
        outputs = width if shape == "residual" else draw(st.integers(3, max_width) if shape == "plain" else st.integers(1, 3))
        steps.append(Step(draw(_layer(width, outputs, kind, zero_bias=zero_bias, repeat=repeat)), (slot,)))
        before, slot = slot, len(steps)
        bent = not maxima or draw(st.booleans())
        if bent:
            steps.append(Step(draw(_activation(outputs)), (slot,)))
            slot = len(steps)
        if shape != "plain":
            steps.append(Step(Add() if shape == "residual" else Concat(), (before, slot)))
            slot = len(steps)
            outputs = width if shape == "residual" else width + outputs
        width = outputs
        if maxima and width > 1 and (not block or draw(st.booleans())):
            pool = draw(_maximum(width))
            steps.append(Step(pool, (slot,)))
            slot, width = len(steps), len(pool.windows)
    steps.append(Step(draw(_layer(width, draw(st.integers(1, 2)), kind, zero_bias=False, repeat=False)), (slot,)))
    return Network(2, tuple(steps))


def windows() -> st.SearchStrategy[Window]:
    return st.sampled_from([
        Window.box(-1, 1, -1, 1),
        Window.box(-1, 2, -0.5, 3),
        Window.box(-4, 3, -3, 5),
        Window.diamond(1.0),
        Window.polygon([[0, 0], [2, 1], [-1, 2]]),
        Window.polygon([[1, 0], [2, 0], [3, 1], [3, 2], [1, 3], [-2, 1]]),
        Window.box(0.137, 0.711, -0.253, 0.293),
    ])  # fmt: skip
