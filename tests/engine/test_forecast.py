"""Forecasts against what they forecast."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.errors import InputError
from tests.estimators.nets import perceptron


@pytest.fixture(scope="module")
def program() -> sv.Program:
    return sv.load_program(perceptron(2, 60, 60, 2, seed=1))


def lines(n: int) -> sv.Program:
    """A network that n lines in general position cut, all through the unit disc."""
    torch.manual_seed(0)
    first = nn.Linear(2, n)
    angle = torch.rand(n) * 2 * math.pi
    with torch.no_grad():
        first.weight.copy_(torch.stack([angle.cos(), angle.sin()], 1))
        first.bias.copy_(torch.rand(n) - 0.5)
    return sv.load_program(nn.Sequential(first, nn.ReLU()))


def test_a_window_of_few_cells_is_arranged_itself(program: sv.Program) -> None:
    plane, window = sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1)
    ahead, arr = sv.forecast(program, plane, window), sv.arrange(program, plane, window)
    assert ahead.exact and ahead.cells == ahead.low == ahead.high == arr.n_cells
    assert not ahead.at_least and ahead.memory > 16 * arr.n_vertices


@pytest.mark.parametrize(
    "window", [sv.Window.box(-0.4, 0.3, -0.2, 0.3), sv.Window.diamond(0.4)], ids=["box", "diamond"]
)
def test_lines_are_extrapolated_from_small_copies(window: sv.Window) -> None:
    program, plane = lines(1500), sv.Plane.identity()
    ahead = sv.forecast(program, plane, window, seconds=0.2, certify="off")
    n = sv.arrange(program, plane, window, certify="off").n_cells
    assert not ahead.exact and ahead.sampled < n / 2
    assert 0.7 * n < ahead.cells < 1.4 * n and ahead.low < ahead.cells < ahead.high


def test_what_grows_with_the_rim_is_not_counted_with_the_area() -> None:
    """One unit that all copies are on one side of, or that crosses some: far fewer cells than its copies
    hold."""
    parallel = nn.Linear(2, 400)
    with torch.no_grad():
        parallel.weight.copy_(torch.tensor([1.0, 0.0]).repeat(400, 1))
        parallel.bias.copy_(torch.linspace(-1, 1, 400))
    program = sv.load_program(nn.Sequential(parallel, nn.ReLU()))
    plane, window = sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1)
    assert sv.arrange(program, plane, window).n_cells in range(398, 402)
    ahead = sv.forecast(program, plane, window, seconds=1e-6)
    assert not ahead.exact and 300 < ahead.cells < 520


def test_a_stage_is_the_one_that_is_asked_for(program: sv.Program) -> None:
    request = program, sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1)
    assert sv.forecast(*request, stage=0).cells == sv.arrange(*request, stage=0).n_cells


def test_forecasts_are_refused(program: sv.Program) -> None:
    plane, window = sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1)
    with pytest.raises(InputError, match="seconds must be a number > 0"):
        sv.forecast(program, plane, window, seconds=0.0)
    with pytest.raises(InputError, match="stage must be in 0"):
        sv.forecast(program, plane, window, stage=9)
