"""Geometry of the decision boundary and folds of the graph: closed forms, shapely, contours of a grid."""

from __future__ import annotations

import math

import contourpy
import numpy as np
import pytest
import shapely
import torch

import splineviz as sv
from splineviz.measures.folds import _angles
from tests.measures.test_graph import network
from tests.measures.test_regions import arranged, bands
from tests.measures.test_topology import pyramid


def test_two_straight_lines() -> None:
    found = arranged(bands(), -1, 1, -1, 2).measure("boundary")
    assert (found["length"], found["length", "classes 0 and 1"]) == pytest.approx((6.0, 6.0), abs=1e-12)
    assert not len(found.turning)


def test_a_square_turns_by_four_right_angles() -> None:
    found = arranged(pyramid(1.0), -1, 1, -1, 1).measure("boundary")
    assert found["length"] == pytest.approx(4 * math.sqrt(0.5), abs=1e-12)
    np.testing.assert_allclose(found.turning, [90.0] * 4, atol=1e-10)
    assert found["total turning"] == pytest.approx(360.0, abs=1e-9)
    np.testing.assert_allclose(np.sort(np.abs(found.joints).max(1)), [0.5] * 4, atol=1e-12)


def test_margins_are_distances_to_the_square() -> None:
    points = np.array([[0.0, 0.0], [0.5, 0.5], [1.0, 0.0], [0.1, 0.1]])
    found = arranged(pyramid(1.0), -1, 1, -1, 1).measure("boundary", points=points)
    wanted = [math.sqrt(0.125), math.sqrt(0.125), 0.5, 0.3 / math.sqrt(2)]
    np.testing.assert_allclose(found.margins, wanted, atol=1e-12)
    np.testing.assert_allclose(found.nearest[2], [0.5, 0.0], atol=1e-12)
    assert found["least margin", "points"] == pytest.approx(0.3 / math.sqrt(2), abs=1e-12)
    assert not found.off_plane.any()


def test_without_a_boundary_margins_are_infinite() -> None:
    found = arranged(bands(), -0.25, 0.25, -1, 1).measure("boundary", points=np.zeros((2, 2)))
    assert found["length"] == 0
    assert np.isinf(found.margins).all() and np.isnan(found.nearest).all()


@pytest.mark.parametrize("seed", range(3))
def test_length_and_margins_against_shapely_and_a_grid(seed: int) -> None:
    model = network(seed + 30, 10, 10, outputs=1)
    arr = arranged(model, -2, 2, -2, 2)
    points = np.random.default_rng(seed).uniform(-2, 2, (200, 2))
    found = arr.measure("boundary", points=points)
    lines = shapely.MultiLineString(list(arr.decision_boundary()))
    assert found["length"] == pytest.approx(lines.length, rel=1e-12)
    np.testing.assert_allclose(found.margins, shapely.distance(lines, shapely.points(points)), atol=1e-12)
    start, along = arr.decision_boundary()[:, 0], np.diff(arr.decision_boundary(), axis=1)[:, 0]
    share = ((points[:, None] - start) * along).sum(2) / (along**2).sum(1)
    feet = start + np.clip(share, 0, 1)[..., None] * along
    every = np.linalg.norm(points[:, None] - feet, axis=2)
    np.testing.assert_allclose(found.margins, every.min(1), atol=1e-12)
    on = shapely.distance(lines, shapely.points(found.nearest))
    assert np.abs(on).max(initial=0.0) < 1e-12
    ticks = np.linspace(-2, 2, 1501)
    grid = torch.tensor(np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2))
    with torch.no_grad():
        values = model(grid).numpy().reshape(len(ticks), -1)
    drawn = contourpy.contour_generator(ticks, ticks, values).lines(0.0)
    by_grid = sum(np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for line in drawn)
    assert found["length"] == pytest.approx(by_grid, rel=2e-3)


def test_pairs_of_classes_add_up() -> None:
    found = arranged(network(41, 10, 10), -2, 2, -2, 2).measure("boundary")
    pairs = [q.value for q in found.quantities if q.name == "length" and q.of]
    assert sum(pairs) == pytest.approx(found["length"], rel=1e-12)
    assert (found.classes[:, 0] < found.classes[:, 1]).all()
    assert ((found.turning >= 0) & (found.turning <= 180)).all() and len(found.turning)


def test_folds_are_angles_between_normals() -> None:
    random = np.random.default_rng(0)
    g, h = random.normal(size=(2, 50, 3, 2))
    normals = [np.concatenate([-x, np.ones((50, 3, 1))], axis=2) for x in (g, h)]
    n, m = (x / np.linalg.norm(x, axis=2, keepdims=True) for x in normals)
    np.testing.assert_allclose(_angles(g, h), np.degrees(np.arccos((n * m).sum(2))), atol=1e-6)
    tiny = _angles(np.array([1.0, 0.0]), np.array([1.0 + 1e-12, 0.0]))
    assert tiny == pytest.approx(math.degrees(1e-12 / 2), rel=1e-3)


def test_the_roof_of_a_pyramid_folds_alike_at_every_edge() -> None:
    """Slopes (1, 1) and (1, -1): cos = (1 + 1 - 1) / 3."""
    found = arranged(pyramid(1.0), -1, 1, -1, 1).measure("folds")
    np.testing.assert_allclose(found.angles, math.degrees(math.acos(1 / 3)), atol=1e-10)
    assert found.lengths.sum() == pytest.approx(4.0, abs=1e-12)
    assert found["mean fold", "output 0"] == pytest.approx(found["largest fold", "output 0"], abs=1e-10)


def test_one_of_several_windows_is_measured() -> None:
    program = sv.load_program(bands(), input_shape=(2,))
    planes, windows = [sv.Plane.identity()] * 2, [sv.Window.box(-1, 1, 0, 1), sv.Window.box(0, 1, 0, 1)]
    arr = sv.arrange(program, planes, windows)
    assert arr.measure("boundary")["length"] == pytest.approx(3.0, abs=1e-12)
    assert arr.measure("boundary", window=1)["length"] == pytest.approx(1.0, abs=1e-12)
    assert arr.measure("folds", window=1).lengths.sum() <= arr.measure("folds").lengths.sum()
    assert not len(arr.measure("boundary", points=np.zeros((1, 2))).margins)  # of which window is not said
