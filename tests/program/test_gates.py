"""Comparisons: those that join two branches where they meet are read, all others jump."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import splineviz as sv
from splineviz.errors import NotPiecewiseAffineError
from splineviz.program import load_program

from .nets import Call, Case
from .nets_gates import CASES, UNITS

torch.set_num_threads(1)
each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def _behind_a_layer(case: Case) -> nn.Sequential:
    torch.manual_seed(0)
    gate = case.make()
    width = gate(torch.zeros(1, 4)).numel()
    return nn.Sequential(nn.Linear(2, 4), gate, nn.Flatten(), nn.Linear(width, 3)).double().eval()


@each
def test_units_are_the_bends_of_the_function(case: Case) -> None:
    assert load_program(case.make(), input_shape=4).n_units == UNITS[case.name]


@each
def test_cells_have_the_maps_of_the_module(case: Case) -> None:
    module = _behind_a_layer(case)
    arr = sv.arrange(load_program(module), sv.Plane.identity(), sv.Window.box(-3, 3, -3, 3))
    uv = np.random.default_rng(0).uniform(-3, 3, (500, 2))
    found = np.einsum("nci,ni->nc", arr.affine[arr.locate(uv)], np.c_[uv, np.ones(len(uv))])
    with torch.no_grad():
        np.testing.assert_allclose(found, module(torch.from_numpy(uv)).numpy(), rtol=1e-6, atol=1e-7)


def test_other_weights_are_gated_anew() -> None:
    program = load_program(
        Call(lambda m, x: torch.where(x > m.row, x, m.row), row=torch.zeros(4)), input_shape=4
    )
    other = program.rebind({"row": torch.tensor([1.0, -1.0, 0.0, 0.3])})
    x = torch.linspace(-2, 2, 40, dtype=torch.float64).reshape(10, 4)
    expected = x.maximum(torch.tensor([1.0, -1.0, 0.0, 0.3]).double())
    torch.testing.assert_close(other.forward(x), expected, rtol=0, atol=0)
    assert other.digest != program.digest


def test_the_estimators_count_the_switches() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(2, 16)
    plain = nn.Sequential(layer, nn.ReLU(), nn.Linear(16, 2)).eval()
    gated = nn.Sequential(layer, Call(lambda m, x: x * (x > 0)), plain[2]).eval()
    points = torch.randn(6, 2)
    counts = [sv.local_complexity(m, points, radius=0.5, directions=2).counts for m in (plain, gated)]
    np.testing.assert_array_equal(counts[0], counts[1])


ONE_COMPARISON = [
    "where above zero",
    "where below zero",
    "times its sign",
    "times a step",
    "assigned",
    "collected",
    "larger of two halves",
    "of a sum",
    "mask in other shapes",
]


@pytest.mark.parametrize("case", [c for c in CASES if c.name in ONE_COMPARISON], ids=lambda case: case.name)
def test_a_stage_has_the_name_and_the_place_that_it_has_in_estimates(case: Case) -> None:
    module = case.make()
    (stage,) = load_program(module, input_shape=4).stages
    (counted,) = sv.local_complexity(module, torch.ones(1, 4), radius=0.1, directions=2).stages
    assert (stage.name, stage.source) == (counted.name, counted.source)


JUMPS = "is not continuous piecewise affine: it jumps"
REFUSED = {
    "another constant": (lambda m, x: torch.where(x > 0, x, 1.0), f"where {JUMPS} by 1 .* at 0; let both"),
    "a mask": (lambda m, x: (x > 0.5).float(), f"gt {JUMPS} by 1 where its condition switches, at 0.5"),
    "a sign": (lambda m, x: x.sign() + x, f"add {JUMPS} by 2 "),
    "another activation": (lambda m, x: x * (x.flip(1) > 0), f"mul {JUMPS}, or is not seen"),
    "hard threshold": (lambda m, x: torch.where(x.abs() > 0.5, x, 0.0), f"where {JUMPS} by 0.5 "),
    "assigned too high": (lambda m, x: _assigned(x), f"index_put {JUMPS} by 0.5 "),
    "a point": (lambda m, x: torch.where(x == 0, 5.0, x), f"where {JUMPS} by 5 "),
    "a small step": (lambda m, x: x * (x > 0) + 1e-9 * (x > 0), f"add {JUMPS} by 1e-09"),
    "a step of rounding": (
        lambda m, x: torch.where(x > 1, 0.1 * x + 0.9, x),
        r"jumps by 2.78e-17 .* at 1; write the branch from there on, as c \+ slope",
    ),
    "two conditions": (lambda m, x: x * ((x > 0) & (x.flip(1) > 0)), "chooses by several comparisons"),
    "a square": (lambda m, x: x * x * (x > 0), "multiplies two activations"),
    "chosen entries": (lambda m, x: x + x[x > 0].sum(), "makes a tensor whose size depends on values"),
    "infinity": (lambda m, x: torch.where(x > 0, x, torch.inf), "where has entries that are not finite"),
}


def _assigned(x: Tensor) -> Tensor:
    h = x * 1
    h[h < 0.5] = 0
    return h


@pytest.mark.parametrize("name", REFUSED)
def test_jumps_are_refused(name: str) -> None:
    function, words = REFUSED[name]
    with pytest.raises(NotPiecewiseAffineError, match=words) as caught:
        load_program(Call(function), input_shape=4)
    assert "nets.py:" in str(caught.value)
