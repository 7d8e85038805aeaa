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


@pytest.mark.parametrize("exponent", [-1000, -540, -400, 0, 400, 540, 1000])
def test_the_frame_of_points_does_not_depend_on_their_unit(exponent: int) -> None:
    """To the last bit: neither do squares underflow, nor does anything round in another way."""
    points = np.random.default_rng(0).normal(size=(3, 20))
    points[0] = 0.0
    plane, moved = sv.Plane.through(*points), sv.Plane.through(*np.ldexp(points, exponent))
    assert np.array_equal(plane.basis, moved.basis)
    assert np.array_equal(np.ldexp(plane.anchors, exponent), moved.anchors)


@pytest.mark.parametrize("seed", range(5))
def test_the_frame_of_usual_points_is_that_of_the_formula_to_the_last_bit(seed: int) -> None:
    a, b, c = np.random.default_rng(seed).normal(size=(3, 50)) * 10.0 ** np.arange(-100, 100, 4)
    plane = sv.Plane.through(a, b, c)
    u = (b - a) / np.linalg.norm(b - a)
    off = (c - a) - ((c - a) @ u) * u
    off -= (off @ u) * u
    assert np.array_equal(plane.origin, a) and np.array_equal(plane.basis, [u, off / np.linalg.norm(off)])
    assert np.array_equal(plane.anchors[1:, 0], [np.linalg.norm(b - a), (c - a) @ u])


@pytest.mark.parametrize("near", [1e-170, 5e-324])
def test_anchors_whose_distance_squared_is_zero_are_different_points(near: float) -> None:
    plane = sv.Plane.through([0.0, 0.0, 0.0], [near, 0.0, 0.0], [0.0, 2.0, 0.0])
    assert np.array_equal(plane.basis, np.eye(3)[:2])
    assert plane.anchors.tolist() == [[0.0, 0.0], [near, 0.0], [0.0, 2.0]]
    with pytest.raises(InputError, match="lie on one line"):
        sv.Plane.through([0.0, 0.0], [near, 0.0], [3 * near, 0.0])
    with pytest.raises(InputError, match="are equal"):
        sv.Plane.through([0.0, 0.0], [near, 0.0], [near, 0.0])
    tilted = sv.Plane.at([1.0, 2.0, 3.0], directions=[[near, 0.0, 0.0], [0.0, near, near]])
    np.testing.assert_allclose(tilted.basis, [[1, 0, 0], [0, 0.5**0.5, 0.5**0.5]], rtol=1e-15)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("third", [[0.0, 1.7e308, 1.7e308], [-1e308, 0.0, 1e308]])
def test_anchors_too_far_apart_are_refused(third: list[float]) -> None:
    with pytest.raises(InputError, match="farther apart than float64 can hold"):
        sv.Plane.through([0.0, 0.0, 0.0], [1e308, 0.0, 0.0], third)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("size", [1e-320, 1e-170, 1e-155, 1e155, 1e300])
def test_windows_whose_area_no_float64_holds_are_refused(size: float) -> None:
    """Cells would add up to nothing, or to infinity."""
    for make in (
        lambda: sv.Window.box(0.0, size, 0.0, size),
        lambda: sv.Window.diamond(size),
        lambda: sv.Window.polygon([[0.0, 0.0], [size, 0.0], [0.0, size]]),
        lambda: sv.Window.box(0.0, 1.0, 0.0, 1.0).scaled(size),
        lambda: sv.Window.around(sv.Plane.through(np.zeros(2), [size, 0.0], [0.0, size])),
    ):
        with pytest.raises(InputError, match=r"area is .*, and must be from 2\.23e-308 to") as it:
            make()
        assert it.value.hint == "sides between 1e-150 and 1e150"


@pytest.mark.parametrize("size", [1e-150, 1e150])
def test_the_smallest_and_largest_windows_are_arranged(size: float) -> None:
    program = sv.load_program(torch.nn.Sequential(torch.nn.Linear(2, 1, bias=False), torch.nn.ReLU()))
    arr = sv.arrange(program, sv.Plane.identity(), sv.Window.box(-size, size, -size, size))
    assert arr.n_cells == 2 and arr.status is sv.Status.COMPLETE
    assert arr.areas.sum() == pytest.approx(4 * size**2)
