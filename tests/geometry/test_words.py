"""The examples behind docs/definitions.md, on whole networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from splineviz.arrangement.result import Arrangement, Status
from tests.oracles.harness import arranged
from tests.oracles.invariants import assert_valid


def layer(rows: list[list[float]], bias: list[float] | None = None) -> nn.Linear:
    result = nn.Linear(len(rows[0]), len(rows)).double()
    with torch.no_grad():
        result.weight.copy_(torch.tensor(rows))
        result.bias.copy_(torch.tensor(bias or [0.0] * len(rows)))
    return result


class Abs(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.abs()


def checked(*modules: nn.Module) -> Arrangement:
    arr = arranged(nn.Sequential(*modules))
    assert arr.program is not None
    assert_valid(arr, arr.program)
    return arr


def units_inside(arr: Arrangement) -> list[set[tuple[int, int]]]:
    """(stage, unit) pairs of every edge between two cells."""
    inner = np.flatnonzero((arr.edge_cells >= 0).all(axis=1))
    return [{(int(s), int(u)) for s, u in arr.edge_units[int(e)]} for e in inner]


def state(arr: Arrangement, stage: int, u: float) -> list[bool]:
    """States of a stage's units in the cell at (u, 0.3)."""
    found: list[bool] = arr.pattern_bits(stage)[arr.locate(np.array([[u, 0.3]]))[0]].tolist()
    return found


def test_a_clamp_has_two_units_an_entry() -> None:
    arr = checked(layer([[2, 0]]), nn.Hardtanh(), layer([[1]]))
    assert arr.program is not None and arr.program.stages[0].n_units == 2
    assert (arr.n_cells, arr.n_linear_regions) == (3, 3)
    assert [state(arr, 0, u) for u in (-0.9, 0.1, 0.9)] == [[False, False], [True, False], [True, True]]


def test_output_units_are_no_switches() -> None:
    assert checked(layer([[1, 0], [0, 1]])).n_cells == 1


def test_a_cell_is_not_a_linear_region() -> None:
    arr = checked(layer([[1, 0]]), nn.ReLU(), layer([[0]]))
    assert (arr.n_cells, arr.n_linear_regions) == (2, 1)


def test_zero_along_an_edge_with_one_sign_on_both_sides() -> None:
    arr = checked(layer([[1, 0]]), Abs(), nn.ReLU(), layer([[1]]))
    assert units_inside(arr) == [{(0, 0)}]
    assert [state(arr, 1, u) for u in (-0.5, 0.5)] == [[True], [True]]


def test_zero_on_a_cell_beside_one_where_it_is_positive() -> None:
    arr = checked(layer([[1, 0]]), nn.ReLU(), nn.ReLU(), layer([[1]]))
    assert units_inside(arr) == [{(0, 0), (1, 0)}]
    assert [state(arr, 1, u) for u in (-0.5, 0.5)] == [[False], [True]]


def test_zero_on_a_cell_beside_one_where_it_is_negative() -> None:
    arr = checked(layer([[1, 0]]), nn.ReLU(), layer([[-1]]), nn.ReLU(), layer([[1]]))
    assert units_inside(arr) == [{(0, 0)}]
    assert [state(arr, 1, u) for u in (-0.5, 0.5)] == [[False], [False]]


def test_zero_at_a_corner_and_along_the_rim() -> None:
    arr = checked(layer([[1, 1], [1, 0], [-1, 0]], [-2, 1, 1]), nn.ReLU(), layer([[1, 1, 1]]))
    assert arr.n_cells == 1 and units_inside(arr) == []
    assert len(arr.edge_units.values) == 0
    assert state(arr, 0, 0.0) == [False, True, True]


def test_multiples_draw_one_edge() -> None:
    arr = checked(layer([[1, 0.5], [-1, -0.5], [3, 1.5]]), nn.ReLU(), layer([[1, 1, 1]]))
    assert arr.n_cells == 2
    assert units_inside(arr) == [{(0, 0), (0, 1), (0, 2)}]


@pytest.mark.parametrize("n", [3, 8])
def test_concurrent_lines_make_one_vertex(n: int) -> None:
    angle = np.pi * (np.arange(n) + 0.3) / n
    arr = checked(layer(np.stack([np.cos(angle), np.sin(angle)], axis=1).tolist()), nn.ReLU(), layer([[1.0] * n]))
    assert arr.n_cells == 2 * n
    assert (np.bincount(arr.edges.ravel()) == 2 * n).sum() == 1
    assert arr.status is Status.COMPLETE and arr.stats.undecided == 0 and arr.stats.re_evaluated > 0


def test_lines_clear_of_each_other_are_decided() -> None:
    arr = checked(layer([[1, 0], [0, 1], [1, 1]], [0.1, 0.2, -0.4]), nn.ReLU(), layer([[1, 1, 1]]))
    assert arr.n_cells == 7
    assert arr.status is Status.COMPLETE and arr.stats.undecided == 0
