"""Proven errors of the boundary's length: closed forms, exact arithmetic, and where nothing is proven."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from torch import nn

import splineviz as sv
from splineviz.measures.boundary import BoundaryGeometry
from splineviz.measures.result import Quantity
from splineviz.plane import Plane, Window
from tests.measures.test_graph import network
from tests.measures.test_regions import arranged, bands
from tests.measures.test_topology import pyramid
from tests.oracles.harness import exact_slice, program_of
from tests.oracles.network import Network
from tests.oracles.tied_lengths import tied_lengths
from tests.oracles.twin import from_torch
from tests.properties.strategies import networks, windows


def lengths(arr: sv.Arrangement) -> dict[str, Quantity]:
    found = arr.measure("boundary")
    assert isinstance(found, BoundaryGeometry)
    return {q.of: q for q in found.quantities if q.name == "length"}


def assert_within(arr: sv.Arrangement, wanted: dict[tuple[int, int], float]) -> None:
    found = lengths(arr)
    for (a, b), length in wanted.items():
        own = found.get(f"classes {a} and {b}", Quantity("length", 0.0, error=found[""].error))
        assert own.error is not None
        assert abs(own.value - length) <= own.error
    total = found[""]
    assert total.error is not None
    assert abs(total.value - math.fsum(wanted.values())) <= total.error
    assert total.error <= 1e-6 * max(1.0, total.value)


@pytest.mark.parametrize(
    ("model", "length"),
    [(bands(), 6.0), (pyramid(1.0), 4 * math.sqrt(0.5)), (pyramid(-1.0), 4 * math.sqrt(0.5))],
)
def test_closed_forms(model: nn.Module, length: float) -> None:
    total = lengths(arranged(model, -1, 1, -1, 2))[""]
    assert total.error is not None and 0 < total.error < 1e-11
    assert abs(total.value - length) <= min(total.error, 1e-12)


def test_a_tie_along_an_edge_is_as_long_as_the_edge() -> None:
    """|u| has its level 0 on the edge where it bends; no class wins on either side but one."""
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 1, bias=False))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))
        model[2].weight.fill_(1.0)
    total = lengths(arranged(model, -1, 1, -1, 2))[""]
    assert total.error is not None
    assert abs(total.value - 3.0) <= total.error < 1e-12


@given(networks(max_depth=2, max_width=5), windows())
def test_small_networks_against_exact_arithmetic(network: Network, window: Window) -> None:
    arr = sv.arrange(program_of(network), Plane.identity(), window, jobs=1, certify="full")
    assert_within(arr, tied_lengths(exact_slice(network, window)))


@pytest.mark.parametrize("seed", range(4))
def test_float_networks_against_exact_arithmetic(seed: int) -> None:
    model = network(seed + 50, 8, 8, outputs=(1, 3)[seed % 2])
    wanted = tied_lengths(exact_slice(from_torch(model, 2), Window.box(-2, 2, -2, 2)))
    assert_within(arranged(model, -2, 2, -2, 2), wanted)


def test_nothing_is_proven_without_proofs() -> None:
    program = sv.load_program(bands(), input_shape=(2,))
    arr = sv.arrange(program, Plane.identity(), Window.box(-1, 1, -1, 1), certify="off")
    assert lengths(arr)[""].error is None
    proven = arranged(bands(), -1, 1, -1, 1)
    undecided = replace(proven, stats=replace(proven.stats, undecided=1))
    assert lengths(undecided)[""].error is None
