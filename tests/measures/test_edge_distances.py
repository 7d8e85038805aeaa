"""Distances to the nearest edge of a stage: closed forms, `Arrangement.distance`, and shapely."""

from __future__ import annotations

import numpy as np
import shapely
import torch
from torch import nn

import splineviz as sv
from splineviz.measures.edge_distances import EdgesByStage


def arranged() -> sv.Arrangement:
    torch.manual_seed(1)
    net = nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 10), nn.ReLU(), nn.Linear(10, 2)).double()
    return sv.arrange(net, sv.Plane.identity(), sv.Window.box(-2, 2, -2, 2))


POINTS = np.random.default_rng(0).uniform(-2.5, 2.5, (200, 2))


def test_a_line() -> None:
    net = nn.Sequential(nn.Linear(2, 1), nn.ReLU()).double()
    net[0].weight.data, net[0].bias.data = torch.tensor([[3.0, 4.0]]).double(), torch.tensor([-1.0]).double()
    arr = sv.arrange(net, sv.Plane.identity(), sv.Window.box(-9, 9, -9, 9))
    found = EdgesByStage.of(arr).distances(POINTS)
    np.testing.assert_allclose(found, [np.abs(POINTS @ [3.0, 4.0] - 1.0) / 5.0], atol=1e-12)


def test_the_nearest_of_all_stages_is_the_nearest() -> None:
    arr = arranged()
    found = EdgesByStage.of(arr).distances(POINTS)
    assert found.shape == (2, 200)
    assert (found.min(0) == arr.distance(POINTS)[0]).all()


def test_against_shapely() -> None:
    arr = arranged()
    for stage, found in enumerate(EdgesByStage.of(arr).distances(POINTS)):
        own = shapely.multilinestrings(arr.vertices[arr.edges[arr.edge_stage == stage]])
        np.testing.assert_allclose(found, shapely.distance(shapely.points(POINTS), own), atol=1e-12)


def test_a_stage_without_edges_is_infinitely_far() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2), nn.ReLU()).double()
    net[2].weight.data.zero_()
    net[2].bias.data.fill_(1.0)
    arr = sv.arrange(net, sv.Plane.identity(), sv.Window.box(-9, 9, -9, 9))
    found = EdgesByStage.of(arr).distances(POINTS)
    assert np.isfinite(found[0]).all() and np.isinf(found[1]).all()
