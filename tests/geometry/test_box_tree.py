from __future__ import annotations

import numpy as np

from splineviz.geometry.box_tree import box_tree, in_strips_of_tree
from splineviz.geometry.point_location import polygon_boxes


def test_a_node_holds_its_children_and_each_thing_is_there_once() -> None:
    rng = np.random.default_rng(0)
    low = rng.random((1000, 2))
    high, window = low + 0.01 * rng.random((1000, 2)), rng.integers(0, 3, 1000)
    tree = box_tree(low, high, window)
    np.testing.assert_array_equal(np.sort(tree.things), np.arange(1000))
    np.testing.assert_array_equal(tree.boxes[:1000, [0, 1, 3, 4]], np.hstack([low, high])[tree.things])
    for node, (start, end) in enumerate(zip(tree.first_child, tree.first_child[1:], strict=False), 1000):
        children = tree.boxes[start:end]
        assert 0 < len(children) <= 8
        np.testing.assert_array_equal(tree.boxes[node, :3], children[:, :3].min(0))
        np.testing.assert_array_equal(tree.boxes[node, 3:], children[:, 3:].max(0))


def test_points_in_order_are_near_each_other() -> None:
    """Every point is there once, by window; and steps are a twentieth of those in random order."""
    rng = np.random.default_rng(1)
    low, points = rng.random((500, 2)), rng.random((20_000, 2))
    tree = box_tree(low, low + 0.01, np.repeat([0, 1], 250))
    points[:3] = [[np.nan, 0.5], [np.inf, -np.inf], [-1e300, 7.0]]
    window = rng.integers(0, 2, 20_000)
    order = in_strips_of_tree(points, window, tree)
    np.testing.assert_array_equal(np.sort(order), np.arange(20_000))
    assert (np.diff(window[order]) >= 0).all()

    def step(places: np.ndarray) -> float:
        usual = places[(np.abs(places) <= 1).all(1)]
        return float(np.median(np.abs(np.diff(usual, axis=0)).sum(1)))

    assert step(points[order]) < step(points) / 20


def test_nothing_has_any_order() -> None:
    nothing = box_tree(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0, np.int64))
    assert in_strips_of_tree(np.zeros((3, 2)), np.zeros(3, np.int64), nothing).tolist() == [0, 1, 2]
    one = box_tree(np.zeros((1, 2)), np.zeros((1, 2)), np.zeros(1, np.int64))
    assert in_strips_of_tree(np.zeros((0, 2)), np.zeros(0, np.int64), one).tolist() == []
    assert sorted(in_strips_of_tree(np.zeros((2, 2)), np.zeros(2, np.int64), one).tolist()) == [0, 1]


def test_boxes_of_polygons() -> None:
    rng = np.random.default_rng(2)
    vertices, lengths = rng.normal(size=(50, 2)), rng.integers(1, 7, 40)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    corners = rng.integers(0, 50, offsets[-1])
    low, high = polygon_boxes(vertices, offsets, corners)
    rows = np.split(vertices[corners], offsets[1:-1])
    np.testing.assert_array_equal(low, [row.min(0) for row in rows])
    np.testing.assert_array_equal(high, [row.max(0) for row in rows])
