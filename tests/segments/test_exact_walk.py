"""Segments on which rounding tells nothing: the crossings of the rational oracle, all of them, and proven."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from torch import nn

import splineviz as sv
from splineviz.segments.segment import segment
from tests.fuzz.hostile import HOSTILE
from tests.oracles.harness import program_of
from tests.oracles.network import linear, maxout, relu, sequential
from tests.oracles.rational import crossings


@pytest.mark.parametrize("family", list(HOSTILE))
@settings(max_examples=15, phases=[Phase.generate])
@given(data=st.data())
def test_hostile_networks(family: str, data: st.DataObject) -> None:
    case = data.draw(HOSTILE[family])
    a, b, c = case.windows[0].vertices[:3]
    for end in (c, (b + c) / 2):
        walk = segment(case.program, a, end)
        expected = crossings(case.network, a.tolist(), end.tolist())
        assert walk.n_cells == len(expected) + 1 and walk.proven and not walk.doubtful
        np.testing.assert_allclose(walk.knots[1:-1], [float(t) for t in expected], rtol=1e-15)


@pytest.mark.parametrize("gap", [3e-6, 1e-17, 1e-40, 1e-300])
def test_crossings_closer_than_float64_can_tell_are_two(gap: float) -> None:
    network = sequential(2, [linear([[1, 0], [-1, 0]], [0, Fraction(gap)]), relu(), linear([[1, 1]])])
    walk = segment(program_of(network), [-1.0, 0.0], [1.0, 0.0])
    assert walk.n_cells == 3 and walk.proven and not walk.doubtful
    assert walk.units.lengths.tolist() == [0, 1, 1, 0]
    np.testing.assert_allclose(walk.values[:, 0], [1 + gap, gap, gap, 1.0], rtol=1e-10)


def test_the_winner_of_an_instant() -> None:
    """The middle one of three is the largest between two places that float64 cannot tell apart."""
    step = Fraction(1, 2**80)
    network = sequential(2, [linear([[-1, 0], [0, 0], [1, 0]], [0, step, 0]), maxout([range(3)])])
    walk = segment(program_of(network), [-1.0, 0.0], [1.0, 0.0])
    assert walk.winners(0)[:, 0].tolist() == [0, 1, 2] and walk.proven


SMALL = Fraction(1, 2**60)
ROUNDED_TO_ZERO = {
    "a sum": [linear([[1, SMALL]], [-1]), relu()],
    "a difference": [linear([[1, SMALL], [1, 0]]), relu(), linear([[1, -1]]), relu()],
    "a candidate": [linear([[1, SMALL], [0, 0]], [-1, 0]), maxout([range(2)])],
    "two candidates": [linear([[1, SMALL], [1, 0], [0, 0]], [-1, -1, 0]), maxout([range(3)])],
}


@pytest.mark.parametrize("kind", ROUNDED_TO_ZERO)
def test_what_float64_rounds_to_zero_all_along_changes_sign(kind: str) -> None:
    """x + 2^-60 y - 1 on the line x = 1."""
    walk = segment(program_of(sequential(2, ROUNDED_TO_ZERO[kind])), [1.0, -1.0], [1.0, 2.0])
    assert walk.n_cells == 2 and walk.proven and not walk.doubtful
    assert walk.knots[1] == float(Fraction(1, 3))


OFF = [linear([[1, 0], [0, 1], [0, 0]], [-9, 0, 0]), relu()]
ZEROS = {
    "units of units that are off": [*OFF, linear([[1, 0, 1]]), relu()],
    "units that are off at a knot": [linear([[1, 0], [0, 1]]), relu(), maxout([range(2)])],
}


@pytest.mark.parametrize("kind", ZEROS)
def test_zeros_without_rounding_are_no_doubt(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("splineviz.segments.segment.affordable", lambda program, n: pytest.fail("doubt"))
    network, ends = sequential(2, ZEROS[kind]), ([-1.0, -1.0], [1.0, 2.0])
    walk = segment(program_of(network), *ends)
    assert walk.n_cells == len(crossings(network, *ends)) + 1 and walk.proven and not walk.doubtful


@pytest.mark.parametrize("size", [1e-170, 1e-308, 5e-324, 1e200, 4e307])
def test_segments_of_any_length(size: float) -> None:
    network = sequential(2, [linear([[1, 0], [1, 1]]), relu(), linear([[1, 1]])])
    walk = segment(program_of(network), [-size, 0.0], [size, 2 * size])
    np.testing.assert_allclose(walk.knots, [0, 0.25, 0.5, 1])
    assert walk.length == pytest.approx(size * 8**0.5, rel=0.1 if size == 5e-324 else 1e-12) and walk.proven


def test_doubt_that_exact_arithmetic_would_take_too_long_to_settle_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("splineviz.segments.segment.affordable", lambda program, n: False)
    net = nn.Linear(2, 2)
    with torch.no_grad():
        net.weight[:] = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
        net.bias[:] = torch.tensor([0.0, 1e-40])
    walk = segment(sv.load_program(nn.Sequential(net, nn.ReLU())), [-1.0, 0.0], [1.0, 0.0])
    assert walk.n_cells == 2 and walk.doubtful and not walk.proven
