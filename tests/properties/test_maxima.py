"""Any small network with maxima on any window: the engine and the exact oracle agree."""

from __future__ import annotations

import numpy as np
from hypothesis import event, given
from hypothesis import strategies as st

import splineviz as sv
from splineviz.plane import Window
from splineviz.segments.segment import segment
from tests.oracles.along import assert_like_forward
from tests.oracles.harness import agree
from tests.oracles.network import Network
from tests.oracles.rational import crossings
from tests.oracles.twin import to_torch
from tests.properties.strategies import networks, windows


@given(networks(maxima=True), windows())
def test_networks_with_maxima(network: Network, window: Window) -> None:
    arr = agree(network, window)
    event(arr.status.name)


@given(networks(max_depth=1, max_width=9, maxima=True), windows())
def test_one_wide_layer(network: Network, window: Window) -> None:
    agree(network, window)


@given(networks(max_depth=2, max_width=4, maxima=True), st.integers(-30, 30))
def test_a_window_of_any_size(network: Network, power: int) -> None:
    agree(network, Window.diamond(2.0**power))


@given(networks(maxima=True), st.integers(0, 9))
def test_knots_are_the_exact_crossings(network: Network, seed: int) -> None:
    a, b = np.random.default_rng(seed).integers(-12, 13, (2, 2)) / 4
    if (a == b).all():
        return
    program = sv.load_program(to_torch(network), input_shape=(2,))
    walk = segment(program, a, b)
    exact = np.array([float(t) for t in crossings(network, a.tolist(), b.tolist())])
    assert len(walk.knots) == len(exact) + 2
    np.testing.assert_allclose(walk.knots[1:-1], exact, atol=1e-9)
    assert_like_forward(walk, program)
