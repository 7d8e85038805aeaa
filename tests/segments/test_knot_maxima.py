"""Maxima on a segment: against forward passes, exact crossings, and the planar arrangement."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.errors import InputError
from splineviz.segments.segment import segment
from tests.oracles.along import assert_like_forward
from tests.oracles.network import linear, max_pool1d, maxout, sequential
from tests.oracles.rational import crossings
from tests.oracles.twin import to_torch


def test_the_upper_envelope_of_three_lines() -> None:
    """max(-x, 0, x - 1, x / 2 - 9): breaks at 0 and 1; the last is never the largest."""
    network = sequential(1, [linear([[-1], [0], [1], [0.5]], [0, 0, -1, -9]), maxout([range(4)])])
    walk = segment(sv.load_program(to_torch(network), input_shape=(1,)), [-1.0], [3.0])
    np.testing.assert_array_equal(walk.knots, [0, 0.25, 0.5, 1])
    assert walk.winners(0).tolist() == [[0], [1], [2]]
    assert [row.tolist() for row in walk.units] == [[], [[0, 0]], [[0, 0]], []]
    assert walk.pattern(2)[0].tolist() == [2]
    with pytest.raises(InputError, match=r"units of stage 0 \(amax\) are not on or off"):
        walk.pattern_bits(0)


def test_three_that_tie_at_once_and_identical_ones() -> None:
    rows, bias = [[-1], [0], [1], [1], [-1]], [0, 0, 0, 0, 0]
    network = sequential(1, [linear(rows, bias), maxout([(0, 1, 2, 3, 4), (1, 1, 1, 1, 1), (3, 2, 0, 4, 1)])])
    walk = segment(sv.load_program(to_torch(network), input_shape=(1,)), [-1.0], [1.0])
    np.testing.assert_array_equal(walk.knots, [0, 0.5, 1])
    assert walk.winners(0).tolist() == [[0, 0, 2], [2, 0, 0]]


@pytest.mark.parametrize(
    "pool", [nn.MaxPool2d(2), nn.MaxPool2d(3, 2, 1), nn.AdaptiveMaxPool2d(3)], ids=["2", "3", "adaptive"]
)
def test_networks_for_images_agree_with_the_plane(pool: nn.Module) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.ReLU(), pool, nn.Conv2d(2, 3, 2), nn.ReLU(), nn.Flatten(), nn.LazyLinear(4)
    )
    module(torch.zeros(1, 1, 8, 8))
    program = sv.load_program(module.eval(), input_shape=(1, 8, 8))
    rng = np.random.default_rng(0)
    plane = sv.Plane.through(*rng.normal(0, 2, (3, 1, 8, 8)))
    arr = sv.arrange(program, plane, sv.Window.around(plane))
    a, b = arr.vertices.min(0) + np.ptp(arr.vertices, axis=0) * rng.uniform(0.1, 0.9, (2, 2))
    walk = segment(program, plane.lift(a), plane.lift(b))
    assert walk.n_cells > 20
    assert_like_forward(walk, program)
    cells = arr.locate(plane.project(0.5 * (walk.points[1:] + walk.points[:-1]))[0])
    wide = np.diff(walk.knots) > 1e-9
    for stage in program.stages:
        mine, theirs = (x.winners if stage.candidates else x.pattern_bits for x in (walk, arr))
        np.testing.assert_array_equal(mine(stage.index)[wide], theirs(stage.index, cells)[wide])  # type: ignore[operator]


def test_overlapping_windows() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(2, 12)
    network = sequential(2, [linear(layer.weight, layer.bias), max_pool1d(12, 5, 1, 2)])
    program = sv.load_program(to_torch(network), input_shape=(2,))
    walk = segment(program, [-5.0, -4.0], [5.0, 4.5])
    assert walk.units.lengths.max() > 1
    assert_like_forward(walk, program)
    exact = [float(t) for t in crossings(network, [-5.0, -4.0], [5.0, 4.5])]
    np.testing.assert_allclose(walk.knots[1:-1], exact, atol=1e-12)
