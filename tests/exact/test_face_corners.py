"""Choices of corners: one for each vertex, nearly as wide as any, and on few faces."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

import splineviz as sv
from splineviz.engine.stage_state import start
from splineviz.exact.face_corners import FaceCorners, corners_at, on_few_faces


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


@pytest.mark.parametrize("n", [3, 5, 8])
def test_sines_are_those_of_the_angles_of_a_regular_polygon(n: int) -> None:
    angles = 2.0 * np.pi * np.arange(n) / n + 0.1
    polygon = np.column_stack([np.cos(angles), np.sin(angles)])
    program = sv.load_program(nn.Linear(2, 1).double(), input_shape=(2,))
    state = start([sv.Plane.identity()], [sv.Window(polygon)], prove=True)
    state.begin(program)
    corners = corners_at(state.face_states(), np.arange(n))
    assert np.array_equal(corners.vertex, np.arange(n)) and not corners.face.any()
    np.testing.assert_allclose(corners.sine, np.sin(2.0 * np.pi / n), rtol=1e-12)


def test_no_vertices() -> None:
    nothing = np.empty(0, np.int64)
    corners = FaceCorners(nothing, nothing, nothing, nothing, np.empty(0))
    assert not len(on_few_faces(corners, nothing, np.empty(0, bool)))
