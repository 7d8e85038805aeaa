"""Numbers in finite fields against fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import splineviz as sv
from splineviz.exact import fields
from splineviz.exact.balls import Ball, balls
from splineviz.exact.digits import InexactError
from splineviz.exact.fields import MODULUS, PRIMES, Residues, combined, in_fields, reduced
from splineviz.geometry.answers import UnsureError
from splineviz.program.nodes import Affine, Pointwise

FLOATS = st.floats(-1e30, 1e30, allow_nan=False).filter(lambda x: x == 0.0 or abs(x) > 1e-30)


def by(prime: int, number: Fraction) -> int:
    return number.numerator * pow(number.denominator, -1, prime) % prime


@given(st.lists(FLOATS, min_size=1, max_size=5))
def test_residues_are_those_of_fractions(numbers: list[float]) -> None:
    found = in_fields(torch.tensor(numbers, dtype=torch.float64)).numpy()
    for column, number in zip(found.T, numbers, strict=True):
        assert column.tolist() == [by(p, Fraction(number)) for p in PRIMES]
        assert combined(column.tolist()) == by(MODULUS, Fraction(number))


@given(st.lists(st.integers(-(2**53) + 1, 2**53 - 1), min_size=1, max_size=5))
def test_whole_numbers_are_reduced(numbers: list[int]) -> None:
    x = torch.tensor([numbers] * len(PRIMES), dtype=torch.float64)
    assert reduced(x).tolist() == [[float(n % p) for n in numbers] for p in PRIMES]


def residues_of(rows: torch.Tensor) -> Residues:
    """One row of values and one of derivatives."""
    return Residues(in_fields(rows), torch.tensor([1.0, 0.0], dtype=torch.float64))


class Mean(torch.nn.Module):
    """One number for each input."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(1)


@pytest.mark.parametrize(
    "module",
    [
        torch.nn.Linear(12, 5),
        Mean(),
        torch.nn.Sequential(torch.nn.Unflatten(1, (3, 2, 2)), torch.nn.BatchNorm2d(3)),
        torch.nn.Sequential(torch.nn.Unflatten(1, (3, 2, 2)), torch.nn.Conv2d(3, 2, 3, padding=1)),
        torch.nn.Sequential(torch.nn.Unflatten(1, (1, 3, 4)), torch.nn.AvgPool2d(3, 1)),
        torch.nn.Sequential(torch.nn.Unflatten(1, (1, 3, 4)), torch.nn.ConstantPad2d(1, 0.7)),
    ],
)
def test_affine_nodes(module: torch.nn.Module) -> None:
    """What is zero exactly is zero in all fields: the sum of the nodes at x, at y, and at x + y, twice 0
    taken away; and derivatives have no constants."""
    program = sv.load_program(module.double().eval(), input_shape=(12,))
    rng = np.random.default_rng(0)
    x, y = (torch.from_numpy(rng.integers(-9, 9, (1, 12)) / 8) for _ in range(2))
    zero = torch.zeros(1, 12, dtype=torch.float64)
    found = []
    for rows in (torch.cat([x, x]), torch.cat([y, y]), torch.cat([x + y, x + y]), torch.cat([zero, zero])):
        slots = {0: residues_of(rows.reshape(2, *program.input_shape))}
        for node in program.nodes:
            assert isinstance(node, Affine)
            slots[node.output] = fields.affine(node, [slots[i] for i in node.inputs])
        found.append(slots[program.output].values)
    at_x, at_y, at_sum, at_zero = found
    assert at_x.abs().sum() > 0
    assert torch.equal(reduced(at_x + at_y), reduced(at_sum + at_zero))
    assert not at_zero[:, 1].any(), "the derivative of a constant"
    for values, row in zip(found, (x, y, x + y, zero), strict=True):
        assert torch.equal(values[:, 1], reduced(values[:, 0] - at_zero[:, 0])), row


def test_an_affine_node_without_a_form_is_refused() -> None:
    program = sv.load_program(torch.nn.Upsample(scale_factor=2, mode="bicubic"), input_shape=(1, 3, 3))
    node = next(node for node in program.nodes if isinstance(node, Affine) and node.form is None)
    with pytest.raises(InexactError):
        fields.affine(node, [residues_of(torch.ones(2, 1, 3, 3, dtype=torch.float64))])


@pytest.mark.parametrize("module", [torch.nn.ReLU(), torch.nn.PReLU(init=0.3), torch.nn.Hardtanh(-0.3, 1.7)])
def test_pointwise_nodes_in_states(module: torch.nn.Module) -> None:
    program = sv.load_program(module.double(), input_shape=(3,))
    (node,) = program.nodes
    assert isinstance(node, Pointwise)
    x = torch.tensor([[0.25, -0.5, 3.0]], dtype=torch.float64)
    on = node.switching(x.numpy())[:1] > 0
    found = fields.pointwise_in_states(node, residues_of(torch.cat([x, x])), np.tile(on, (2, 1)))
    result = [Fraction(v) for v in (0.25, -0.5, 3.0)]
    if isinstance(module, torch.nn.Hardtanh):
        result = [result[0], Fraction(-0.3), Fraction(1.7)]
    elif isinstance(module, torch.nn.PReLU):
        result[1] *= Fraction(float(module.weight.detach()[0]))
    else:
        result[1] = Fraction(0)
    assert found.values[:, 0].tolist() == [[by(p, r) for r in result] for p in PRIMES]


def test_with_residues_zero_is_told_from_what_is_close() -> None:
    """Both numbers lie within their bounds of zero."""
    zero, close = Ball(3, 10, 0), Ball(3, 10, 5)
    assert not zero > 0 and not zero < 0
    with pytest.raises(UnsureError):
        _ = close > 0
    with pytest.raises(UnsureError):
        _ = Ball(3, 10) > 0
    assert (zero * close).residue == 0 and (close - close).residue == 0
    assert (-close).residue == MODULUS - 5 and (close + Ball(1, 0)).residue is None
    assert Ball(20, 10, 5) > 0


@pytest.mark.parametrize("number", [(np.inf, 0.0, 0.0), (1.0, np.nan, 0.0), (1.0, 0.0, np.inf)])
def test_what_overflows_may_be_anything(number: tuple[float, float, float]) -> None:
    high, low, error = (np.array([x]) for x in number)
    (unknown,) = balls(high, low, np.zeros(1), error, np.array([190]))
    for ball in (unknown, unknown * Ball(1), unknown - Ball(1 << 1300)):
        with pytest.raises(UnsureError):
            _ = ball > 0
    assert (unknown * Ball(0)).radius == 0
