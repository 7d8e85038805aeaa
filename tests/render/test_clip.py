"""The valid range of inputs on a plane, against sampling and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from splineviz.errors import InputError
from splineviz.plane import Plane, Window
from splineviz.render.clip import clip_half_plane, valid_polygon
from splineviz.render.overlay import in_window, nice_length


@pytest.mark.parametrize("seed", range(6))
def test_valid_polygon_agrees_with_samples(seed):
    rng = np.random.default_rng(seed)
    plane = Plane.through(*rng.random((3, 40)))
    window = Window.around(plane, 1.0)
    valid = shapely.Polygon(valid_polygon(plane, window, 0.0, 1.0))
    x0, x1, y0, y1 = window.bounds
    uv = rng.uniform([x0, y0], [x1, y1], (4000, 2))
    x = plane.lift(uv)
    inside = ((x >= 0) & (x <= 1)).all(1)
    near = shapely.distance(shapely.boundary(valid), shapely.points(uv)) < 1e-7
    assert np.array_equal(shapely.contains_xy(valid, *uv.T)[~near], inside[~near])
    assert 0 < inside.mean() < 1


def test_each_coordinate_may_have_its_own_bounds():
    rng = np.random.default_rng(3)
    plane = Plane.through(*rng.random((3, 3, 2, 5)))
    window = Window.around(plane, 1.0)
    low, high = np.array([0.0, -0.2, 0.1]).reshape(3, 1, 1), np.array([1.0, 0.8, 2.0]).reshape(3, 1, 1)
    valid = shapely.Polygon(valid_polygon(plane, window, low, high))
    x0, x1, y0, y1 = window.bounds
    uv = rng.uniform([x0, y0], [x1, y1], (4000, 2))
    x = plane.lift(uv)
    inside = ((x >= low) & (x <= high)).all((1, 2, 3))
    near = shapely.distance(shapely.boundary(valid), shapely.points(uv)) < 1e-7
    assert np.array_equal(shapely.contains_xy(valid, *uv.T)[~near], inside[~near])
    assert 0 < inside.mean() < 1


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        (1.0, 0.0, r"low < high, got \(1, 0\)"),
        (0.0, np.inf, "finite"),
        (np.zeros((3, 1)), np.array([[1.0], [1.0], [0.0]]), "low < high for every input coordinate"),
        (np.zeros(7), 1.0, r"broadcast to the input shape \(3, 2\), got shapes \(7,\) and \(\)"),
    ],
    ids=["empty", "infinite", "one empty", "shape"],
)
def test_bad_bounds_are_refused(low, high, message):
    plane = Plane.through(*np.random.default_rng(0).random((3, 3, 2)))
    with pytest.raises(InputError, match=message):
        valid_polygon(plane, Window.around(plane), low, high)


def test_anchors_on_the_bounds_are_valid():
    """Pixels that are 0 or 1 at all three anchors are constant on the plane only up to rounding."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 2, (3, 784)).astype(float)
    images[:, ::2] = images[0, ::2]
    plane = Plane.through(*images)
    valid = shapely.Polygon(valid_polygon(plane, Window.around(plane), 0.0, 1.0))
    assert valid.buffer(1e-6).covers(shapely.MultiPoint(plane.anchors))
    assert valid.area == pytest.approx(shapely.Polygon(plane.anchors).area, rel=1e-6)


def test_nothing_is_valid():
    plane = Plane.through(np.full(3, 5.0), [6.0, 5.0, 5.0], [5.0, 6.0, 5.0])
    assert valid_polygon(plane, Window.box(-1, 1, -1, 1), 0.0, 1.0).shape == (0, 2)


def test_the_whole_window_is_valid():
    window = Window.diamond(0.25)
    plane = Plane.through([0.5, 0.5, 0.5], [0.6, 0.5, 0.5], [0.5, 0.6, 0.5])
    assert np.array_equal(valid_polygon(plane, window, 0.0, 1.0), window.vertices)


def test_clip_through_corners_makes_no_double_corner():
    square = Window.box(0, 1, 0, 1).vertices
    assert clip_half_plane(square, square[:, 0] - square[:, 1]).tolist() == [[0, 0], [1, 0], [1, 1]]


def test_in_window_takes_the_rim():
    uv = np.array([[0.5, 0.5], [1.0, 0.0], [0.51, 0.5], [-0.2, 0.3]])
    assert in_window(uv, Window.diamond(1.0)).tolist() == [True, True, False, True]


@pytest.mark.parametrize(
    ("target", "length"), [(0.99, 0.5), (1.0, 1.0), (4.9, 2.0), (5.0, 5.0), (730.0, 500.0), (2.1e-4, 2e-4)]
)
def test_nice_length(target, length):
    assert nice_length(target) == length
