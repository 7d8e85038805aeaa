"""Mean colours of what pixels cover: closed forms, and many samples of each pixel."""

from __future__ import annotations

import numpy as np

from splineviz.arrangement.raster import Polygons, raster
from splineviz.geometry.csr import Csr
from splineviz.render.mean_colors import mean_colors
from tests.arrangement.test_raster import shown_of
from tests.render.samples import two_windows


def test_means_of_bands_are_those_of_their_areas() -> None:
    """Upright bands 0.3 pixels wide: 10 of them in 3 pixels, of which each has its exact share."""
    left = 0.3 * np.arange(10)
    corners = np.stack([np.stack([left, 0 * left], -1), np.stack([left + 0.3, 0 * left], -1)], 1)
    vertices = np.concatenate([corners, corners[:, ::-1] + [0.0, 2.0]], 1).reshape(-1, 2)
    polygons = Polygons(vertices, Csr(4 * np.arange(11), np.arange(40)), np.arange(10))
    rgb = np.zeros((10, 3), dtype=np.uint8)
    rgb[:, 0] = 20 * np.arange(10)
    found = mean_colors(polygons, rgb, (0.0, 4.0, 0.0, 2.0), (2, 4))
    thirds = [0.3 * (0 + 20 + 40) + 0.1 * 60, 0.2 * 60 + 0.3 * (80 + 100) + 0.2 * 120]
    thirds.append(0.1 * 120 + 0.3 * (140 + 160 + 180))
    assert found[0, :, 0].tolist() == [*np.rint(thirds).astype(int).tolist(), 0]
    assert found[..., 3].tolist() == [[255, 255, 255, 0]] * 2


def test_means_are_those_of_many_samples() -> None:
    arr, fine = two_windows(), 16
    polygons, bounds, shape = shown_of(arr, 1), arr.windows[1].bounds, (41, 37)
    rgb = np.random.default_rng(3).integers(0, 256, (len(polygons.rows), 3), dtype=np.uint8)
    found = mean_colors(polygons, rgb, bounds, shape).astype(float)
    samples = raster(polygons, np.arange(len(rgb)), bounds, (fine * shape[0], fine * shape[1]))
    seen = np.concatenate([rgb, np.full((len(rgb), 1), 255)], 1)[samples] * (samples >= 0)[..., None]
    sums = seen.reshape(shape[0], fine, shape[1], fine, 4).mean((1, 3))
    share = sums[..., 3:] / 255
    inside = share[..., 0] > 0.5
    expected = sums[..., :3] / np.maximum(share, 1e-9)
    # four exact lines against 16 x 16 points: where a side is nearly level the two see other lines
    assert np.abs(found[inside][:, :3] - expected[inside]).mean() < 4
    assert np.abs(found[..., 3] - sums[..., 3]).mean() < 4
    assert np.abs(found[inside][:, :3] - expected[inside]).max() < 64
