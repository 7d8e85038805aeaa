"""Faces that are too thin for what their corners may be off, against corners that are moved so far."""

from __future__ import annotations

import numpy as np
import pytest

from splineviz.geometry.thin_faces import corners_too_far_off, thin_faces

SIDES = 5


def _faces(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(vertices, offsets, side_vertex) of polygons of very different thickness, each with its own corners."""
    angle = np.sort(rng.uniform(0, 2 * np.pi, (n, SIDES)), axis=1)
    uv = np.stack([np.cos(angle), np.sin(angle) * 10.0 ** rng.uniform(-6, 0, (n, 1))], axis=2)
    return uv.reshape(-1, 2), SIDES * np.arange(n + 1), np.arange(SIDES * n)


def _areas(vertices: np.ndarray) -> np.ndarray:
    x, y = np.moveaxis(vertices.reshape(-1, SIDES, 2), 2, 0)
    areas: np.ndarray = 0.5 * (x * np.roll(y, -1, 1) - y * np.roll(x, -1, 1)).sum(1)
    return areas


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_other_areas_change_by_an_eighth_at_most(rng: np.random.Generator) -> None:
    vertices, offsets, sides = _faces(rng, 300)
    off = 10.0 ** rng.uniform(-9, -2, len(vertices))
    thin = thin_faces(vertices, offsets, sides, np.zeros(300), off)
    assert 30 < len(thin) < 270
    areas, worst = _areas(vertices), np.zeros(300)
    for _ in range(300):
        angle = rng.choice(8, len(vertices)) * np.pi / 4
        moved = vertices + off[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        worst = np.maximum(worst, np.abs(_areas(moved) - areas) / areas)
    sound = np.setdiff1d(np.arange(300), thin)
    assert worst[sound].max() <= 1 / 8 * (1 + 1e-9)
    assert worst[thin].min() > 1 / 100, "the bound is not far from what happens"


def test_without_the_corners_that_are_too_far_off_no_face_is_thin(rng: np.random.Generator) -> None:
    vertices, offsets, sides = _faces(rng, 300)
    off = 10.0 ** rng.uniform(-9, -2, len(vertices))
    far = corners_too_far_off(vertices, offsets, sides, off)
    of_thin = thin_faces(vertices, offsets, sides, np.zeros(300), off)
    assert 0 < len(far) < SIDES * len(of_thin)
    off[far] = 0.0
    assert not len(thin_faces(vertices, offsets, sides, np.zeros(300), off))


def test_no_area_is_thin_whatever_its_corners_are_off() -> None:
    flat = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    faces = np.array([0, 3]), np.array([0, 1, 2])
    assert thin_faces(flat, *faces, np.zeros(1), np.zeros(3)).tolist() == [0]
    assert corners_too_far_off(flat, *faces, np.zeros(3)).tolist() == [0, 1, 2]
