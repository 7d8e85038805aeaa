"""Pixels bear the number of the polygon, or of the group of polygons, that their middle lies in."""

from __future__ import annotations

import numpy as np
import pytest

from splineviz.geometry.csr import Csr
from splineviz.render.raster import OVERLAP, number_colors, raster
from splineviz.render.shapes import compound_polygons, polygon_collections

N = 50
BOUNDS = (0.0, float(N), 0.0, float(N))


def squares() -> tuple[np.ndarray, Csr]:
    """N x N unit squares, row by row from below."""
    y, x = np.divmod(np.arange(N * N), N)
    corner = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    corners = np.stack([x, y], -1)[:, None] + corner
    return corners.reshape(-1, 2).astype(float), Csr(4 * np.arange(N * N + 1), np.arange(4 * N * N))


def middles(shown: np.ndarray) -> np.ndarray:
    """Numbers at the middle of each square, in the order of the squares."""
    return shown[::-1][4::8, 4::8].ravel()


@pytest.mark.parametrize("n_groups", [1, 3, 700])
def test_groups_of_polygons(n_groups: int) -> None:
    vertices, polygons = squares()
    rows = np.random.default_rng(0).permutation(N * N)
    groups = np.random.default_rng(1).integers(0, n_groups, N * N)
    colors = number_colors(np.arange(n_groups))
    shapes = compound_polygons(vertices, polygons, rows, groups[rows], colors, overlap=OVERLAP)
    assert len(shapes.get_paths()) <= n_groups + 1
    np.testing.assert_array_equal(middles(raster([shapes], BOUNDS, 8 * N)), groups)


def test_some_of_the_polygons_one_by_one_and_in_groups() -> None:
    vertices, polygons = squares()
    rows = np.flatnonzero(np.arange(N * N) % 3 == 0)
    expected = np.where(np.arange(N * N) % 3 == 0, np.arange(N * N), -1)
    apart = polygon_collections(vertices, polygons, rows, number_colors(rows), overlap=OVERLAP)
    joined = compound_polygons(
        vertices, polygons, rows, rows, number_colors(np.arange(N * N)), overlap=OVERLAP
    )
    for shapes in (apart, [joined]):
        np.testing.assert_array_equal(middles(raster(shapes, BOUNDS, 8 * N)), expected)


def test_no_polygons() -> None:
    vertices, polygons = squares()
    none = np.zeros(0, dtype=np.int64)
    shapes = compound_polygons(vertices, polygons, none, none, number_colors(np.arange(1)), overlap=OVERLAP)
    assert (raster([shapes], BOUNDS, 10) == -1).all()
