"""Any small network on any window: the engine and the exact oracle agree on cells, areas, neighbours, units
and regions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import event, given
from hypothesis import strategies as st
from torch import nn

from splineviz.plane import Plane, Window
from tests.oracles.compare import assert_same
from tests.oracles.harness import agree, arranged, exact_slice
from tests.oracles.invariants import assert_valid
from tests.oracles.network import Network
from tests.oracles.twin import from_torch
from tests.properties.strategies import networks, windows


@given(networks(), windows())
def test_networks_of_special_numbers(network: Network, window: Window) -> None:
    arr = agree(network, window)
    event(arr.status.name)


@given(networks(max_depth=1, max_width=9), windows())
def test_one_wide_layer(network: Network, window: Window) -> None:
    agree(network, window)


@given(networks(max_depth=2, max_width=3), st.integers(-30, 30))
def test_a_window_of_any_size(network: Network, power: int) -> None:
    agree(network, Window.diamond(2.0**power))


@pytest.mark.parametrize("seed", range(6))
def test_float_networks_on_planes_through_three_points(seed: int) -> None:
    torch.manual_seed(seed)
    norm = nn.BatchNorm1d(7)
    norm.running_mean, norm.running_var = 0.3 * torch.randn(7), torch.rand(7) + 0.5
    activation = [nn.ReLU(), nn.LeakyReLU(0.1), nn.Hardtanh(-0.5, 0.5)][seed % 3]
    module = nn.Sequential(
        nn.Linear(9, 7), norm, activation, nn.Linear(7, 6), nn.ReLU(), nn.Dropout(), nn.Linear(6, 3)
    ).eval()
    plane = Plane.through(*np.random.default_rng(seed).standard_normal((3, 9)))
    window = Window.around(plane)
    arr = arranged(module, window, plane)
    assert arr.program is not None
    assert assert_valid(arr, arr.program).n_thin == 0
    assert arr.n_cells > 5
    assert_same(arr, exact_slice(from_torch(module, 9), window, plane))
