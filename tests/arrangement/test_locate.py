from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

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


def _lowest_by_fractions(arr: Arrangement, points: np.ndarray, windows: np.ndarray) -> list[int]:
    """Every cell is tried in rational arithmetic: the parity of its sides to the right of the point."""
    corners = [[tuple(map(Fraction, arr.vertices[v].tolist())) for v in row] for row in arr.cells]
    found = []
    for point, window in zip(points.tolist(), windows.tolist(), strict=True):
        x, y = map(Fraction, point)
        cells = (cell for cell in range(arr.n_cells) if arr.cell_window[cell] == window)
        found.append(next((cell for cell in cells if _holds(corners[cell], x, y)), -1))
    return found


def _holds(polygon: list[tuple[Fraction, ...]], x: Fraction, y: Fraction) -> bool:
    odd = False
    for (ax, ay), (bx, by) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        turn = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        if turn == 0 and min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by):
            return True
        if (ay > y) != (by > y):
            odd ^= (turn > 0) == (by > ay)
    return odd


def _near(arr: Arrangement) -> tuple[np.ndarray, np.ndarray]:
    """Vertices, midpoints of edges, and points some steps of float64 beside them; and their windows."""
    on = np.concatenate([arr.vertices, arr.vertices[arr.edges].mean(1)])
    owner = arr.edge_cells.max(1)
    of_vertex = np.empty(arr.n_vertices, dtype=np.int64)
    of_vertex[arr.edges.ravel()] = np.repeat(arr.cell_window[owner], 2)
    window = np.concatenate([of_vertex, arr.cell_window[owner]])
    pick = np.random.default_rng(0).permutation(len(on))[:60]
    return np.concatenate([np.nextafter(on[pick], s) for s in (on[pick], -np.inf, np.inf)]), np.tile(
        window[pick], 3
    )


@pytest.mark.parametrize(
    "window",
    [
        sv.Window.box(-1, 1, -1, 1),
        sv.Window.box(1e6, 1e6 + 3, -1e6, -1e6 + 3),
        sv.Window.box(-1e-9, 2e-9, 1e-9, 4e-9),
        sv.Window.box(-1e-152, 1e-152, -1e-152, 1e-152),
    ],
    ids=["of size 1", "far off", "tiny", "whose products underflow"],
)
def test_points_next_to_edges_against_fractions(window: sv.Window) -> None:
    """Four slanted lines and an axis through the middle of the window, in which many products vanish."""
    x0, x1, y0, y1 = window.bounds
    middle, size = np.array([x0 + x1, y0 + y1]) / 2, x1 - x0
    weight = np.array([[1.0, 2.0], [1.0, -3.0], [0.5, 0.25], [-1.0, 1.0], [0.0, 1.0]])
    offset = -weight @ (middle + 0.1 * size * np.array([[1, 1], [-1, 0], [0, 2], [1, -1], [0, 0]]))[..., None]
    layer = linear(weight.tolist(), offset[:, :, 0].diagonal().tolist())
    arr = sv.arrange(program_of(layer, nn.ReLU()), sv.Plane.identity(), window)
    assert arr.n_cells > 8
    points, windows = _near(arr)
    assert locate(arr, points).tolist() == _lowest_by_fractions(arr, points, windows)


def test_cells_of_very_different_sizes_against_fractions() -> None:
    """Twelve lines through a square of 1e-9 in a window of 2."""
    rng = np.random.default_rng(3)
    weight, offset = rng.normal(size=(12, 2)), 1e-9 * rng.normal(size=12)
    arr = sv.arrange(
        program_of(linear(weight.tolist(), offset.tolist()), nn.ReLU()), sv.Plane.identity(), BOX
    )
    assert arr.areas.min() < 1e-18
    points, windows = _near(arr)
    assert locate(arr, points).tolist() == _lowest_by_fractions(arr, points, windows)
    np.testing.assert_array_equal(locate(arr, arr.interior_points), np.arange(arr.n_cells))


def test_what_a_budget_left_out_has_no_cell() -> None:
    arr = sv.arrange(random_mlp(2, 16, 16, 3), sv.Plane.identity(), BOX, max_cells=60)
    assert arr.status is not sv.Status.COMPLETE
    points = np.random.default_rng(0).uniform(-1, 1, (100, 2))
    windows = np.zeros(len(points), dtype=np.int64)
    assert locate(arr, points).tolist() == _lowest_by_fractions(arr, points, windows)


def test_many_windows_in_one_call() -> None:
    """A hundred windows over the same uv, some of them without a kink."""
    planes = [sv.Plane.at(np.full(4, 0.1 * i), seed=i) for i in range(100)]
    arr = sv.arrange(random_mlp(4, 8, 2), planes, [sv.Window.diamond(0.01 * (1 + i)) for i in range(100)])
    windows = np.random.default_rng(0).integers(0, 100, 200)
    points = np.random.default_rng(1).uniform(-0.5, 0.5, (200, 2))
    found = locate(arr, points, windows)
    assert found.tolist() == _lowest_by_fractions(arr, points, windows)
    inner = (arr.edge_cells >= 0).all(1)
    owner = np.where(inner, arr.cell_window[arr.edge_cells[:, 0]], -1)
    expected = [
        shapely.MultiLineString(list(arr.vertices[arr.edges[owner == w]])).distance(shapely.Point(p))
        if (owner == w).any()
        else np.inf
        for p, w in zip(points, windows, strict=True)
    ]
    np.testing.assert_allclose(distance(arr, arr.affine, points, windows)[0], expected, atol=1e-15)


def test_one_arrangement_asked_by_several_threads() -> None:
    arr = sv.arrange(random_mlp(2, 16, 16, 3), sv.Plane.identity(), BOX)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: locate(arr, arr.interior_points), range(8)))
    assert all((found == np.arange(arr.n_cells)).all() for found in answers)


def test_distance_is_told_far_from_the_origin_and_for_tiny_windows() -> None:
    """The edge is u = v of a corner of the window; of a point s along u and 0 along v it is s / sqrt 2 away."""
    for corner, size in (([1e6, -2e6], 1.0), ([0.5, 0.25], 2.0**-30), ([0.0, 0.0], 1e-152)):
        x, y = corner
        layer = linear([[1.0, -1.0]], [y - x])
        window = sv.Window.box(x, x + size, y, y + size)
        arr = sv.arrange(program_of(layer, nn.ReLU()), sv.Plane.identity(), window)
        shares = np.array([0.25, 0.5, 0.875])
        points = np.column_stack([x + size * shares, np.full(3, y)])
        to_edge, _ = distance(arr, arr.affine, points)
        np.testing.assert_allclose(to_edge, size * shares / np.sqrt(2), rtol=1e-9)
