from __future__ import annotations

import numpy as np
import pytest
import shapely
from torch import nn

import splineviz as sv
from splineviz.arrangement.locate import distance, locate
from splineviz.arrangement.result import Arrangement
from tests.arrangement.hand_made import linear, program_of, random_mlp

BOX = sv.Window.box(-1, 1, -1, 1)


@pytest.fixture(scope="module")
def arr() -> Arrangement:
    return sv.arrange(random_mlp(2, 16, 16, 3), sv.Plane.identity(), BOX)


def _lowest_cell_at_vertices(arr: Arrangement) -> np.ndarray:
    lowest = np.full(arr.n_vertices, arr.n_cells)
    np.minimum.at(lowest, arr.cells.values, arr.cells.row_of)
    return lowest


def test_interior_points_lie_in_their_cells(arr: Arrangement) -> None:
    np.testing.assert_array_equal(locate(arr, arr.interior_points), np.arange(arr.n_cells))


def test_a_vertex_belongs_to_the_lowest_cell_round_it(arr: Arrangement) -> None:
    np.testing.assert_array_equal(locate(arr, arr.vertices), _lowest_cell_at_vertices(arr))


def test_every_point_of_the_window_has_a_cell(arr: Arrangement) -> None:
    """Points in and next to the midpoints of edges, where half-planes of rounded cells leave gaps."""
    middle = arr.vertices[arr.edges].mean(1)
    near = np.concatenate([np.nextafter(middle, s) for s in (-2.0, 2.0)])
    for points in (middle, near[(np.abs(near) <= 1).all(1)]):
        assert (locate(arr, points) >= 0).all()
    inner = (arr.edge_cells >= 0).all(1)
    found = locate(arr, middle)
    assert ((found == arr.edge_cells[:, 0]) | (found == arr.edge_cells[:, 1]))[inner].all()


def test_ties_are_exact() -> None:
    """One step of float64 decides on which side of a slanted edge a point lies."""
    arr = sv.arrange(program_of(linear([[1.0, -1.0]]), nn.ReLU()), sv.Plane.identity(), BOX)
    on = np.linspace(-0.9, 0.9, 37)
    right = int(locate(arr, [0.5, -0.5]))
    np.testing.assert_array_equal(locate(arr, np.column_stack([on, on])), 0)
    np.testing.assert_array_equal(locate(arr, np.column_stack([np.nextafter(on, 2), on])), right)
    np.testing.assert_array_equal(locate(arr, np.column_stack([np.nextafter(on, -2), on])), 1 - right)


def test_outside_is_minus_one(arr: Arrangement) -> None:
    outside = [
        [np.nextafter(1.0, 2), 0.0],
        [0.0, np.nextafter(-1.0, -2)],
        [5.0, 5.0],
        [np.nan, 0.0],
        [np.inf, 0.0],
    ]
    assert locate(arr, outside).tolist() == [-1] * 5
    assert (locate(arr, [[1.0, 1.0], [-1.0, 0.3], [0.2, -1.0]]) >= 0).all()


def test_shapes_of_points(arr: Arrangement) -> None:
    assert locate(arr, [0.1, 0.2]).shape == ()
    assert locate(arr, np.zeros((3, 4, 2))).shape == (3, 4)
    assert locate(arr, np.zeros((0, 2))).shape == (0,)
    with pytest.raises(sv.InputError, match=r"shape \(..., 2\), got \(3,\)"):
        locate(arr, [1.0, 2.0, 3.0])


def test_random_points_against_shapely(arr: Arrangement) -> None:
    points = np.random.default_rng(0).uniform(-1, 1, (500, 2))
    polygons = [shapely.Polygon(arr.vertices[row]) for row in arr.cells]
    point, cell = shapely.STRtree(polygons).query(shapely.points(points), predicate="within")
    found = locate(arr, points)
    np.testing.assert_array_equal(found[point], cell)


