"""Networks that are hostile to what is computed of cells: outputs that tie, weights of all magnitudes, lines next to
each other."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from itertools import pairwise

from hypothesis import strategies as st

from splineviz.plane import Window
from tests.fuzz.lines import by_ulps
from tests.oracles.harness import Case, program_of
from tests.oracles.network import (
    Linear,
    Maximum,
    Network,
    Pointwise,
    absolute,
    leaky_relu,
    linear,
    maxout,
    relu,
    sequential,
)
from tests.properties.strategies import layers, windows

__all__ = ["HOSTILE", "repeated_rows"]

_POWERS = [0, 0, 0, -150, 150, -75, 75, -30, 30]


def _near(draw: st.DrawFn, x: float, steps: int = 2) -> float:
    return by_ulps(x, draw(st.integers(-steps, steps)))


@st.composite
def _tying(draw: st.DrawFn, *, by: str) -> Case:
    """Outputs that are copies of each other, but for units that are off somewhere, for the last bit, or for
    nothing."""
    width = draw(st.integers(2, 5))
    kind = draw(st.sampled_from(["integer", "dyadic", "general"]))
    first = draw(layers(2, width, kind))
    bend = draw(st.sampled_from([relu(), relu(), absolute(), leaky_relu(Fraction(1, 4))]))
    base = draw(layers(width, draw(st.integers(1, 2)), kind))
    rows, bias = [list(row) for row in base.weight], list(base.bias)
    for _ in range(draw(st.integers(1, 3))):
        k = draw(st.integers(0, len(rows) - 1))
        row, constant = list(rows[k]), bias[k]
        entry = draw(st.integers(0, width))
        if by == "ulps":
            row = [Fraction(_near(draw, float(w), 1)) for w in row]
            constant = Fraction(_near(draw, float(constant), 1))
        elif entry < width:
            row[entry] += draw(st.sampled_from([Fraction(n) for n in (1, -1, 0)]))
        rows.append(row)
        bias.append(constant)
    rows, bias = [[Fraction(float(w)) for w in row] for row in rows], [Fraction(float(b)) for b in bias]
    return Case(sequential(2, [first, bend, linear(rows, bias)]), (draw(windows()),))


@st.composite
def _scaled(draw: st.DrawFn) -> Case:
    """Rows and layers times powers of ten from -150 to 150."""
    width = draw(st.integers(2, 4))
    ops, plain = [], []
    inputs = 2
    for outputs in (width, draw(st.integers(2, 3)), draw(st.integers(1, 3))):
        layer = draw(layers(inputs, outputs, draw(st.sampled_from(["integer", "general"]))))
        powers = [10.0 ** draw(st.sampled_from(_POWERS)) for _ in range(outputs)]
        rows = [[float(w) * p for w in row] for row, p in zip(layer.weight, powers, strict=True)]
        bias = [float(b) * p for b, p in zip(layer.bias, powers, strict=True)]
        bend = draw(st.sampled_from([relu(), relu(), absolute()]))
        ops += [linear(rows, bias), bend]
        plain += [layer, bend]
        inputs = outputs
    # A network is traced with the weights it comes with first, and at huge ones outputs are not finite.
    program_of(sequential(2, plain[:-1]))
    return Case(sequential(2, ops[:-1]), (draw(windows()),))


@st.composite
def _adjacent(draw: st.DrawFn) -> Case:
    """Lines one unit in the last place apart, behind them minima of halves or pools."""
    base = [draw(st.sampled_from([0.3, 1.0, -0.7, 0.1, 1 / 3])) for _ in range(3)]
    table = [[_near(draw, x) for x in base] for _ in range(draw(st.integers(2, 4)))]
    first = linear([row[:2] for row in table], [row[2] for row in table])
    bend = draw(
        st.sampled_from([relu(), absolute(), maxout([range(len(table)), range(len(table) - 1, -1, -1)])])
    )
    width = 2 if hasattr(bend, "windows") else len(table)
    second = draw(layers(width, 3, "integer"))
    rows = [[_near(draw, float(w), 1) for w in row] for row in second.weight]
    return Case(
        sequential(
            2,
            [
                first,
                bend,
                linear(rows, [float(b) for b in second.bias]),
                relu(),
                draw(layers(3, 3, "integer")),
            ],
        ),
        (draw(windows()),),
    )


@st.composite
def _needles(draw: st.DrawFn) -> Case:
    """Lines that meet at tiny angles, so that cells are long, thin, and known badly by their coordinates."""
    rows, bias = [], []
    slope, at = draw(st.sampled_from([0.0, 0.3, -1.0])), draw(st.sampled_from([0.0, 0.25, 1 / 3]))
    for _ in range(draw(st.integers(2, 4))):
        tilt = draw(
            st.sampled_from([0.0, *(s * math.ldexp(1.0, -k) for k in (18, 26, 34, 45, 52) for s in (1, -1))])
        )
        rows.append([slope + tilt, 1.0])
        bias.append(at + draw(st.sampled_from([0.0, 2.0**-20, -(2.0**-30), 2.0**-50])))
    rows.append([1.0, draw(st.sampled_from([0.0, 0.5]))])
    bias.append(0.1)
    return Case(
        sequential(
            2,
            [
                linear(rows, bias),
                draw(st.sampled_from([relu(), absolute()])),
                draw(layers(len(rows), 2, "integer")),
            ],
        ),
        (draw(windows()),),
    )


def repeated_rows(seed: int, widths: list[int]) -> Network:
    """Normal weights; the second half of each hidden layer repeats the first one, but for last bits."""
    rng = random.Random(seed)
    ops: list[Linear | Pointwise | Maximum] = []
    for inputs, outputs in pairwise(widths):
        table = [[rng.gauss(0, 1) for _ in range(inputs + 1)] for _ in range(outputs)]
        if len(ops) < 2 * len(widths) - 4:
            half = table[: outputs // 2]
            table[-len(half) :] = [[by_ulps(x, rng.randint(-1, 1)) for x in row] for row in half]
        ops += [linear([row[:-1] for row in table], [row[-1] for row in table]), relu()]
    return sequential(widths[0], ops[:-1])


@st.composite
def _repeated(draw: st.DrawFn) -> Case:
    """Rows repeated but for last bits, in windows of all sizes."""
    network = repeated_rows(
        draw(st.integers(0, 2**20)), [2, *draw(st.lists(st.sampled_from([4, 6]), min_size=1, max_size=2)), 2]
    )
    size = draw(st.sampled_from([1.0, 1.0, 3.0, 1e8, 1e-8]))
    at = draw(st.sampled_from([0.0, 0.0, 1e12])) if size == 1.0 else 0.0
    return Case(network, (Window.box(at - size, at + size, -size, size),))


HOSTILE: dict[str, st.SearchStrategy[Case]] = {
    "outputs that tie": _tying(by="copies"),
    "outputs that nearly tie": _tying(by="ulps"),
    "weights x 1e-150 to 1e150": _scaled(),
    "lines next to each other, minima": _adjacent(),
    "needles": _needles(),
    "rows repeated but for last bits": _repeated(),
}
"""Families whose cells float64 tells apart badly; `assert_numbers_right` is what they are for."""
