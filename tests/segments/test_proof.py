"""Exact arithmetic confirms the cells of segments that are right, and no others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import splineviz as sv
from splineviz.program import Program
from splineviz.segments.segment import Segment, segment
from tests.arrangement.hand_made import random_mlp
from tests.oracles.harness import program_of
from tests.properties.strategies import networks


@st.composite
def _requests(draw: st.DrawFn) -> tuple[Program, np.ndarray]:
    """Lines that meet, and ends that lie on them."""
    network = draw(networks(maxima=draw(st.booleans())))
    ends = draw(st.lists(st.integers(-6, 6), min_size=4, max_size=4).filter(lambda e: e[:2] != e[2:]))
    return program_of(network), np.array(ends, dtype=float).reshape(2, 2) / 2


def _without_knot(walk: Segment) -> Segment:
    rows = np.delete(np.arange(walk.n_cells + 1), 1)
    columns = {name: getattr(walk, name)[rows] for name in ("knots", "values", "points")}
    return replace(walk, units=walk.units.take(rows), **columns)


def _with_other_state(walk: Segment, stage: int) -> Segment:
    states = list(walk._stages)
    of = states[stage].of.copy()
    of[0, 0] = not of[0, 0]
    states[stage] = replace(states[stage], of=of)
    return replace(walk, _stages=tuple(states))


@settings(max_examples=25, deadline=None)
@given(_requests())
def test_right_and_wrong_cells_of_small_networks(request_: tuple[Program, np.ndarray]) -> None:
    program, ends = request_
    walk = segment(program, *ends)
    assert walk.proven
    if walk.n_cells > 1:
        assert not _without_knot(walk).proven
    for stage in program.stages:
        if not stage.candidates:
            assert not _with_other_state(walk, stage.index).proven


@pytest.mark.parametrize("shape", [(784,), (1, 8, 8)])
def test_segments_of_larger_networks(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    net: nn.Module = nn.Sequential(
        nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)
    )
    if len(shape) == 3:
        net = nn.Sequential(
            *(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 4, 2), nn.Hardtanh()),
            nn.Flatten(),
            nn.Linear(16, 3),
        )
    walk = segment(
        sv.load_program(net, input_shape=shape), *np.random.default_rng(0).normal(0, 3, (2, *shape))
    )
    assert walk.n_cells > 20 and walk.proven
    assert not _without_knot(walk).proven


def test_what_has_no_exact_form_is_not_confirmed() -> None:
    """Programs that are put together by hand have none."""
    assert not segment(random_mlp(2, 4, 1), [-1.0, 0.0], [1.0, 0.5]).proven
