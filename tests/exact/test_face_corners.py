"""Choices of corners: one for each vertex, nearly as wide as any, and on few faces."""

from __future__ import annotations

import numpy as np

from splineviz.exact.face_corners import FaceCorners, on_few_faces


def _on_a_grid(n: int) -> FaceCorners:
    """The corners of n x n squares at their inner vertices, all equally wide."""
    at = np.stack(np.meshgrid(np.arange(1, n), np.arange(1, n), indexing="ij"), axis=-1).reshape(-1, 1, 2)
    square = at - np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    vertex = np.repeat(np.arange(len(at)), 4)
    face = (square @ [n, 1]).reshape(-1)
    return FaceCorners(vertex, face, face, face, np.ones(len(face)))


def test_a_face_serves_several_vertices() -> None:
    corners = _on_a_grid(40)
    rows = on_few_faces(corners, corners.face, np.zeros(len(corners.face), bool))
    assert np.array_equal(np.sort(corners.vertex[rows]), np.arange(39 * 39))
    assert len(np.unique(corners.face[rows])) < 1.6 * 39 * 39 / 4


def test_faces_whose_maps_are_known_come_first() -> None:
    corners = _on_a_grid(20)
    known = corners.face % 3 == 0
    chosen = corners.face[on_few_faces(corners, corners.face, known)]
    reached = np.unique(corners.vertex[known])
    assert (chosen % 3 == 0).sum() == len(reached)


def test_acute_corners_are_left_out() -> None:
    corners = _on_a_grid(20)
    sine = np.random.default_rng(0).uniform(0.01, 1.0, len(corners.face))
    rows = on_few_faces(corners._replace(sine=sine), corners.face, np.zeros(len(sine), bool))
    widest = sine.reshape(-1, 4).max(1)
    assert (2.0 * sine[rows] >= widest[corners.vertex[rows]]).all()


def test_no_vertices() -> None:
    nothing = np.empty(0, np.int64)
    corners = FaceCorners(nothing, nothing, nothing, nothing, np.empty(0))
    assert not len(on_few_faces(corners, nothing, np.empty(0, bool)))
