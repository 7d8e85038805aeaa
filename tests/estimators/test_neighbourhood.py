"""Deformation and baselines."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.estimators.baselines import distinct_patterns, first_order, mean_distance
from splineviz.estimators.deformation import deformation
from splineviz.estimators.frames import frames, shared_frame
from splineviz.neighbourhoods.counts import local_counts
from tests.estimators.nets import perceptron, with_biases


def at_the_radius(axes: np.ndarray, radius: float) -> nn.Sequential:
    """A network that cuts each half axis twice, within a billionth of the radius before its end and behind
    it: in the first stage, and again in the second, which the units of the first that are on lead to."""
    ends = radius * np.array([1 - 1e-9, 1 + 1e-9, -(1 - 1e-9), -(1 + 1e-9)])
    cuts, ends = np.repeat(axes, 4, 0), np.tile(ends, len(axes))
    on, none = np.eye(axes.shape[1]), np.zeros((len(cuts), len(cuts)))
    first, second = np.concatenate([cuts, on]), np.concatenate([none, cuts], 1)
    biases = [[*ends, *[64.0] * len(on)], (ends - 64.0 * cuts.sum(1)).tolist(), [0.0]]
    return with_biases([first.tolist(), second.tolist(), [[1.0] * len(cuts)]], biases)


@pytest.mark.parametrize("radius", [0.005, 0.7, 30.0])
def test_the_radius_is_kept_to_a_billionth(radius: float) -> None:
    """Of each half axis the cut before its end is met, and the one behind it is not, by proxy, exact count
    and ball."""
    axes, x = shared_frame(9, 3, 0), np.zeros((1, 9))
    network = at_the_radius(axes, radius)
    found = sv.local_complexity(network, x, radius=radius, directions=[3, 2])
    assert found.counts[0, :, 0].tolist() == [[6, 6], [4, 4]]
    own = at_the_radius(frames(9, 3, 0, 0, 1)[0], radius)
    found = sv.local_complexity(own, x, radius=radius, directions=3, frame="per-point")
    assert found.counts.ravel().tolist() == [6, 6]
    assert first_order(network, x, radius=radius).tolist() == [[6, 6]]
    pair = at_the_radius(axes[:2], radius)
    exact = local_counts(sv.load_program(pair), x, radius=radius, axes=axes[None, :2])
    assert exact.cut.ravel().tolist() == [4, 4]


def test_samples_fill_the_ball_to_its_rim() -> None:
    """On a line, 200,000 samples come within 5e-5 of both ends, and none goes beyond them."""
    ends = [-1 - 1e-9, -1 + 5e-5, 1 - 5e-5, 1 + 1e-9]
    network = with_biases([[[1.0]] * 4, [[1.0] * 4]], [ends, [0.0]])
    assert distinct_patterns(network, [[0.0]], radius=1.0, samples=200_000).tolist() == [3]


@pytest.mark.parametrize("dim", [2, 5])
def test_frames_are_uniform_and_made_by_gram_schmidt(dim: int) -> None:
    """QR alone leaves signs to its own convention: the first entry of the first axis is negative always."""
    own = frames(dim, dim, 3, 0, 400)
    for axes in (np.stack([shared_frame(dim, dim, seed) for seed in range(400)]), own):
        share = (np.diagonal(axes, axis1=1, axis2=2) > 0).mean(0)
        assert (np.abs(share - 0.5) < 4 * 0.5 / math.sqrt(400)).all()
        assert np.abs(axes.mean(0)).max() < 4 / math.sqrt(400 * dim)
    for k in range(3):
        left = np.random.default_rng([3, k]).standard_normal((dim, dim))
        for p in range(dim):
            for before in own[k, :p]:
                left[p] -= (left[p] @ before) * before
            np.testing.assert_allclose(own[k, p], left[p] / np.linalg.norm(left[p]), atol=1e-12)


def test_deformation_is_that_of_the_graph_of_vertices() -> None:
    network, x, p = perceptron(6, 12, 12, 2), torch.randn(3, 6, dtype=torch.float64), 4
    found = deformation(network, x, radius=0.8, directions=p, batch=2)
    axes = 0.8 * torch.from_numpy(shared_frame(6, p, 0))
    for k, point in enumerate(x):
        value = torch.cat([point + axes, point - axes])
        assert found.diameter[k, 0] == pytest.approx(2 * math.sqrt(2) * 0.8)
        for layer, cut in enumerate((0, 2, 4)):
            embedded = network[:cut](value).detach().numpy()
            graph = nx.Graph()
            for a in range(2 * p):
                for b in range(a):
                    if a - b != p:
                        graph.add_edge(a, b, weight=float(np.linalg.norm(embedded[a] - embedded[b])))
            eccentricity = nx.eccentricity(graph, weight="weight")
            assert found.eccentricity[k, layer] == pytest.approx(np.mean(list(eccentricity.values())))
            assert found.diameter[k, layer] == pytest.approx(max(eccentricity.values()))


def test_first_order_count_is_exact_in_the_first_layer_of_a_ball() -> None:
    network = with_biases(
        [[[1.0, 0.0], [0.0, 2.0], [3.0, 4.0]], [[1.0, 1.0, 1.0]]], [[-1.0, 1.0, 10.0], [0.0]]
    )
    x = np.zeros((1, 2))
    assert first_order(network, x, radius=0.4).tolist() == [[0]]
    assert first_order(network, x, radius=0.6).tolist() == [[1]]
    assert first_order(network, x, radius=1.1).tolist() == [[2]]
    assert first_order(network, x, radius=2.1).tolist() == [[3]]
    assert mean_distance(network, x).tolist() == [[4.0]]


def test_samples_meet_no_more_patterns_than_there_are_cells() -> None:
    program = sv.load_program(perceptron(2, 12, 12, 1, seed=2))
    few, many = (distinct_patterns(program, [[0.1, 0.2]], radius=1.0, samples=n).item() for n in (20, 5000))
    angles = 2 * np.pi * np.arange(200) / 200
    circle = np.array([0.1, 0.2]) + np.stack([np.cos(angles), np.sin(angles)], 1)
    n_cells = sv.arrange(program, sv.Plane.identity(), sv.Window.polygon(circle)).n_cells
    assert 1 < few <= many <= n_cells
    assert many > 0.8 * n_cells


def test_batches_agree() -> None:
    network, x = perceptron(5, 9, 9, 1), torch.randn(7, 5)
    for run in (
        lambda batch: first_order(network, x, radius=0.3, batch=batch),
        lambda batch: mean_distance(network, x, batch=batch),
        lambda batch: distinct_patterns(network, x, radius=0.3, batch=batch),
    ):
        assert np.allclose(run(None), run(3))
