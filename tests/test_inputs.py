"""Points in another shape than a network takes: what is the same, what is turned, what is refused."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.inputs import as_inputs


@pytest.mark.parametrize(
    ("shape", "input_shape"),
    [
        ((12,), (12,)),
        ((12,), (3, 2, 2)),
        ((3, 2, 2), (12,)),
        ((1, 12), (3, 2, 2)),
        ((4, 5), (1, 4, 5)),
        ((1, 4, 5), (4, 5)),
        ((4, 5, 1), (1, 4, 5)),
        ((3, 4, 5), (3, 4, 5)),
        ((3, 3, 3), (3, 3, 3)),
        ((1, 3, 4, 5), (3, 4, 5)),
    ],
)
def test_the_same_layout(shape: tuple[int, ...], input_shape: tuple[int, ...]) -> None:
    points = np.arange(2.0 * np.prod(shape)).reshape(2, *shape)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for given in (points, torch.from_numpy(points)):
            found = as_inputs(given, input_shape)
            assert tuple(found.shape) == (2, *input_shape)
            np.testing.assert_array_equal(np.asarray(found).ravel(), points.ravel())


@pytest.mark.parametrize(
    ("shape", "input_shape", "axes"),
    [
        ((4, 5, 3), (3, 4, 5), (0, 3, 1, 2)),
        ((4, 4, 3), (3, 4, 4), (0, 3, 1, 2)),
        ((3, 4, 5), (4, 5, 3), (0, 2, 3, 1)),
        ((1, 4, 4, 3), (3, 4, 4), (0, 4, 1, 2, 3)),
    ],
)
def test_channels_are_moved(
    shape: tuple[int, ...], input_shape: tuple[int, ...], axes: tuple[int, ...]
) -> None:
    points = np.random.default_rng(0).standard_normal((2, *shape))
    wanted = points.transpose(axes).reshape(2, *input_shape)
    for given in (points, torch.from_numpy(points)):
        with pytest.warns(UserWarning, match="their channels are (last|first), and are moved"):
            found = as_inputs(given, input_shape)
        np.testing.assert_array_equal(np.asarray(found), wanted)


@pytest.mark.parametrize(
    ("shape", "input_shape", "reason"),
    [
        ((2, 5), (3, 2, 2), "10 values; the network takes .* 12 values"),
        ((2, 6), (3, 4), "which axis is which"),
        ((4, 3), (3, 4), "which axis is which"),
        ((5, 4, 3), (3, 4, 5), "which axis is which"),
        ((4, 15), (3, 4, 5), "which axis is which"),
    ],
)
def test_what_cannot_be_told(shape: tuple[int, ...], input_shape: tuple[int, ...], reason: str) -> None:
    with pytest.raises(sv.InputError, match=reason):
        as_inputs(np.zeros((1, *shape)), input_shape)


def pictures() -> tuple[nn.Module, np.ndarray]:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(36, 3)).eval()
    return net, np.random.default_rng(1).random((3, 3, 8, 8))


def test_everything_that_takes_points_takes_them_in_both_layouts() -> None:
    net, first = pictures()
    last, program = first.transpose(0, 2, 3, 1), sv.load_program(net, input_shape=(3, 8, 8))
    plane, window = sv.Plane.through(*first), sv.Window.box(0, 1, 0, 1)
    with pytest.warns(UserWarning, match="channels are last"):
        turned = sv.arrange(program, sv.Plane.through(*last), window)
    assert turned.n_cells == sv.arrange(program, plane, window).n_cells > 5
    assert turned.planes[0].input_shape == (3, 8, 8)
    with pytest.warns(UserWarning, match="channels are last"):
        assert sv.slice(program, last).n_cells == sv.slice(program, first).n_cells
    with pytest.warns(UserWarning, match="channels are last"):
        found = sv.local_complexity(program, last, radius=0.1, directions=4)
    np.testing.assert_array_equal(
        found.counts, sv.local_complexity(program, first, radius=0.1, directions=4).counts
    )
    with pytest.warns(UserWarning, match="channels are last"):
        walk = sv.segment(program, last[0], last[1])
    np.testing.assert_array_equal(walk.knots, sv.segment(program, first[0], first[1]).knots)
    flat = first.reshape(3, -1)
    assert sv.arrange(program, sv.Plane.through(*flat), window).n_cells == turned.n_cells
    np.testing.assert_array_equal(walk.knots, sv.segment(program, flat[0], flat[1]).knots)


def test_a_plane_in_a_layout_that_cannot_be_told_is_refused() -> None:
    net, first = pictures()
    program = sv.load_program(net, input_shape=(3, 8, 8))
    with pytest.raises(sv.InputError, match="which axis is which"):
        sv.arrange(program, sv.Plane.through(*first.reshape(3, 24, 8)), sv.Window.box(0, 1, 0, 1))