def test_windows_are_looked_up_apart() -> None:
    program = random_mlp(4, 8, 2)
    planes = [sv.Plane.at(np.full(4, 0.5 * i), seed=i) for i in range(3)]
    arr = sv.arrange(
        program, planes, [sv.Window.diamond(1.0), sv.Window.diamond(2.0), sv.Window.box(1, 2, 1, 2)]
    )
    np.testing.assert_array_equal(locate(arr, arr.interior_points, arr.cell_window), np.arange(arr.n_cells))
    assert arr.cell_window[locate(arr, [0.1, 0.1], 1)] == 1
    assert locate(arr, [0.1, 0.1], 2) == -1
    with pytest.raises(sv.InputError, match=r"has 3 windows(.|\n)*window=INDEX"):
        locate(arr, [0.1, 0.1])
    with pytest.raises(sv.InputError, match="index from 0 to 2, got 3"):
        locate(arr, [0.1, 0.1], 3)
    with pytest.raises(sv.InputError, match="one for each of the points"):
        locate(arr, [[0.1, 0.1]], np.array([0, 1]))


def test_distance_to_one_edge_and_one_boundary() -> None:
    """The edge is x + y = 0, the boundary 2 relu(x + y) = 1; the rim is nearer than both and no edge."""
    arr = sv.arrange(
        program_of(linear([[1.0, 1.0]]), nn.ReLU(), linear([[2.0]], [-1.0])), sv.Plane.identity(), BOX
    )
    to_edge, to_boundary = distance(arr, arr.affine, [[0.75, 0.75], [-1.0, -0.9], [0.0, 0.0]])
    np.testing.assert_allclose(to_edge, np.array([1.5, 1.9, 0.0]) / np.sqrt(2), atol=1e-15)
    np.testing.assert_allclose(to_boundary, np.array([1.0, 2.4, 0.5]) / np.sqrt(2), atol=1e-15)
    _, to_level = distance(arr, arr.affine, [[0.75, 0.75]], level=1.0)
    np.testing.assert_allclose(to_level, [0.5 / np.sqrt(2)], atol=1e-15)


def test_distance_without_edges_is_infinite() -> None:
    arr = sv.arrange(program_of(linear([[1.0, 1.0]], [9.0])), sv.Plane.identity(), BOX)
    to_edge, to_boundary = distance(arr, arr.affine, [0.2, 0.3])
    assert to_edge == np.inf and to_boundary == np.inf


def test_distance_is_the_least_over_all_edges(arr: Arrangement) -> None:
    points = np.random.default_rng(1).uniform(-1.2, 1.2, (50, 2))
    inner = (arr.edge_cells >= 0).all(1)
    a, b = arr.vertices[arr.edges[inner]].transpose(1, 0, 2)
    t = np.clip(((points[:, None] - a) * (b - a)).sum(-1) / ((b - a) ** 2).sum(-1), 0, 1)
    expected = np.linalg.norm(points[:, None] - a - t[..., None] * (b - a), axis=-1).min(1)
    np.testing.assert_allclose(distance(arr, arr.affine, points)[0], expected, atol=1e-15)
    with pytest.raises(sv.InputError, match="NaN or infinite"):
        distance(arr, arr.affine, [np.nan, 0.0])


def test_distance_keeps_to_its_window() -> None:
    program = program_of(linear([[1.0, 0.0]]), nn.ReLU(), linear([[1.0]], [-0.25]))
    arr = sv.arrange(program, [sv.Plane.identity()] * 2, [BOX, sv.Window.box(0.5, 1, 0.5, 1)])
    to_edge, to_boundary = distance(arr, arr.affine, [[0.75, 0.75], [0.75, 0.75]], np.array([0, 1]))
    np.testing.assert_array_equal(to_edge, [0.75, np.inf])
    np.testing.assert_array_equal(to_boundary, [0.5, np.inf])
