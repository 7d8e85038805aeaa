"""Lines over training: closed forms of one unit, compare as a witness, tests on made data, and bad input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv

UNIT = sv.Window.box(-1, 1, -1, 1)
PLANE = sv.Plane.identity()


def lines_at(offsets: list[list[float]]) -> list[nn.Module]:
    """Checkpoints of a network whose units are x > offset."""
    nets = []
    for row in offsets:
        net = nn.Sequential(nn.Linear(2, len(row)), nn.ReLU(), nn.Linear(len(row), 1)).double()
        net[0].weight.data = torch.tensor([[1.0, 0.0]] * len(row)).double()
        net[0].bias.data = -torch.tensor(row).double()
        nets.append(net)
    return nets


def trained(seed: int, n: int = 3) -> list[nn.Module]:
    torch.manual_seed(seed)
    nets = []
    for _ in range(n):
        net = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3)).double()
        nets.append(net)
    return nets


def test_lines_that_move_appear_and_vanish() -> None:
    found = sv.lines_over_training(
        lines_at([[-0.5, 0.0, 3.0], [0.25, 0.0, 0.5], [7.0, 0.0, 0.5]]), PLANE, UNIT
    )
    assert found.steps == (0, 1, 2)
    assert found.lengths.tolist() == [[2, 2, 0], [2, 2, 2], [0, 2, 2]]
    np.testing.assert_allclose(found.switched, [[1.5, 0.0, 1.0], [1.5, 0.0, 0.0]], atol=1e-14)
    assert (found.switched[:, 1] == 0).all()
    np.testing.assert_allclose(found.moved, [[0.75, 0, np.nan], [np.nan, 0, 0]], atol=1e-14)
    assert found.appears.tolist() == [[False, False, True], [False, False, False]]
    assert found.vanishes.tolist() == [[False, False, False], [True, False, False]]
    assert found["units that appeared", "step 1, stage 0"] == 1
    assert found["moved", "step 1, stage 0"] == pytest.approx(0.375)
    assert found["switched area", "step 2, all stages"] == pytest.approx(1.5)


def test_against_compare() -> None:
    nets = trained(0)
    found = sv.lines_over_training(nets, PLANE, sv.Window.box(-3, 3, -2, 2))
    for k in range(2):
        moves = sv.compare(nets[k : k + 2], PLANE, sv.Window.box(-3, 3, -2, 2)).pair(0, 1).units
        assert moves is not None
        place = 8 * moves.stage + moves.unit
        np.testing.assert_allclose(found.lengths[k : k + 2, place].T, moves.lengths, atol=1e-12)
        np.testing.assert_allclose(found.switched[k, place], moves.switched, atol=1e-12)
        np.testing.assert_allclose(found.moved[k, place], moves.moved, atol=1e-9)
        for row in moves.by_stage():
            of = f"step {k + 1}, stage {row.stage}"
            assert found["moved", of] == pytest.approx(row.mean)
            assert found["median moved", of] == pytest.approx(row.median)
            assert found["units that vanished", of] == row.only_first
            assert found["units that appeared", of] == row.only_second


def test_a_convolutional_network_against_compare() -> None:
    torch.manual_seed(4)
    layers = (
        nn.Conv2d(1, 3, 3),
        nn.BatchNorm2d(3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(12, 3),
    )
    net = nn.Sequential(*layers).double().eval()
    moved = {
        name: value + 0.1 * torch.randn(value.shape) if name[:2] in ("0.", "5.") else value
        for name, value in net.state_dict().items()
    }
    program = sv.load_program(net, input_shape=(1, 6, 6))
    runs = [program, program.rebind(moved)]
    points = np.random.default_rng(0).normal(size=(9, 1, 6, 6))
    plane = sv.Plane.through(*points[:3])
    window = sv.Window.around(plane)
    found = sv.lines_over_training(runs, plane, window, points, permutations=9, shifts=9)
    moves = sv.compare(runs, plane, window).pair(0, 1).units
    assert moves is not None and len(moves.unit) > 30
    place = np.where(moves.stage == 0, 0, 48) + moves.unit
    np.testing.assert_allclose(found.switched[0, place], moves.switched, atol=1e-10)
    np.testing.assert_allclose(found.lengths[:, place].T, moves.lengths, atol=1e-10)
    assert found.inside[:3].all() and np.allclose(found.off_plane[:3], 0, atol=1e-12)


def test_distances_of_data_points() -> None:
    points = np.array([[0.1, 0.3], [-0.4, 0.9], [5.0, 0.0]])
    found = sv.lines_over_training(lines_at([[0.0], [0.5]]), PLANE, UNIT, points)
    assert found.inside.tolist() == [True, True, False]
    np.testing.assert_allclose(found.distances[:, 0, :2], [[0.1, 0.4], [0.4, 0.9]], atol=1e-15)
    assert (
        np.isnan(found.distances[..., 2]).all()
        and (found.distances[:, 0] == found.distances[:, 1])[:, :2].all()
    )
    assert found["median distance of points", "step 1, stage 0"] == pytest.approx(0.65)
    error = next(q.error for q in found.quantities if q.name == "median distance of points")
    assert error is not None and error < 1e-14


def test_offsets_are_held_against_the_best() -> None:
    """Points of mean 1 and variance 4 from the lines x = 0 and x = 1: (4 + 1) / 4 and 1."""
    points = np.array([[-1.0, 0.0], [3.0, 0.5]])
    window = sv.Window.box(-4, 4, -1, 1)
    found = sv.lines_over_training(lines_at([[0.0], [1.0]]), PLANE, window, points)
    assert found["squares over the least", "step 0, stage 0"] == pytest.approx(1.25)
    assert found["squares over the least", "step 1, stage 0"] == pytest.approx(1.0)


def test_off_the_plane() -> None:
    torch.manual_seed(0)
    nets = [nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)) for _ in range(2)]
    plane = sv.Plane.at(np.zeros(3), directions=np.eye(3)[:2])
    found = sv.lines_over_training(nets, plane, UNIT, np.array([[0.0, 0.5, 2.0], [0.25, 0.0, 0.0]]))
    assert found.off_plane.tolist() == [2.0, 0.0] and found.points.tolist() == [[0.0, 0.5], [0.25, 0.0]]


def test_lines_that_avoid_the_data_and_that_gather_there() -> None:
    random = np.random.default_rng(0)
    points = np.stack([random.normal(0.0, 0.05, 200), random.uniform(-1, 1, 200)], 1)
    nets = lines_at([[-0.9, 0.9, 0.8], [0.01, 0.0, 0.02]])
    test = sv.lines_over_training(nets, PLANE, UNIT, points, permutations=199).points_test
    assert test is not None
    assert test.farther[0, 0] > 0.9 and test.farther[1, 0] < 0.1
    assert (test.p == 0.005).all() and (test.adjusted == 0.005).all()


def test_lines_at_the_decision_boundary() -> None:
    """The boundary runs along x = 0, and so do the lines of the second checkpoint."""
    nets = lines_at([[-0.5, 0.5], [0.01, -0.01]])
    for net in nets:
        net[2].weight.data, net[2].bias.data = torch.tensor([[1.0, 1.0]]).double(), torch.zeros(1).double()
    nets[0][2].bias.data -= 0.5
    nets[1][2].bias.data -= 0.01
    found = sv.lines_over_training(nets, PLANE, UNIT).boundary_test
    assert found.farther[0, 0] > 0.9 and found.farther[1, 0] < 0.05
    assert found.p[1, 0] < 0.1 and (found.p >= 1 / 200).all()


def test_without_a_boundary_there_is_no_test_of_it() -> None:
    nets = lines_at([[0.0], [0.5]])
    for net in nets:
        net[2].weight.data.zero_()
        net[2].bias.data.fill_(1.0)
    found = sv.lines_over_training(nets, PLANE, UNIT)
    assert np.isnan(found.boundary_test.p).all()
    assert not [q for q in found.quantities if q.name.startswith("boundary")]
    assert found.points_test is None


def test_tables_and_what_is_shown() -> None:
    points = np.random.default_rng(0).uniform(-1, 1, (30, 2))
    found = sv.lines_over_training(trained(1), PLANE, UNIT, points, permutations=9, shifts=9)
    by_unit, by_stage = found.by_unit, found.by_stage
    assert {len(column) for column in by_unit.values()} == {3 * 16}
    assert {len(column) for column in by_stage.values()} == {3 * 3}
    assert (
        by_stage["stage"].tolist() == [0, 1, -1] * 3
        and by_stage["step"].tolist() == [0] * 3 + [1] * 3 + [2] * 3
    )
    np.testing.assert_allclose(by_stage["length"][2], by_unit["length"][:16].sum())
    assert np.isnan(by_unit["moved"][:16]).all() and np.isnan(by_stage["moved"][0])
    assert repr(found).startswith("LinesOverTraining of Sequential, 3 checkpoints, steps 0 to 2:")
    assert found._repr_html_().count("<tr>") == 10
    assert [card["step"] for card in found.provenance["checkpoints"]] == [0, 1, 2]
    again = sv.lines_over_training(trained(1), PLANE, UNIT, points, permutations=9, shifts=9)
    assert again.quantities == found.quantities


def test_checkpoints_in_files(tmp_path: Path) -> None:
    nets = trained(2)
    for step, net in zip((5, 10, 400), nets, strict=True):
        torch.save(net.state_dict(), tmp_path / f"step-{step}.pt")
    found = sv.lines_over_training(sv.Checkpoints(nets[0], tmp_path), PLANE, UNIT)
    assert found.steps == (5, 10, 400)
    alike = sv.lines_over_training(nets, PLANE, UNIT)
    assert (found.switched == alike.switched).all()


def test_what_is_not_proven_says_so() -> None:
    found = sv.lines_over_training(trained(3), PLANE, UNIT, certify="off")
    assert all(quantity.error is None for quantity in found.quantities)
    assert np.isinf(found.switched_errors).all()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"runs": lines_at([[0.0]])}, "at least two checkpoints, got 1"),
        ({"runs": []}, "at least two checkpoints, got 0"),
        ({"runs": [*lines_at([[0.0]]), *trained(0, 1)]}, r"same stages, and those of Sequential \(step 1\)"),
        ({"window": sv.Window.diamond(1.0)}, "need a rectangle along u and v"),
        ({"points": np.zeros((0, 2))}, "there is no point"),
        ({"points": np.array([[5.0, 5.0]])}, "none of the 1 data points projects into the window"),
        ({"points": np.zeros((3, 5))}, "the network takes"),
        ({"points": np.array([[np.nan, 0.0]])}, "hold NaN or infinite values"),
        ({"permutations": 0}, "permutations must be in 1 .. 1000000, got 0"),
        ({"shifts": 1.5}, "shifts must be in 1 .. 1000000, got 1.5"),
        ({"seed": -1}, "the seed must be a whole number of at least 0"),
    ],
)
def test_bad_input_is_refused(asked: dict[str, Any], said: str) -> None:
    usual = {"runs": lines_at([[0.0], [0.5]]), "plane": PLANE, "window": UNIT}
    with pytest.raises(sv.InputError, match=said):
        sv.lines_over_training(**{**usual, **asked})
