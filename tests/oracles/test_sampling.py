"""Dense sampling sees what it is there for: another network's cells, and a wrong winner."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from tests.oracles.sampling import assert_sampled, sample

WINDOW = sv.Window.diamond(2.0)


def _network(pool: nn.Module, seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    layers = [nn.Linear(2, 40), nn.Unflatten(1, (2, 5, 4)), nn.PReLU(2), pool, nn.Flatten(), nn.LazyLinear(2)]
    network = nn.Sequential(*layers).double().eval()
    network(torch.zeros(1, 2).double())
    return network


def _arranged(network: nn.Module) -> sv.Arrangement:
    arr = sv.arrange(sv.load_program(network, input_shape=(2,)), sv.Plane.identity(), WINDOW, certify="full")
    assert isinstance(arr, sv.Arrangement)
    return arr


@pytest.mark.parametrize(
    "pool",
    [
        nn.MaxPool2d(2),
        nn.MaxPool2d(3, 2, 1),
        nn.MaxPool2d(2, 2, ceil_mode=True),
        nn.MaxPool2d(2, 1, 1, dilation=2),
        nn.MaxPool2d((3, 1), (2, 1), (1, 0)),
    ],
    ids=str,
)
def test_pools_are_followed(pool: nn.Module) -> None:
    network = _network(pool)
    found = assert_sampled(_arranged(network), network)
    assert found.points > 400, "half of the box round a diamond"
    assert found.cells > 10 and found.stages == 2


def test_other_weights() -> None:
    found = sample(_arranged(_network(nn.MaxPool2d(2))), _network(nn.MaxPool2d(2), seed=1))
    assert found.wrong_patterns > 0.9 * found.points and found.wrong_outputs > 0.9 * found.points


def test_one_wrong_winner() -> None:
    """Of one cell, and only at the points in it."""
    network = _network(nn.MaxPool2d(2))
    arr = _arranged(network)
    words, parent = arr.patterns[-1]
    largest = int(np.argmax(arr.areas))
    words = words.copy()
    words[largest, 0] ^= np.uint64(1)
    faulty = replace(arr, patterns=(*arr.patterns[:-1], (words, parent)))
    found = sample(faulty, network)
    share = arr.areas[largest] / WINDOW.area
    assert 0.5 * share < found.wrong_patterns / found.points < 2 * share
    assert found.wrong_outputs == 0 or found.wrong_outputs == found.wrong_patterns
