"""Pixels show the polygon that their middle lies in."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from splineviz.arrangement import raster as scan
from splineviz.arrangement.raster import Polygons, raster
from splineviz.arrangement.result import Arrangement
from splineviz.geometry.csr import Csr
from splineviz.render.mean_colors import mean_colors
from tests.render.samples import images_slice, two_windows

N = 50
BOUNDS = (0.0, float(N), 0.0, float(N))


def squares() -> tuple[np.ndarray, Csr]:
    """N x N unit squares, row by row from below."""
    y, x = np.divmod(np.arange(N * N), N)
    corner = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    corners = np.stack([x, y], -1)[:, None] + corner
    return corners.reshape(-1, 2).astype(float), Csr(4 * np.arange(N * N + 1), np.arange(4 * N * N))


def middles(bounds: tuple[float, float, float, float], shape: tuple[int, int]) -> np.ndarray:
    """(rows, columns, 2) middles of pixels, the upper row first."""
    (u0, u1, v0, v1), (rows, columns) = bounds, shape
    u = u0 + (np.arange(columns) + 0.5) * (u1 - u0) / columns
    v = v1 - (np.arange(rows) + 0.5) * (v1 - v0) / rows
    return np.stack(np.broadcast_arrays(u, v[:, None]), -1)


def shown_of(arr: Arrangement, window: int) -> Polygons:
    return Polygons(arr.vertices, arr.cells, np.flatnonzero(arr.cell_window == window))


@pytest.mark.parametrize("pixels", [1, 3, 8])
def test_some_squares_in_groups(pixels: int) -> None:
    rows = np.random.default_rng(0).permutation(N * N)[: N * N // 2]
    groups = np.random.default_rng(1).integers(0, 700, len(rows))
    expected = np.full(N * N, -1)
    expected[rows] = groups
    found = raster(Polygons(*squares(), rows), groups, BOUNDS, (pixels * N, pixels * N))
    expected = np.kron(expected.reshape(N, N)[::-1], np.ones((pixels, pixels), dtype=int))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("window", [0, 1])
def test_every_pixel_has_the_cell_of_its_middle(window: int) -> None:
    arr = two_windows()
    u0, u1, v0, v1 = arr.windows[window].bounds
    bounds, shape = (u0 - 0.31, u1 - 0.2, v0 + 0.13, v1 + 0.4), (173, 211)
    polygons = shown_of(arr, window)
    found = raster(polygons, polygons.rows, bounds, shape)
    points = middles(bounds, shape)
    tree = shapely.STRtree(arr.to_shapely()[polygons.rows])
    pixel, place = tree.query(shapely.points(points.reshape(-1, 2)), predicate="within")
    expected = np.full(shape, -1)
    expected.ravel()[pixel] = polygons.rows[place]
    np.testing.assert_array_equal(found, expected)
    assert (found < 0).any() and len(np.unique(found)) > len(polygons.rows) // 2


def test_no_gap_opens_where_vertices_lie_at_middles_of_pixels() -> None:
    """Four triangles whose sides run through middles: each pixel inside still has one polygon."""
    vertices = np.array([[0, 0], [4, 0], [4, 4], [0, 4], [2, 2]], dtype=float) + 0.5
    corners = Csr(np.array([0, 3, 6, 9, 12]), np.array([0, 1, 4, 1, 2, 4, 2, 3, 4, 3, 0, 4]))
    polygons = Polygons(vertices, corners, np.arange(4))
    found = raster(polygons, polygons.rows, (0.0, 5.0, 0.0, 5.0), (5, 5))
    assert (found[1:, :4] >= 0).all() and set(found.ravel().tolist()) == {-1, 0, 1, 2, 3}


def test_it_does_not_matter_how_many_are_worked_on_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    arr = images_slice()
    asked = shown_of(arr, 0), arr.windows[0].bounds, (90, 70)
    colors = np.random.default_rng(0).integers(0, 256, (arr.n_cells, 3), dtype=np.uint8)
    whole = raster(asked[0], asked[0].rows, *asked[1:]), mean_colors(asked[0], colors, *asked[1:])
    monkeypatch.setattr(scan, "_CELLS", 7)
    monkeypatch.setattr(scan, "_CROSSINGS", 5)
    np.testing.assert_array_equal(raster(asked[0], asked[0].rows, *asked[1:]), whole[0])
    assert np.abs(mean_colors(asked[0], colors, *asked[1:]).astype(int) - whole[1]).max() <= 1


def test_where_polygons_overlap_there_is_none() -> None:
    vertices = np.array([[0, 0], [2, 0], [2, 2], [0, 2], [1, 0], [3, 0], [3, 2], [1, 2]], dtype=float)
    polygons = Polygons(vertices, Csr(np.array([0, 4, 8]), np.arange(8)), np.arange(2))
    assert raster(polygons, np.array([4, 9]), (0.0, 4.0, 0.0, 2.0), (1, 4)).tolist() == [[4, -1, 9, -1]]


def test_no_polygons() -> None:
    none = Polygons(*squares(), np.zeros(0, dtype=np.int64))
    assert (raster(none, none.rows, BOUNDS, (10, 10)) == -1).all()
    assert not mean_colors(none, np.zeros((0, 3), dtype=np.uint8), BOUNDS, (10, 10)).any()
