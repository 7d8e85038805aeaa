"""Deformation and baselines."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest
import torch

import splineviz as sv
from splineviz.estimators.baselines import distinct_patterns, first_order, mean_distance
from splineviz.estimators.deformation import deformation
from splineviz.estimators.frames import shared_frame
from tests.estimators.nets import perceptron, with_biases


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
