"""What cannot be compared is refused in one sentence; what can be compared in part says what is left out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.errors import InputError
from splineviz.program.side_by_side import side_by_side
from tests.comparison.nets import PLANE, SQUARE, random_net


def test_one_network_is_none_to_compare() -> None:
    with pytest.raises(InputError, match="at least two networks, got 1"):
        sv.compare([random_net(0)], PLANE, SQUARE)


def test_inputs_of_different_sizes() -> None:
    other = sv.load_program(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 3)))
    with pytest.raises(InputError, match=r"inputs of one size; these take one \(2,\), two \(3,\)"):
        sv.compare([random_net(0), other], PLANE, SQUARE, names=["one", "two"])
    with pytest.raises(InputError, match="inputs of one size"):
        side_by_side(random_net(0), other, decisions=False)


def test_a_budget_that_ends() -> None:
    with pytest.raises(
        InputError,
        match=r"budget ended before all of Sequential 1 was arranged \(2 cells, [0-9.]+% of the window\)",
    ):
        sv.compare([random_net(0), random_net(1)], PLANE, SQUARE, max_cells=2)


def test_names_are_one_for_each() -> None:
    with pytest.raises(InputError, match="one name for each of the 2 networks, got 1"):
        sv.compare([random_net(0), random_net(1)], PLANE, SQUARE, names=["one"])


def test_nan_weights_are_told_of_their_network() -> None:
    broken = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    with torch.no_grad():
        broken[0].weight[0, 0] = float("nan")
    with pytest.raises(InputError, match=r"network 2: NaN or infinite weights: 0\.weight"):
        sv.compare([random_net(0), broken], PLANE, SQUARE)


def test_two_networks_side_by_side_take_no_weights() -> None:
    program = side_by_side(random_net(0), random_net(1), decisions=True).program
    with pytest.raises(InputError, match="take no new weights"):
        program.rebind({})


def test_different_numbers_of_outputs_leave_decisions_out() -> None:
    both = sv.compare([random_net(0), random_net(1, (2, 8, 2))], PLANE, SQUARE, names=["three", "two"])
    pair = both.pair(0, 1)
    assert pair.decisions is None and pair.boundaries is None and pair.change is None and pair.units is None
    assert (
        pair.notes[0] == "three has 3 outputs and two 2: decisions, boundaries and outputs are not compared"
    )
    assert pair.partitions.variation_of_information > 0
    assert pair.to_dict()["agreement"] is None


def test_no_boundary_no_distance() -> None:
    flat = sv.load_program(nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3)))
    state = {name: value.clone() for name, value in flat.origin.weights.items()}  # type: ignore[union-attr]
    state["2.bias"] = torch.tensor([100.0, 0.0, 0.0])
    both = sv.compare([random_net(4), flat.rebind(state)], PLANE, SQUARE, names=["one", "sure"])
    pair = both.pair(0, 1)
    assert pair.boundaries is None and pair.notes[0].startswith("no decision boundary of sure in the window")
    assert both.arrangements[1].n_decision_regions == 1


def test_architectures_may_differ() -> None:
    """A convolutional network and a dense one on a plane of images; a maximum among the units."""
    torch.manual_seed(0)
    conv = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3))
    dense = nn.Sequential(nn.Flatten(), nn.Linear(36, 8), nn.ReLU(), nn.Linear(8, 3))
    plane = sv.Plane.through(*np.random.default_rng(0).random((3, 1, 6, 6)))
    both = sv.compare([conv, dense], plane, sv.Window.around(plane))
    pair = both.pair(0, 1)
    assert pair.units is None and "different units" in pair.notes[-1]
    assert pair.overlay.first.max() + 1 == both.arrangements[0].n_cells
    assert pair.overlay.second.max() + 1 == both.arrangements[1].n_cells
    assert pair.overlay.areas.sum() == pytest.approx(both.arrangements[0].windows[0].area)
