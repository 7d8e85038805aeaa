"""Distance to the boundary of a linear region: exact cells of the plane, and walks off it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.estimators.region_distance import region_distance


def network(n_in: int, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    layers = (nn.Linear(n_in, 12), nn.ReLU(), nn.Linear(12, 10), nn.Hardtanh(), nn.Linear(10, 3))
    return nn.Sequential(*layers).double()


@pytest.mark.parametrize("seed", range(3))
def test_against_exact_cells(seed: int) -> None:
    """With two inputs the plane is the input space: edges of the cells are all kinks there are."""
    net = network(2, seed)
    points = np.random.default_rng(seed).uniform(-1, 1, (300, 2))
    found = region_distance(net, points)
    arr = sv.arrange(net, sv.Plane.identity(), sv.Window.box(-9, 9, -9, 9))
    np.testing.assert_allclose(found.min(1), arr.distance(points)[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found[:, 0], first_distance(net, points), rtol=1e-12, atol=1e-15)


def first_distance(net: nn.Module, points: np.ndarray) -> np.ndarray:
    """To the nearest line of the first layer, by the formula of schoolbooks."""
    w, b = net[0].weight.detach().numpy(), net[0].bias.detach().numpy()  # type: ignore[index]
    distances: np.ndarray = (np.abs(points @ w.T + b) / np.linalg.norm(w, axis=1)).min(1)
    return distances


def test_no_kink_is_nearer_and_one_is_there() -> None:
    """In many dimensions: along random ways nothing switches before, and along the nearest normal it does."""
    net = network(6)
    points = np.random.default_rng(1).normal(size=(4, 6))
    distances = region_distance(net, points).min(1)
    directions = np.random.default_rng(2).normal(size=(12, 6))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    for point, distance in zip(points, distances, strict=True):
        for direction in directions:
            assert sv.segment(net, point, point + 0.999 * distance * direction).n_cells == 1
        x = torch.tensor(point, requires_grad=True)
        h = net[0](x)  # type: ignore[index]
        z = net[2](torch.relu(h))  # type: ignore[index]
        gaps = torch.cat([h, z + 1, z - 1])
        gradients = torch.stack([torch.autograd.grad(gap, x, retain_graph=True)[0] for gap in gaps])
        norms = gradients.norm(dim=1)
        k = int((gaps.abs() / norms).argmin())
        normal = (-gaps[k].sign() * gradients[k] / norms[k]).detach().numpy()
        assert sv.segment(net, point, point + 1.001 * distance * normal).n_cells == 2


def test_on_a_kink_and_where_there_is_none() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1), nn.ReLU()).double()
    net[0].weight.data, net[0].bias.data = torch.eye(2).double(), torch.tensor([0.0, 5.0]).double()
    net[2].weight.data.zero_()
    assert region_distance(net, [[0.0, 1.0], [2.0, 1.0]]).tolist() == [[0.0, np.inf], [2.0, np.inf]]


def test_maxima_are_refused() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 2), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(2, 2))
    with pytest.raises(sv.InputError, match="has no breakpoint to be near"):
        region_distance(net, np.zeros((1, 1, 3, 3)))
