"""The proxy against closed forms and published figures."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from tests.estimators.nets import perceptron

M_P = {
    1: 0.79788,
    2: 1.12838,
    5: 1.56983,
    10: 1.88072,
    20: 2.16657,
    25: 2.25353,
    50: 2.50960,
    100: 2.74696,
    200: 2.96860,
}
"""Mean of the largest of P |N(0, 1)|, by quadrature."""


@pytest.mark.parametrize("ratio", [0.1, 1.0, 3.0])
def test_random_lines_cut_a_diamond(ratio: float) -> None:
    torch.manual_seed(5)
    n = 40_000
    network = nn.Sequential(nn.Linear(2, n), nn.ReLU(), nn.Linear(n, 1)).double()
    nn.init.normal_(network[0].weight)
    nn.init.normal_(network[0].bias)
    share = sv.local_complexity(network, torch.zeros(1, 2), radius=ratio, directions=2).fractions.item()
    expected = 1 - 2 / math.pi * math.asin(1 / (1 + ratio**2))
    assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / n)


def test_more_directions_count_more_by_a_known_factor() -> None:
    torch.manual_seed(6)
    n, radius = 60_000, 0.05
    network = nn.Sequential(nn.Linear(200, n), nn.ReLU(), nn.Linear(n, 1)).double()
    nn.init.normal_(network[0].weight)
    nn.init.normal_(network[0].bias)
    estimate = sv.local_complexity(network, torch.zeros(1, 200), radius=radius, directions=list(M_P))
    for p, share in zip(M_P, estimate.fractions.ravel(), strict=True):
        expected = 2 * radius * M_P[p] / math.sqrt(2 * math.pi)
        # the second factor is the curvature of the density over the neighbourhood
        assert abs(share - expected) < 4 * math.sqrt(expected / n) + expected * (radius * 4) ** 2 / 6


def test_without_biases_a_linear_network_shows_every_unit_and_a_relu_network_those_of_its_first_layer() -> (
    None
):
    torch.manual_seed(7)
    for kind in (lambda: nn.LeakyReLU(1.0), nn.ReLU):
        layers = [layer for _ in range(6) for layer in (nn.Linear(60, 60, bias=False), kind())]
        network = nn.Sequential(*layers, nn.Linear(60, 1)).double()
        estimate = sv.local_complexity(network, torch.zeros(1, 60), radius=[1e-4, 10.0], directions=[2, 25])
        shares = estimate.fractions[:, :, 0]
        assert (shares[..., 0] == 1).all()
        assert (shares == 1).all() if kind is not nn.ReLU else (shares[..., -1] < 1).all()
        assert np.array_equal(shares[0], shares[1])  # rays know no scale


def test_without_biases_a_published_size_of_network() -> None:
    """12 x 400 units on 784 inputs show 2345, 3448, 3751 of 4800 for P = 2, 10, 25, at every radius."""
    torch.manual_seed(0)
    layers = [
        layer for k in range(12) for layer in (nn.Linear(400 if k else 784, 400, bias=False), nn.ReLU())
    ]
    network = nn.Sequential(*layers, nn.Linear(400, 1, bias=False)).double()
    estimate = sv.local_complexity(network, torch.zeros(1, 784), radius=[1e-4, 10.0], directions=[2, 10, 25])
    assert np.array_equal(estimate.totals[0], estimate.totals[1])
    assert np.allclose(estimate.totals[0, :, 0], [2345, 3448, 3751], rtol=0.05)
    assert (estimate.counts[..., 0] == 400).all()


def test_falls_away_from_the_origin_saturates_in_directions_and_grows_with_the_radius() -> None:
    """Figure 17 of the paper: depth 18, width 100, centres from the origin to (10, ..., 10)."""
    torch.manual_seed(0)
    layers = [layer for k in range(17) for layer in (nn.Linear(100 if k else 784, 100), nn.LeakyReLU(0.01))]
    program = sv.load_program(nn.Sequential(*layers, nn.Linear(100, 10)))
    centres = np.repeat([0.0, 1.0, 3.0, 10.0], 8)[:, None] * np.ones(784)
    asked: dict[str, Any] = {
        "radius": [0.5, 5.0, 50.0],
        "directions": [2, 10, 50, 100, 200],
        "frame": "per-point",
    }
    totals = sv.local_complexity(program, centres, **asked).totals.reshape(3, 5, 4, 8).mean(-1)
    assert (np.diff(totals[:2], axis=2) < 0).all()
    assert (
        np.diff(totals[2, :, 1:], axis=1) < 0
    ).all()  # a neighbourhood of 50 holds the origin for the first step of 28
    assert (np.diff(totals, axis=0) > 0).all()
    gains = np.diff(totals.sum(2), axis=1)
    assert (gains > 0).all() and (gains[:, 3] < gains[:, 0] / 2).all()  # from 100 to 200, and from 2 to 10


def test_on_real_digits_nearly_every_count_is_zero_at_the_published_radius() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    digits = datasets.load_digits().data / 16.0
    program = sv.load_program(perceptron(64, 200, 200, 10, seed=11))
    estimate = sv.local_complexity(program, digits[:300], radius=[0.001, 0.05, 0.5], directions=[2, 25])
    zeros = (estimate.totals == 0).mean(-1)
    assert zeros[0, 0] > 0.9 and (np.diff(zeros, axis=0) <= 0).all() and (np.diff(zeros, axis=1) <= 0).all()
    assert zeros[2, 1] == 0
