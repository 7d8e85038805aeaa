"""Exact forms against the nodes that they stand for: every operation, every node, within the bound that is
proven of it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from splineviz.exact.digits import ExactTensor, InexactError, from_integers
from splineviz.exact.forward import _maximum, _pointwise, affine
from splineviz.program import Affine, Maximum, Program, load_program
from splineviz.values.transfer import after_affine, after_pointwise
from splineviz.values.vertex_values import VertexValues

from .nets import Case
from .test_operations import each, loaded, points, steps


def exact_of(x: Tensor) -> ExactTensor:
    """Float64 numbers, (V, *shape), as they are."""
    ratios = [Fraction(value) for value in x.flatten().tolist()]
    exponent = max(ratio.denominator.bit_length() - 1 for ratio in ratios)
    whole = [int(ratio * (1 << exponent)) for ratio in ratios]
    digits = from_integers(np.array(whole, dtype=object).reshape(len(x), -1).tolist()).reshape(-1, *x.shape)
    return ExactTensor(digits, exponent, 1, torch.ones(1, len(x), dtype=torch.float64))


def fractions_of(x: ExactTensor) -> np.ndarray:
    """(V, n)"""
    n_vertices, n = x.digits.shape[1], x.digits[0, 0].numel()
    unit = Fraction(2) ** -x.exponent / x.divisor
    rows = [x.integers(np.full(n, v), np.arange(n)) for v in range(n_vertices)]
    return np.array([[number * unit for number in row] for row in rows], dtype=object)


def proven(node: Affine, inputs: list[Tensor]) -> VertexValues:
    lives = [VertexValues(x, np.zeros(len(x)), proof=np.zeros(len(x))) for x in inputs]
    return after_affine(node, lives, lambda node, *values: (node.run(*values), None))


def assert_within(live: VertexValues, exact: ExactTensor) -> None:
    expected, values = fractions_of(exact), live.flat
    assert values.shape == expected.shape and live.proof is not None
    errors = np.array(
        [
            [abs(Fraction(a) - b) for a, b in zip(*rows, strict=True)]
            for rows in zip(values.tolist(), expected, strict=True)
        ]
    )
    slack, proof = live.proven()
    bounds = live.entrywise()[0] * slack[:, None]
    assert (errors <= np.vectorize(Fraction, otypes=[object])(bounds)).all()
    assert all(
        sum(row * row) <= Fraction(bound) ** 2 for row, bound in zip(errors, proof.tolist(), strict=True)
    )


def check(program: Program, x: Tensor) -> int:
    """How many nodes have no exact form."""
    without = 0
    for node, inputs in steps(program, x):
        exact = [exact_of(value) for value in inputs]
        if isinstance(node, Maximum):
            assert (
                fractions_of(_maximum(node, exact[0]))
                == np.vectorize(Fraction)(node.run(inputs[0]).flatten(1).numpy())
            ).all()
        elif isinstance(node, Affine):
            try:
                result = affine(node, exact)
            except InexactError:
                without += 1
                continue
            assert_within(proven(node, inputs), result)
        else:
            live = VertexValues(inputs[0], np.zeros(len(x)), proof=np.zeros(len(x)))
            assert_within(after_pointwise(node, live, node.run(inputs[0]), None), _pointwise(node, exact[0]))
    return without


@each
def test_every_node_is_within_its_bound_of_its_exact_form(case: Case) -> None:
    program, x = loaded(case), points(case)
    without = check(program, torch.cat([x[:1], x[7:9], x[-1:]]))
    names = [
        node.name
        for node in program.nodes
        if isinstance(node, Affine) and node.form is None and node.gain.rows is not None
    ]
    assert without == len(names) and all("upsample" in name for name in names)


@pytest.mark.parametrize("power", [-300, -170, -160, -90, -30, 70])
def test_coefficients_of_any_size(power: int) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(6, 5), nn.ReLU(), nn.Unflatten(1, (1, 5)), nn.Conv1d(1, 2, 2), nn.Flatten(), nn.Linear(8, 3)
    ).double()
    with torch.no_grad():
        for weight in net.parameters():
            weight.mul_(10.0**power)
            weight.view(-1)[0] = 3e-310
    program = load_program(net, input_shape=(6,))
    x = torch.randn(3, 6, dtype=torch.float64)
    assert check(program, torch.cat([x, 1e-200 * x, 0 * x])) == 0


@pytest.mark.parametrize("divisor", [-3, 1, 7])
def test_averages_over_another_number(divisor: int) -> None:
    program = load_program(nn.AvgPool2d(2, 1, divisor_override=divisor), input_shape=(1, 4, 4))
    assert check(program, torch.randn(2, 1, 4, 4, dtype=torch.float64)) == 0


HOW: list[dict[str, Any]] = [
    {"scale_factor": 3},
    {"scale_factor": 2, "align_corners": True},
    {"size": 11},
    {"scale_factor": 1.7},
]
UPSAMPLED = [("linear", (7,)), ("bilinear", (5, 8)), ("trilinear", (3, 4, 5))]


@pytest.mark.parametrize(("mode", "shape"), UPSAMPLED)
@pytest.mark.parametrize(
    "how",
    [{"scale_factor": 3}, {"scale_factor": 2, "align_corners": True}, {"size": 11}, {"scale_factor": 1.7}],
)
def test_interpolation_by_fractions(mode: str, shape: tuple[int, ...], how: dict[str, object]) -> None:
    program = load_program(nn.Upsample(mode=mode, **how), input_shape=(2, *shape))
    assert check(program, torch.randn(2, 2, *shape, dtype=torch.float64)) == 0


def test_divisors_without_a_common_multiple_of_use_are_refused() -> None:
    """Three are as good as one; of hundreds, exact numbers would have thousands of digits."""

    class Divide(nn.Module):
        def __init__(self, n: int) -> None:
            super().__init__()
            self.by = nn.Parameter(torch.rand(n, dtype=torch.float64) + 0.5)

        def forward(self, x: Tensor) -> Tensor:
            return x / self.by

    torch.manual_seed(0)
    x = torch.randn(2, 300, dtype=torch.float64)
    assert check(load_program(Divide(3), input_shape=(3,)), x[:, :3]) == 0
    assert check(load_program(Divide(300), input_shape=(300,)), x) == 1
