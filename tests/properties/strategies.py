"""Small networks and windows whose coefficients make coincidences likely: integers, dyadics, zero biases,
repeated units."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
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
    relu6,
    smaller,
)

__all__ = ["layers", "networks", "windows", "windows_on_kinks"]

_COEFFICIENTS = {
    "integer": [Fraction(n) for n in range(-3, 4)],
    "dyadic": [Fraction(n, 8) for n in range(-16, 17)],
    "ternary": [Fraction(n) for n in (-1, 0, 1)],
    "pruned": [Fraction(n) for n in (0, 0, 0, 1, -1, 2)],
    "general": [Fraction(n * n - 2**19 + 1, 2**19) for n in range(0, 1024, 3)],
}
_FACTORS = [Fraction(1), Fraction(-1), Fraction(2), Fraction(-1, 2), Fraction(3)]


@st.composite
def layers(
    draw: st.DrawFn, inputs: int, outputs: int, kind: str, *, zero_bias: bool = False, repeat: bool = False
) -> Linear:
    """Half of all layers are drawn entry by entry, which shrinks well, half from a seed, which is seldom
    mostly zeros."""
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


def _leaky(width: int) -> list[Pointwise]:
    return [
        *(leaky_relu(slope) for slope in (0, 1, -1, 2, Fraction(1, 4), Fraction(5, 2))),
        prelu([Fraction(k - 1, 2) for k in range(width)]),
    ]


_ACTIVATIONS: dict[str, Callable[[int], list[Pointwise]]] = {
    "relu": lambda width: [relu()],
    "abs": lambda width: [absolute()],
    "clamp": lambda width: [hardtanh(), hardtanh(0, Fraction(3, 2)), hardtanh(Fraction(-1, 4), 2), relu6()],
    "leaky": _leaky,
}
_ACTIVATIONS["any"] = lambda width: [
    relu(),
    *(op for kind in ("relu", "abs", "clamp", "leaky") for op in _ACTIVATIONS[kind](width)),
]


def _maximum(rng: random.Random, width: int) -> Maximum:
    choices = [
        max_pool1d(width, 2, 2),
        max_pool1d(width, 2),
        max_pool1d(width, 3, 2, 1),
        maxout([range(width)]),
    ]
    if width > 3:
        choices.append(max_pool1d(width, 2, 1, 1, 2))
    if width % 2 == 0:
        choices += [larger(width), smaller(width)]
    rows = [[rng.randrange(width) for _ in range(3)] for _ in range(rng.randint(1, 3))]
    return rng.choice([*choices, maxout(rows)])


@st.composite
def networks(
    draw: st.DrawFn,
    max_depth: int = 3,
    max_width: int = 6,
    *,
    maxima: bool = False,
    kinds: Sequence[str] = tuple(sorted(_COEFFICIENTS)),
    zero_bias: bool | None = None,
    repeat: bool | None = None,
    shapes: Sequence[str] = ("plain", "residual", "concat"),
    activations: str = "any",
) -> Network:
    """Two inputs; a plain layer, then blocks of linear layer and activation: plain, residual, concatenating,
    or applied twice.

    With ``maxima``, blocks may end in one, and at least the first does. There are 64 structures, deep ones
    last, since each has to be traced; weights are drawn one by one.
    """
    kind = draw(st.sampled_from(kinds))
    zero_bias = draw(st.booleans()) if zero_bias is None else zero_bias
    repeat = draw(st.booleans()) if repeat is None else repeat
    rng = random.Random(structure := draw(st.integers(0, 63)))
    steps: list[Step] = []
    slot, width = 0, 2
    for block in range(min(max_depth, 1 + (structure >= 8) + (structure >= 32))):
        shape = rng.choice(shapes) if block else "plain"
        outputs = {"plain": rng.randint(3, max_width), "concat": rng.randint(1, 3)}.get(shape, width)
        mix = Step(draw(layers(width, outputs, kind, zero_bias=zero_bias, repeat=repeat)), (slot,))
        steps.append(mix)
        before, slot = slot, len(steps)
        if not maxima or rng.random() < 0.5:
            bend = rng.choice(_ACTIVATIONS[activations](outputs))
            steps.append(Step(bend, (slot,)))
            slot = len(steps)
            if shape == "reused":
                steps += [Step(mix.op, (slot,)), Step(bend, (slot + 1,))]
                slot = len(steps)
        if shape in ("residual", "concat"):
            steps.append(Step(Add() if shape == "residual" else Concat(), (before, slot)))
            slot = len(steps)
            outputs = width if shape == "residual" else width + outputs
        width = outputs
        if maxima and width > 1 and (not block or rng.random() < 0.5):
            pool = _maximum(rng, width)
            steps.append(Step(pool, (slot,)))
            slot, width = len(steps), len(pool.windows)
    steps.append(Step(draw(layers(width, rng.randint(1, 3), kind)), (slot,)))
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


_GRID = [Fraction(n, 4) for n in range(-8, 9)]


@st.composite
def windows_on_kinks(draw: st.DrawFn, network: Network) -> Window:
    """A triangle one side of which lies on a kink of the first layer, or has at least its corners there; else
    any window."""
    first, bend = network.steps[0].op, network.steps[1].op
    assert isinstance(first, Linear)
    shift = bend.breakpoints[0] if isinstance(bend, Pointwise) else Fraction(0)
    units = [
        (*row, constant - shift) for row, constant in zip(first.weight, first.bias, strict=True) if any(row)
    ]
    if not units:
        return draw(windows())
    a, b, c = draw(st.sampled_from(units))
    along = [(u, v) for u in _GRID for v in _GRID if a * u + b * v + c == 0]
    if len(along) < 2:
        return draw(windows())
    one, other = draw(st.permutations(along))[:2]
    third = draw(st.sampled_from([(u, v) for u in _GRID[::4] for v in _GRID[::4] if a * u + b * v + c != 0]))
    return Window.polygon([[float(x) for x in point] for point in (one, other, third)])
