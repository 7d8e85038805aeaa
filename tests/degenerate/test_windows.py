"""Many disjoint windows in one call, each on its own plane, must equal the same windows one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.arrangement.result import Arrangement
from splineviz.plane import Plane, Window
from tests.oracles.compare import patterns_of
from tests.oracles.invariants import assert_valid


def windows_one_by_one(module: nn.Module, planes: list[Plane], windows: list[Window]) -> Arrangement:
    program = sv.load_program(module.eval(), input_shape=planes[0].input_shape)
    together: Arrangement = sv.arrange(program, planes, windows)
    assert_valid(together, program)
    assert set(together.cell_window.tolist()) == set(range(len(windows)))
    rows = patterns_of(together)
    edge_window = together.cell_window[together.edge_cells.max(axis=1)]
    for number, (plane, window) in enumerate(zip(planes, windows, strict=True)):
        alone = sv.arrange(program, plane, window)
        inside = together.cell_window == number
        mine = {
            row.tobytes(): float(area) for row, area in zip(rows[inside], together.areas[inside], strict=True)
        }
        theirs = {
            row.tobytes(): float(area) for row, area in zip(patterns_of(alone), alone.areas, strict=True)
        }
        assert mine.keys() == theirs.keys()
        assert [mine[key] for key in theirs] == pytest.approx(list(theirs.values()), abs=1e-11 * window.area)
        assert (edge_window == number).sum() == alone.n_edges
    return together


def mlp(seed: int, inputs: int) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(inputs, 12), nn.ReLU(), nn.Linear(12, 12), nn.ReLU(), nn.Linear(12, 2)
    ).double()


def test_diamonds_on_planes_of_their_own() -> None:
    points = np.random.default_rng(0).standard_normal((12, 5))
    planes = [Plane.at(point, seed=seed) for seed, point in enumerate(points)]
    together = windows_one_by_one(mlp(0, 5), planes, [Window.diamond(0.1 * (k + 1)) for k in range(12)])
    assert together.n_cells > 40


def test_windows_of_different_kinds_and_the_same_window_twice() -> None:
    planes = [Plane.identity()] * 4
    windows = [
        Window.box(-1, 1, -1, 1),
        Window.diamond(0.5),
        Window.box(-1, 1, -1, 1),
        Window.polygon([[0, 0], [3, 0], [0, 2]]),
    ]
    together = windows_one_by_one(mlp(1, 2), planes, windows)
    counts = np.bincount(together.cell_window)
    assert counts[0] == counts[2] > 4


def test_windows_that_nothing_cuts_among_others() -> None:
    planes = [Plane.identity()] * 3
    windows = [
        Window.box(50, 50.01, 50, 50.01),
        Window.box(-1, 1, -1, 1),
        Window.box(-70, -70 + 1e-3, 3, 3 + 1e-3),
    ]
    together = windows_one_by_one(mlp(2, 2), planes, windows)
    assert np.bincount(together.cell_window)[0] == 1


def test_windows_that_touch_along_a_line_of_the_network() -> None:
    layer = nn.Linear(2, 2, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 0.0], [1.0, 1.0]]))
        layer.bias.zero_()
    windows = [
        Window.box(-1, 0, -1, 0),
        Window.box(0, 1, -1, 0),
        Window.box(0, 1, 0, 1),
        Window.box(-1, 0, 0, 1),
    ]
    together = windows_one_by_one(nn.Sequential(layer, nn.ReLU()), [Plane.identity()] * 4, windows)
    np.testing.assert_array_equal(np.bincount(together.cell_window), [1, 2, 1, 2])
