"""What is proven of derivatives: bounds against exact ones, and kinks that rounding alone makes."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splineviz.arrangement import jumps as regions
from splineviz.arrangement.derivative_bounds import steepness
from tests.oracles.harness import Case, agree, unit_box
from tests.oracles.network import linear, relu, sequential
from tests.properties.strategies import networks


@st.composite
def _cases(draw: st.DrawFn) -> Case:
    """Random float weights, through every shape of network."""
    network = draw(networks(kinds=("dyadic", "integer"), activations="leaky", maxima=draw(st.booleans())))
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))

    def jittered(table: object) -> list[object]:
        return [[float(w) * (1.0 + float(rng.normal()) / 3.0) for w in row] for row in table]  # type: ignore[attr-defined]

    steps = [
        type(step)(linear(jittered(step.op.weight), [float(b) for b in step.op.bias]), step.inputs)
        if type(step.op).__name__ == "Linear"
        else step
        for step in network.steps
    ]
    return Case(type(network)(network.dim, tuple(steps)), (unit_box(),))


@settings(max_examples=60)
@given(_cases())
def test_rounding_of_gradients_and_jumps_is_within_its_bound(case: Case) -> None:
    arr, exact, bound = case.arrange(unit_box(), "full"), case.exact[0], steepness(case.program)
    by_pattern = {tuple(s for row in cell.pattern for s in row): cell for cell in exact.cells}
    forms = []
    for cell in range(arr.n_cells):
        own = by_pattern[tuple(int(s) for row in arr.pattern(cell) for s in row)]
        forms.append([[Fraction(c, own.denominator) for c in form[:2]] for form in own.forms])
    for gradient, form in zip(arr.affine[:, :, :2].tolist(), forms, strict=True):
        for axis in range(2):
            off = [
                float(Fraction(row[axis]) - expected[axis])
                for row, expected in zip(gradient, form, strict=True)
            ]
            assert np.linalg.norm(off) <= bound.error
            assert np.linalg.norm([float(expected[axis]) for expected in form]) <= bound.size
    edges = np.flatnonzero((arr.edge_cells >= 0).all(1))
    if not len(edges):
        return
    carried, across = (
        regions._carry(arr, case.program, edges).jump.flatten(1),
        regions._across(arr, case.program, edges),
    )
    for jump, direction, (left, right) in zip(
        carried.tolist(), across.tolist(), arr.edge_cells[edges], strict=True
    ):
        n = [Fraction(x) for x in direction]
        true = [
            sum((a - b) * x for a, b, x in zip(p, q, n, strict=True))
            for p, q in zip(forms[left], forms[right], strict=True)
        ]
        assert (
            np.linalg.norm([float(Fraction(x) - y) for x, y in zip(jump, true, strict=True)])
            <= bound.jump_error
        )


@pytest.mark.parametrize("rest", [0.0, 1e-10, 1.0])
def test_no_kink_is_made_by_rounding_alone(rest: float) -> None:
    """5 K relu(z) - K relu(-3 z) - K relu(-2 z) - 5 K relu(z + 10) is a constant, and its gradients are a
    little rounding.

    With a small gradient beside it their difference is no small share of it.
    """
    w, k = [0x2F0E1D3C5B7A9 * 2.0**-50, -0x1A2B3C4D5E6F7 * 2.0**-49], 0x3456789ABCDE1 * 2.0**-50
    rows = [w, [-3 * x for x in w], [-2 * x for x in w], w, [1.0, 0.0]]
    network = sequential(
        2, [linear(rows, [0, 0, 0, 10, 10]), relu(), linear([[5 * k, -k, -k, -5 * k, rest]])]
    )
    arr = agree(network)
    assert (arr.n_cells, arr.n_linear_regions) == (2, 1)
