"""Pairs of networks whose overlay, distances and changes are known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.comparison import Pair
from splineviz.comparison.partitions import partition_distance
from tests.comparison.nets import PLANE, SQUARE, lines, random_net, with_lines


def pair_of(first: sv.Program, second: sv.Program) -> Pair:
    both = sv.compare([first, second], PLANE, SQUARE)
    pair = both.pair(0, 1)
    assert all(arr.stats.certified for arr in (*both.arrangements, pair.overlay.arrangement))
    pair.overlay.arrangement.check()
    for cells, arr in zip((pair.overlay.first, pair.overlay.second), both.arrangements, strict=True):
        assert np.allclose(
            np.sort(np.bincount(cells, weights=pair.overlay.areas)), np.sort(arr.areas), atol=1e-14
        )
    return pair


def entropy(*shares: float) -> float:
    return -sum(p * math.log(p) for p in shares)


def test_independent_partitions() -> None:
    """Two vertical lines and a horizontal one: 6 rectangles, no information in common."""
    pair = pair_of(lines((1, 0, 0.5), (1, 0, -0.5)), lines((0, 1, -0.25)))
    assert pair.overlay.n_cells == 6
    assert np.allclose(
        np.sort(np.bincount(pair.overlay.cells, weights=pair.overlay.areas)),
        [0.375, 0.375, 0.625, 0.625, 0.75, 1.25],
    )
    both = entropy(0.25, 0.5, 0.25), entropy(0.375, 0.625)
    assert pair.partitions.entropies == pytest.approx(both)
    assert pair.partitions.variation_of_information == pytest.approx(sum(both))
    assert pair.partitions.adjusted_rand_index == pytest.approx(0.0, abs=1e-14)


def test_nested_partitions_differ_by_the_difference_of_their_entropies() -> None:
    """The finer network has the coarser one's line too, drawn by a unit of twice the opposite
    coefficients."""
    pair = pair_of(lines((1, 1, 0)), lines((0, 1, 0.5), (-2, -2, 0), (1, 0, -0.3)))
    coarse, fine = pair.partitions.entropies
    assert (
        pair.overlay.n_cells == len(np.unique(pair.overlay.second)) > len(np.unique(pair.overlay.first)) == 2
    )
    assert pair.partitions.variation_of_information == pytest.approx(fine - coarse)


def test_a_shifted_fold() -> None:
    """relu(x) - 1/4 against relu(x - s) - 1/4: everything by hand."""
    s = 0.375
    pair = pair_of(with_lines([(1, 0, 0)], [[1]], [-0.25]), with_lines([(1, 0, -s)], [[1]], [-0.25]))
    assert pair.overlay.n_cells == 3
    assert (
        pair.decisions is not None
        and pair.change is not None
        and pair.boundaries is not None
        and pair.units is not None
    )
    assert pair.decisions.agreement == pytest.approx(1 - s / 2)
    assert pair.decisions.confusion == pytest.approx(np.array([[1.25 / 2, 0], [s / 2, (0.75 - s) / 2]]))
    assert pair.change.gradient == pytest.approx(s / 2)
    mean = (s**2 / 2 + s * (1 - s)) / 2
    assert (
        abs(pair.change.output.value - mean) <= pair.change.output.error + 1e-15
        and pair.change.output.error < 1e-4 * mean
    )
    assert pair.change.output_rms**2 == pytest.approx((s**3 / 3 + s**2 * (1 - s)) / 2)
    for distance in (pair.boundaries.hausdorff, pair.boundaries.mean, pair.boundaries.first_to_second):
        assert abs(distance.value - s) <= distance.error + 1e-9 and distance.error <= 1e-4 * s
    (row,) = pair.units.by_stage()
    assert (row.stage, row.both, row.only_first, row.only_second) == (0, 1, 0, 0)
    assert (row.mean, row.median) == pytest.approx((s, s)) and pair.units.switched == pytest.approx([2 * s])


def test_units_that_come_and_go() -> None:
    """The first unit leaves the window, the second comes into it, the third turns about the origin by 45
    degrees."""
    pair = pair_of(lines((1, 0, 0.5), (0, 1, 3), (1, 0, 0)), lines((1, 0, 5), (0, 1, 0.75), (1, -1, 0)))
    assert pair.units is not None
    (row,) = pair.units.by_stage()
    assert (row.both, row.only_first, row.only_second) == (1, 1, 1)
    assert pair.units.unit.tolist() == [0, 1, 2]
    assert pair.units.lengths == pytest.approx(np.array([[2, 0], [0, 2], [2, 2 * math.sqrt(2)]]))
    # Two triangles, of base and height 1, lie between the vertical line and the diagonal.
    assert pair.units.switched == pytest.approx([1.0, 0.5, 1.0])
    assert (
        pair.units.moved[2] == pytest.approx(1 / (1 + math.sqrt(2))) and np.isnan(pair.units.moved[:2]).all()
    )


def test_a_network_and_itself() -> None:
    net = random_net(5)
    pair = pair_of(net, net)
    assert len(pair.overlay.arrangement.info.stages) == 3  # type: ignore[union-attr]
    assert pair.partitions.variation_of_information == 0.0 and pair.partitions.adjusted_rand_index == 1.0
    assert pair.decisions is not None and pair.decisions.agreement == pytest.approx(1.0, abs=1e-15)
    assert pair.change is not None and (
        pair.change.gradient,
        pair.change.output.value,
        pair.change.output_rms,
    ) == (0.0, 0.0, 0.0)
    assert pair.boundaries is not None and pair.boundaries.hausdorff.value <= 1e-12
    assert pair.units is not None and len(pair.units.moved) and not pair.units.moved.any()


def test_the_same_function_with_its_units_in_another_order() -> None:
    """Nothing tells the engine that the networks are one: every line lies exactly on another."""
    torch.manual_seed(3)
    net = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 3))
    order = torch.randperm(8)
    turned = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 3))
    turned.load_state_dict(net.state_dict())
    with torch.no_grad():
        turned[0].weight.copy_(net[0].weight[order])
        turned[0].bias.copy_(net[0].bias[order])
        turned[2].weight.copy_(net[2].weight[:, order])
    first, second = sv.load_program(net), sv.load_program(turned)
    pair = pair_of(first, second)
    assert pair.overlay.n_cells == sv.arrange(first, PLANE, SQUARE).n_cells
    assert pair.partitions.variation_of_information == pytest.approx(0.0, abs=1e-14)
    assert pair.partitions.adjusted_rand_index == pytest.approx(1.0)
    assert pair.change is not None and pair.change.output.value == pytest.approx(0.0, abs=1e-14)


def test_a_common_beginning_is_there_once() -> None:
    torch.manual_seed(4)
    body = nn.Sequential(nn.Linear(2, 9), nn.ReLU(), nn.Linear(9, 7), nn.ReLU())
    first, second = (
        sv.load_program(nn.Sequential(*body, nn.Linear(7, 5), nn.ReLU(), nn.Linear(5, 3))) for _ in range(2)
    )
    pair = pair_of(first, second)
    stages = pair.overlay.arrangement.info.stages  # type: ignore[union-attr]
    assert [stage.n_units for stage in stages] == [9, 7, 5, 5, 1, 1]


def test_partitions_of_one_cell() -> None:
    """An affine network cuts nothing; two of them have one partition."""
    first, second = (sv.load_program(nn.Linear(2, 3)) for _ in range(2))
    pair = pair_of(first, second)
    assert pair.overlay.n_cells == 1 and pair.units is not None and pair.units.by_stage() == []
    assert (pair.partitions.variation_of_information, pair.partitions.adjusted_rand_index) == (0.0, 1.0)


def test_shares_below_the_least_normal_number_count_nothing() -> None:
    areas = np.array([1.0, 5e-324, 3e-310])
    found = partition_distance(np.array([0, 0, 1]), np.array([0, 1, 0]), areas)
    assert 0.0 <= found.variation_of_information < 1e-300
