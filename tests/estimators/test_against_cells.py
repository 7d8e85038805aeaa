"""The proxy beside the exact cells of the same diamond: as many units in the first layer, and never more."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.estimators.frames import shared_frame
from tests.estimators.nets import perceptron


def units_cut(arr: sv.Arrangement) -> list[int]:
    """Units of each stage whose state is not the same on all cells."""
    cells, cut = np.arange(arr.n_cells), []
    for stage in arr.program.stages:
        states = arr.winners(stage.index) if stage.candidates else arr.pattern_bits(stage.index, cells)
        cut.append(int((states != states[:1]).any(0).sum()))
    return cut


@pytest.mark.parametrize("radius", [0.3, 1.5])
def test_perceptron(radius: float) -> None:
    program = sv.load_program(perceptron(10, 40, 40, 40, 3, seed=8))
    points, frame = np.random.default_rng(0).standard_normal((12, 10)), shared_frame(10, 2, 0)
    counts = sv.local_complexity(program, points, radius=radius, directions=2).counts[0, 0]
    missed = 0
    for point, separated in zip(points, counts, strict=True):
        arr = sv.arrange(program, sv.Plane.at(point, frame), sv.Window.diamond(radius))
        cut = units_cut(arr)
        assert separated[0] == cut[0]
        assert (separated <= cut).all()
        assert sum(cut) <= arr.n_cells - 1
        missed += sum(cut) - separated.sum()
    assert missed > 0 or radius < 1


def test_convolutions_with_pools_of_both_kinds() -> None:
    """In front of a ReLU and behind one, where windows that are off tie."""
    torch.manual_seed(4)
    layers = [
        nn.Conv2d(1, 3, 3),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(3, 4, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
    ]
    network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(16, 2)).double().eval()
    program, frame = sv.load_program(network, input_shape=(1, 10, 10)), shared_frame(100, 2, 0)
    points = torch.randn(4, 1, 10, 10, dtype=torch.float64)
    estimate = sv.local_complexity(program, points, radius=0.5, directions=2)
    assert [stage.kind for stage in estimate.stages] == [stage.kind for stage in program.stages]
    assert (estimate.counts.sum((0, 1, 2)) > 0).all()
    for point, separated in zip(points, estimate.counts[0, 0], strict=True):
        cut = units_cut(sv.arrange(program, sv.Plane.at(point, frame), sv.Window.diamond(0.5)))
        assert (separated <= cut).all()


def test_residual_and_a_module_used_twice() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.relu, self.again = nn.Linear(6, 20), nn.ReLU(), nn.Linear(20, 20)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            a = self.relu(self.first(x))
            b = self.relu(self.again(a) + a)
            c: torch.Tensor = self.relu(self.again(b) + b)
            return c.sum(1, keepdim=True)

    torch.manual_seed(5)
    program, frame = sv.load_program(Twice().double(), input_shape=(6,)), shared_frame(6, 2, 0)
    points = np.random.default_rng(1).standard_normal((8, 6))
    estimate = sv.local_complexity(program, points, radius=1.0, directions=2)
    assert estimate.counts.shape[-1] == 3
    for point, separated in zip(points, estimate.counts[0, 0], strict=True):
        cut = units_cut(sv.arrange(program, sv.Plane.at(point, frame), sv.Window.diamond(1.0)))
        assert separated[0] == cut[0] and (separated <= cut).all()
