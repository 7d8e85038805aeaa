"""The examples behind docs/definitions.md, on whole networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from splineviz.arrangement.result import Arrangement
from splineviz.arrangement.verdict import Status
from tests.oracles.harness import Case, arranged, unit_box
from tests.oracles.invariants import assert_valid
from tests.oracles.network import Network, absolute, linear, maxout, relu, sequential


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
    arr = checked(
        layer(np.stack([np.cos(angle), np.sin(angle)], axis=1).tolist()), nn.ReLU(), layer([[1.0] * n])
    )
    assert arr.n_cells == 2 * n
    assert (np.bincount(arr.edges.ravel()) == 2 * n).sum() == 1
    assert arr.status is Status.COMPLETE and arr.stats.undecided == 0 and arr.stats.re_evaluated > 0


def test_lines_clear_of_each_other_are_decided() -> None:
    arr = checked(layer([[1, 0], [0, 1], [1, 1]], [0.1, 0.2, -0.4]), nn.ReLU(), layer([[1, 1, 1]]))
    assert arr.n_cells == 7
    assert arr.status is Status.COMPLETE and arr.stats.undecided == 0


def agreed(network: Network) -> Arrangement:
    """On [-1, 1]^2, and the same as the exact slice in every respect."""
    case = Case(network, (unit_box(),))
    case.agree("full")
    return case.arrange(unit_box(), "full")


def test_a_linear_region_does_not_go_through_a_single_vertex() -> None:
    """relu(min(u, v)) + relu(min(-u, -v)) is 0 on two quadrants that touch in one point."""
    smallest = maxout([[0, 1], [2, 3]])
    network = sequential(
        2,
        [
            linear([[-1, 0], [0, -1], [1, 0], [0, 1]]),
            smallest,
            linear([[-1, 0], [0, -1]]),
            relu(),
            linear([[1, 1]]),
        ],
    )
    arr = agreed(network)
    zero = [cell for cell in range(arr.n_cells) if not arr.affine[cell].any()]
    assert len({arr.linear_regions[cell] for cell in zero}) == 2


def test_units_that_cancel_leave_one_linear_region() -> None:
    arr = agreed(sequential(2, [linear([[1, 2], [1, 2], [0, 1]]), relu(), linear([[3, -3, 0]], [1])]))
    assert (arr.n_cells, arr.n_linear_regions) == (4, 1)


def test_opposite_units_share_their_edge_and_are_on_in_turn() -> None:
    arr = agreed(sequential(2, [linear([[1, 0], [-2, 0]]), relu(), linear([[1, 1]])]))
    assert units_inside(arr) == [{(0, 0), (0, 1)}]
    assert [state(arr, 0, u) for u in (-0.5, 0.5)] == [[False, True], [True, False]]


def test_a_unit_that_touches_zero_at_a_vertex_makes_no_cut() -> None:
    arr = agreed(sequential(2, [absolute(), linear([[-1, -1], [1, 1]]), relu(), linear([[1, 1]])]))
    assert arr.n_cells == 4
    assert {unit for units in units_inside(arr) for unit in units} == {(0, 0), (0, 1)}


@pytest.mark.parametrize(("bias", "on"), [(-1, False), (0, False), (1, True)])
def test_constant_units_draw_nothing(bias: int, on: bool) -> None:
    arr = agreed(sequential(2, [linear([[0, 0], [1, 0]], [bias, 0]), relu(), linear([[1, 1]])]))
    assert units_inside(arr) == [{(0, 1)}]
    assert [state(arr, 0, u)[0] for u in (-0.5, 0.5)] == [on, on]


def test_a_dead_layer_hides_what_is_behind_it() -> None:
    arr = agreed(
        sequential(
            2,
            [
                linear([[1, 0], [0, 1]]),
                relu(),
                linear([[1, 1], [2, 1]], [-9, -9]),
                relu(),
                linear([[1, 1]], [2]),
                relu(),
            ],
        )
    )
    assert (arr.n_cells, arr.n_linear_regions) == (4, 1)
    assert {stage for units in units_inside(arr) for stage, _ in units} == {0}


def test_lines_through_a_corner_make_no_other_vertex_there() -> None:
    arr = agreed(sequential(2, [linear([[1, -1], [2, -1], [1, 1]], [0, 1, 2]), relu(), linear([[1, 1, 1]])]))
    assert arr.n_cells == 3
    assert (np.hypot(*(arr.vertices - [-1.0, -1.0]).T) < 1e-9).sum() == 1


def test_parallel_lines_a_billionth_apart_have_a_cell_between_them() -> None:
    arr = agreed(sequential(2, [linear([[1, 0], [1, 0]], [0.25, 0.25 + 1e-9]), relu(), linear([[1, 1]])]))
    assert arr.n_cells == 3
    assert arr.areas.min() == pytest.approx(2e-9, rel=1e-6)


def test_parallel_lines_one_unit_in_the_last_place_apart_have_a_cell_between_them() -> None:
    arr = agreed(
        sequential(2, [linear([[1, 0], [1, 0]], [0.3, np.nextafter(0.3, 1)]), relu(), linear([[1, 1]])])
    )
    assert arr.n_cells == 3


@pytest.mark.parametrize("power", [40, 60, 300])
def test_a_cell_counts_however_small(power: int) -> None:
    """The triangle between u = 0, v = 0 and u + v = 2^-power."""
    assert (
        agreed(
            sequential(
                2, [linear([[1, 0], [0, 1], [1, 1]], [0, 0, -(2.0**-power)]), relu(), linear([[1, 1, 1]])]
            )
        ).n_cells
        == 7
    )


def test_candidates_that_tie_on_a_whole_cell_have_no_edge_between_them() -> None:
    arr = agreed(
        sequential(2, [linear([[1, 0]]), relu(), linear([[0], [1], [2]]), maxout([[0, 1, 2], [2, 1, 0]])])
    )
    assert [arr.winners(1, arr.locate(np.array([[u, 0.3]]))).tolist() for u in (-0.5, 0.5)] == [
        [[0, 0]],
        [[2, 0]],
    ]
    assert units_inside(arr) == [{(0, 0), (1, 0)}]


def test_a_tie_belongs_to_the_lowest_class() -> None:
    """Two outputs are equal where the unit is off."""
    regions = agreed(sequential(2, [linear([[1, 0]]), relu(), linear([[0], [1]])])).decision_regions()
    assert dict(zip(regions.classes.tolist(), regions.areas.tolist(), strict=True)) == {0: 2.0, 1: 2.0}
    assert agreed(sequential(2, [linear([[0, 0]])])).decision_regions().classes.tolist() == [0]


def test_a_module_used_twice_is_two_stages_that_may_share_edges() -> None:
    bend = relu()
    arr = agreed(sequential(2, [linear([[1, 0]]), bend, bend, linear([[1]])]))
    assert units_inside(arr) == [{(0, 0), (1, 0)}]
