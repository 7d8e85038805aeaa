"""Planes through points, and points that span none."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import splineviz as sv
from splineviz.errors import InputError


def _frames(seed: int, t: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Two images of single precision, and one between them that was computed in it."""
    a, b = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    return a, (1 - t) * a + t * b, b


@pytest.mark.parametrize("t", [0.5, 0.3, 1e-3, 1.7])
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_points_of_a_line_up_to_single_precision_span_no_plane(t: float, offset: float) -> None:
    for seed in range(5):
        points = [point + offset for point in _frames(seed, t)]
        for given in (points, [point.double().numpy() for point in points], points[::-1]):
            with pytest.raises(InputError, match="lie on one line, up to the rounding of single precision"):
                sv.Plane.through(*given)


def test_thin_planes_of_points_that_are_meant() -> None:
    a, b = (np.random.default_rng(k).normal(size=64) for k in (0, 1))
    thin = sv.Plane.through(a, a + b, a + 0.5 * b + 1e-7 * np.eye(64)[0])  # in double precision
    np.testing.assert_allclose(thin.basis @ thin.basis.T, np.eye(2), atol=1e-12)
    x = a.astype(np.float32)
    near = sv.Plane.through(x, x + np.float32(1e-3) * np.eye(64, dtype=np.float32)[0], x + 0.01)
    assert near.anchors.shape == (3, 2)
    far = np.eye(3, dtype=np.float32) * np.float32(1e30)
    assert sv.Plane.through(*far).dim == 3


@pytest.mark.parametrize("angle", [1.0, 1e-4, 1e-8])
def test_frames_are_orthonormal_to_the_last_bits_however_thin_the_triangle(angle: float) -> None:
    for seed in range(20):
        a, b, c = np.random.default_rng(seed).normal(size=(3, 50))
        basis = sv.Plane.through(a, a + b, a + 0.7 * b + angle * c).basis
        np.testing.assert_allclose(basis @ basis.T, np.eye(2), rtol=0, atol=2.0**-50)


def test_the_hint_leads_to_the_plane_that_is_meant() -> None:
    a, b, c = (point.numpy().ravel() for point in _frames(0, 0.5))
    plane = sv.Plane.at(a, directions=[b - a, a - c + np.float32(1e-3)])
    assert plane.project(a)[1] == 0
