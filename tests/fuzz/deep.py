"""Networks of 10 to 30 layers: what is known of a value far down has been through all of them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from splineviz.plane import Window
from tests.fuzz.numbers import Numbers
from tests.oracles.harness import Case
from tests.oracles.network import Add, Network, Step, relu, sequential

__all__ = ["DEEP"]

_DEPTHS = st.sampled_from([10, 15, 20, 30])


def _windows() -> st.SearchStrategy[Window]:
    return st.sampled_from([Window.box(-1, 1, -1, 1), Window.diamond(0.1), Window.box(0.25, 3.0, -1.0, 2.0)])


@st.composite
def _plain(draw: st.DrawFn, *, form: str) -> Case:
    """Dense layers, initialised as He et al. do; with as many zeros as ones in the biases."""
    numbers = Numbers(form, np.random.default_rng(draw(st.integers(0, 2**16))))
    depth, width = draw(_DEPTHS), draw(st.sampled_from([4, 6]))
    ops = [numbers.dense(2, width), relu()]
    for _ in range(depth - 1):
        ops += [numbers.dense(width, width), relu()]
    return Case(sequential(2, [*ops, numbers.dense(width, 2)]), (draw(_windows()),))


@st.composite
def _residual(draw: st.DrawFn, *, form: str) -> Case:
    """Blocks x + W relu(V x), two layers each, half of the time with a batch-norm and a relu behind the sum."""
    numbers = Numbers(form, np.random.default_rng(draw(st.integers(0, 2**16))))
    blocks, width, settled = draw(_DEPTHS) // 2, draw(st.sampled_from([3, 5])), draw(st.booleans())
    steps = [Step(numbers.dense(2, width), (0,)), Step(relu(), (1,))]
    for _ in range(blocks):
        before = len(steps)
        for op in (numbers.dense(width, width), relu(), numbers.dense(width, width)):
            steps.append(Step(op, (len(steps),)))
        if settled:
            steps.append(Step(numbers.normed(width), (len(steps),)))
        steps.append(Step(Add(), (before, len(steps))))
        if settled:
            steps.append(Step(relu(), (len(steps),)))
    steps.append(Step(numbers.dense(width, 2), (len(steps),)))
    return Case(Network(2, tuple(steps)), (draw(_windows()),))


DEEP: dict[str, st.SearchStrategy[Case]] = {
    **{f"10 to 30 layers, {form}": _plain(form=form) for form in ("int8", "float32")},
    **{f"10 to 30 layers, residual, {form}": _residual(form=form) for form in ("int8", "float32")},
}
