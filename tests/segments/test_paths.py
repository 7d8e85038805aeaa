"""Walks, volumes and samples: closed forms, and integrals by brute force."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.arrangement.volume_factors import polarity_samples, volume_factor
from splineviz.estimators.frames import shared_frame
from splineviz.estimators.volume import volume
from splineviz.segments.paths import translated, walk
from tests.estimators.nets import perceptron, with_biases


def test_one_kink_in_closed_form() -> None:
    """relu on [-1, 1] leaves its chord (t + 1) / 2 by a triangle of base 2 and height 1/2."""
    along = walk(sv.load_program(with_biases([[[1.0]], [[1.0]]], [[0.0], [0.0]])), [[-1.0], [1.0]])
    assert along.n_crossings == 1 and along.density == 0.5
    assert along.absolute_deviation == pytest.approx([0.5]) and along.deviation_bound == pytest.approx([0.5])


def test_a_change_of_sign_is_where_the_bound_is_none() -> None:
    """An odd zigzag: its deviation changes sign in the middle of a cell."""
    network = with_biases([[[1.0], [1.0]], [[1.0, -1.0]]], [[0.5, -0.5], [0.0]])
    along = walk(sv.load_program(network), [[-1.0], [1.0]])
    # f is 0, t + 1/2, 1 on the cells, its chord (t + 1) / 2: four equal triangles of base 1/2... and the
    # middle ones cross
    t = np.linspace(-1, 1, 2_000_001)
    gap = np.abs(np.clip(t + 0.5, 0, 1) - (t + 1) / 2)
    assert along.absolute_deviation == pytest.approx([np.trapezoid(gap, t)], abs=1e-9)
    assert along.deviation_bound[0] > along.absolute_deviation[0] * 1.1


def test_a_closed_walk_against_dense_sampling() -> None:
    network = perceptron(4, 20, 20, 3, seed=1)
    program, corners = sv.load_program(network), np.random.default_rng(0).standard_normal((4, 4)) * 2
    around = walk(program, corners, closed=True)
    assert len(around.segments) == 4
    expected = np.zeros(3)
    t = np.linspace(0, 1, 50_001)[:, None]
    for a, b in zip(corners, np.roll(corners, -1, 0), strict=True):
        with torch.no_grad():
            f = network(torch.from_numpy(a + t * (b - a))).numpy()
        expected += np.linalg.norm(b - a) * np.trapezoid(
            np.abs(f - (f[:1] + t * (f[-1:] - f[:1]))), t[:, 0], axis=0
        )
    assert around.absolute_deviation == pytest.approx(expected, rel=1e-6)
    assert (around.deviation_bound >= around.absolute_deviation).all()
    with pytest.raises(sv.InputError, match="at least two points"):
        walk(program, corners[:1])


def test_translations_of_an_image_are_the_corners_of_a_walk() -> None:
    image = np.arange(6.0).reshape(1, 2, 3)
    moved = translated(image, [(0, 0), (1, 0), (0, -1), (-1, 2)], fill=-1.0)
    assert moved[1].tolist() == [[[-1, -1, -1], [0, 1, 2]]]
    assert moved[2].tolist() == [[[1, 2, -1], [4, 5, -1]]]
    assert moved[3].tolist() == [[[-1, -1, 3], [-1, -1, -1]]]
    with pytest.raises(sv.InputError, match="out of sight"):
        translated(image, [(2, 0)])


def test_volume_at_a_point_is_that_of_the_cell_of_the_slice_around_it() -> None:
    torch.manual_seed(3)
    layers = [
        nn.Conv2d(1, 3, 3),
        nn.BatchNorm2d(3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(12, 5),
    ]
    network, points = nn.Sequential(*layers).double().eval(), torch.randn(4, 1, 6, 6, dtype=torch.float64)
    program, frame = sv.load_program(network, input_shape=(1, 6, 6)), shared_frame(36, 2, 0)
    factors = volume(network, points, batch=3)
    for point, factor in zip(points, factors, strict=True):
        arr = sv.arrange(program, sv.Plane.at(point, frame), sv.Window.diamond(0.1))
        assert factor == pytest.approx(volume_factor(arr.affine)[arr.locate(np.zeros((1, 2)))][0])
    with pytest.raises(sv.InputError, match="6 directions are flattened by a network of 5 outputs"):
        volume(network, points, directions=6)
    turned = nn.Linear(3, 3).double()
    assert volume(nn.Sequential(turned, nn.LeakyReLU(0.5)), np.full((1, 3), 9.0), directions=3)[
        0
    ] == pytest.approx(
        float(torch.linalg.det(turned.weight.detach()).abs())
        * 0.5 ** int((turned(torch.full((3,), 9.0).double()) < 0).sum())
    )


def test_polarity_spreads_the_outputs_or_the_inputs_evenly() -> None:
    # the left half of the slice is stretched by 4, the right half not
    network = with_biases(
        [[[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], [[1.0, -4.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0]]],
        [[0.0] * 4, [0.0] * 2],
    )
    arr = sv.arrange(sv.load_program(network), sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1))
    assert sorted(volume_factor(arr.affine)) == pytest.approx([1, 1, 4, 4])
    n = 4000
    for rho, share in ((0.0, 0.5), (1.0, 0.8), (2.0, 16 / 17), (-1.0, 0.2)):
        uv = polarity_samples(arr, arr.affine, n, rho=rho)
        assert np.abs(uv).max() <= 1
        assert abs((uv[:, 0] < 0).mean() - share) < 4 * np.sqrt(share * (1 - share) / n)
        left = uv[uv[:, 0] < 0]
        assert np.abs(left.mean(0) - [-0.5, 0.0]).max() < 4 * np.sqrt(1 / 3 / len(left))
    flat = sv.arrange(
        sv.load_program(with_biases([[[1.0, 0.0]], [[1.0]]], [[0.0], [0.0]])),
        sv.Plane.identity(),
        sv.Window.box(-1, 1, -1, 1),
    )
    with pytest.raises(sv.InputError, match="volume is 0"):
        polarity_samples(flat, flat.affine, 5)
