"""Bounds over faces hold at every point of them, and are exact where nothing bends."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.geometry.csr import Csr
from splineviz.program.program import Program
from splineviz.values.face_bounds import FaceBounds, corner_values
from splineviz.values.linear_bounds import lower_bounds
from splineviz.values.vertex_values import VertexValues

_POINTS = 300


class Branches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(2, 9), nn.Linear(9, 9), nn.Linear(9, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = nn.functional.leaky_relu(self.a(x), 0.3)
        return self.c(torch.relu(self.b(h)) - h)


MODELS = {
    "dense": lambda: nn.Sequential(nn.Linear(2, 20), nn.ReLU(), nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, 3)),
    "clamps": lambda: nn.Sequential(nn.Linear(2, 20), nn.Hardtanh(), nn.Linear(20, 20), nn.Hardsigmoid(), nn.Linear(20, 2)),
    "shrinks": lambda: nn.Sequential(nn.Linear(2, 20), nn.Softshrink(), nn.Linear(20, 9), nn.PReLU(init=1.7), nn.Linear(9, 2)),
    "branches": Branches,
    "maxima": lambda: nn.Sequential(
        nn.Linear(2, 32), nn.Unflatten(1, (2, 4, 4)), nn.Conv2d(2, 3, 3, padding=1), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 2)
    ),
}  # fmt: skip


def triangles(seed: int, n: int, size: float) -> np.ndarray:
    """(n, 3, 2) corners in [-1, 1]^2, about ``size`` apart."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-1.0, 1.0, (n, 1, 2)) + size * rng.uniform(-1.0, 1.0, (n, 3, 2))


def bounded(
    program: Program, corners: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower bounds by linear bounds, and (low, high) of all outputs by intervals."""
    n = len(corners)
    x = torch.from_numpy(corners.reshape(-1, 2))
    start = {0: VertexValues(x, np.zeros(len(x)), proof=np.zeros(len(x)))}
    found = corner_values(program.nodes, start, program.output)
    bounds = FaceBounds(found, Csr(3 * np.arange(n + 1), np.arange(3 * n)))
    deviation = bounds.run(program.nodes, start, program.output)
    assert deviation is not None
    least = lower_bounds(program.nodes, bounds, start, program.shapes, program.output, rows)
    ends = found.output.flat.reshape(n, 3, -1)
    middle, radius = (part.numpy() for part in deviation[:2])
    return least, ends.min(1) + middle - radius, ends.max(1) + middle + radius


@pytest.mark.parametrize("size", [1e-6, 0.03, 0.3, 2.0])
@pytest.mark.parametrize("kind", MODELS)
def test_no_point_of_a_face_is_beyond_the_bounds(kind: str, size: float) -> None:
    torch.manual_seed(1)
    program = sv.load_program(MODELS[kind](), input_shape=(2,))
    corners = triangles(2, 60, size)
    n_out = int(np.prod(program.output_shape))
    rows = np.random.default_rng(3).standard_normal((len(corners), n_out))
    least, low, high = bounded(program, corners, rows)
    shares = np.random.default_rng(4).dirichlet(np.full(3, 0.5), (len(corners), _POINTS))
    points = np.einsum("fpk,fkd->fpd", shares, corners)
    values = (
        program.forward(torch.from_numpy(points.reshape(-1, 2))).reshape(len(corners), _POINTS, -1).numpy()
    )
    off = 1e-12  # of the points, which are rounded
    assert (np.einsum("fpc,fc->fp", values, rows).min(1) >= least - off).all()
    assert (values.min(1) >= low - off).all()
    assert (values.max(1) <= high + off).all()


def test_bounds_of_faces_on_which_nothing_bends_are_the_values_at_corners() -> None:
    torch.manual_seed(1)
    program = sv.load_program(MODELS["dense"](), input_shape=(2,))
    corners = triangles(5, 100, 1e-6)
    rows = np.ones((100, 3))
    least, low, high = bounded(program, corners, rows)
    values = program.forward(torch.from_numpy(corners.reshape(-1, 2))).reshape(100, 3, 3).numpy()
    close = np.abs(values.sum(2).min(1) - least) < 1e-9
    assert close.mean() > 0.95
    assert (np.abs(values.min(1) - low)[close] < 1e-9).all()
    assert (np.abs(values.max(1) - high)[close] < 1e-9).all()


def test_linear_bounds_are_closer_than_intervals() -> None:
    torch.manual_seed(1)
    program = sv.load_program(MODELS["dense"](), input_shape=(2,))
    rows = np.tile([1.0, -1.0, 0.0], (200, 1))
    least, low, high = bounded(program, triangles(6, 200, 0.2), rows)
    by_intervals = low[:, 0] - high[:, 1]
    assert np.mean(least - by_intervals) > 0.0
    assert (least > by_intervals + 1e-6).mean() > 0.5
