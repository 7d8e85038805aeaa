"""Maxima whose cells are known: upper envelopes, windows that are off, shared and identical candidates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import splineviz as sv
from splineviz.arrangement.result import Arrangement
from splineviz.arrangement.verdict import Status
from splineviz.errors import InputError
from splineviz.plane import Plane, Window
from tests.oracles.harness import agree, arranged, unit_box
from tests.oracles.invariants import assert_valid
from tests.oracles.network import (
    Add,
    Concat,
    Network,
    Step,
    absolute,
    larger,
    linear,
    max_pool1d,
    maxout,
    relu,
    sequential,
    smaller,
)
from tests.oracles.twin import to_torch
from tests.render.artists import filled_polygons


class Function(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def checked(function: Callable[[Tensor], Tensor], window: Window | None = None) -> Arrangement:
    arr = arranged(Function(function), window)
    assert arr.program is not None
    assert_valid(arr, arr.program)
    return arr


def planes(k: int, turn: float = 0.3) -> np.ndarray:
    angle = 2 * np.pi * np.arange(k) / k + turn
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def test_the_larger_of_two_coordinates() -> None:
    arr = checked(lambda x: torch.maximum(x[:, :1], x[:, 1:]))
    assert (arr.n_cells, arr.n_vertices, arr.n_edges, arr.n_linear_regions) == (2, 4, 5, 2)
    assert arr.winners(0)[arr.locate([[0.5, 0.0], [0.0, 0.5]])].tolist() == [[0], [1]]
    assert arr.pattern(0)[0].tolist() in ([0], [1])
    with pytest.raises(InputError, match=r"units of stage 0 \(maximum\) are not on or off"):
        arr.pattern_bits(0)


def test_only_stages_of_maxima_have_winners() -> None:
    with pytest.raises(InputError, match=r"units of stage 0 \(relu\) are on or off"):
        checked(torch.relu).winners(0)


def test_the_largest_of_two_coordinates_and_zero() -> None:
    arr = checked(lambda x: torch.maximum(torch.maximum(x[:, :1], x[:, 1:]), x.sum(1, keepdim=True) * 0))
    assert (arr.n_cells, arr.n_linear_regions) == (4, 3)
    arr = agree(sequential(2, [linear([[1, 0], [0, 1], [0, 0]]), maxout([(0, 1, 2)])]))
    assert sorted(arr.areas) == [1.0, 1.5, 1.5]
    assert (arr.n_vertices, arr.n_edges, arr.status) == (4 + 2 + 1 + 0, 4 + 2 + 3, Status.COMPLETE)


@pytest.mark.parametrize("k", [3, 4, 5, 6, 7, 16, 40])
def test_unit_gradients_make_equal_cells_and_as_many_rays(k: int) -> None:
    network = sequential(2, [linear(planes(k)), maxout([range(k)])])
    angle = 2 * np.pi * np.arange(k) / k + 0.3
    arr = arranged(to_torch(network), Window.polygon(np.stack([np.cos(angle), np.sin(angle)], axis=1)))
    assert arr.program is not None
    assert_valid(arr, arr.program)
    assert arr.n_cells == k
    np.testing.assert_allclose(arr.areas, arr.areas.sum() / k, rtol=1e-12)
    assert sum((arr.edge_cells >= 0).all(1)) == k
    assert agree(network, Window.box(-1, 1.25, -1, 1.5)).n_cells == k


@pytest.mark.parametrize("k", [3, 5, 8, 24])
def test_tangents_of_a_paraboloid_are_all_seen(k: int) -> None:
    """Of the planes that touch |x|^2 at k points each is the largest nearest to its point: the Voronoi cells
    of the points."""
    points = np.random.default_rng(k).integers(-60, 61, (k, 2)) / 64
    points = np.unique(points, axis=0)
    network = sequential(2, [linear(2 * points, -(points**2).sum(1)), maxout([range(len(points))])])
    arr = agree(network)
    assert arr.n_cells == len(points)
    uv = np.random.default_rng(0).uniform(-1, 1, (2000, 2))
    distance = np.linalg.norm(uv[:, None] - points, axis=2)
    near = np.sort(distance, axis=1)
    clear = near[:, 1] - near[:, 0] > 1e-9
    np.testing.assert_array_equal(arr.winners(0)[arr.locate(uv)][clear, 0], distance.argmin(1)[clear])


def test_an_absolute_value_is_the_larger_of_both_signs() -> None:
    one = agree(sequential(2, [linear([[1, 0], [0, 1], [-1, 0], [0, -1]]), larger(4), linear([[1, 1]])]))
    two = agree(sequential(2, [absolute(), linear([[1, 1]])]))
    assert one.n_cells == two.n_cells == 4
    np.testing.assert_array_equal(np.sort(one.vertices, axis=0), np.sort(two.vertices, axis=0))


def test_a_minimum_is_that_of_negatives() -> None:
    arr = agree(
        sequential(2, [linear([[1, 2], [0, 1], [-1, 1], [3, -1]]), smaller(4), relu(), linear([[1, -1]])])
    )
    assert [stage.kind for stage in arr.program.stages] == ["minimum", "relu"]  # type: ignore[union-attr]


def test_windows_that_are_off_have_no_boundaries() -> None:
    """Behind a relu, where both are 0, the first wins; the larger of relu(x), relu(y) is three cells, not
    four."""
    arr = agree(sequential(2, [relu(), maxout([(0, 1)])]))
    assert (arr.n_cells, arr.stats.cells_per_stage) == (5, (4, 5))
    assert arr.n_linear_regions == 3
    off = arr.locate([[-0.5, -0.5]])[0]
    assert arr.winners(1)[off].tolist() == [0] and len(arr.cells[off]) == 4
    dead = agree(sequential(2, [linear([[1, 0], [0, 1], [1, 1]], [-9, -9, -9]), relu(), maxout([(0, 1, 2)])]))
    assert (dead.n_cells, dead.status, dead.stats.zeros) == (1, Status.COMPLETE, 0)


def test_identical_candidates_make_no_edge_and_the_first_of_them_wins() -> None:
    rows = [[1, 0], [1, 0], [0, 1], [1, 0], [0, 1]]
    arr = agree(sequential(2, [linear(rows), maxout([range(5), (3, 2, 1, 4, 0)])]))
    assert arr.n_cells == 2
    assert np.unique(arr.winners(0)).tolist() == [0, 1, 2]
    # equal on one side only: relu(x) and x
    steps = (Step(relu(), (0,)), Step(Concat(), (0, 1)), Step(maxout([(0, 2), (2, 0)]), (2,)))
    half = agree(Network(2, steps))
    assert half.n_cells == 4
    assert {tuple(row) for row in half.winners(1).tolist()} == {(0, 0), (1, 0)}


def test_shared_candidates_have_one_boundary() -> None:
    """Overlapping windows: where two of them see the same tie they share the edge, and nothing is left
    open."""
    torch.manual_seed(0)
    layer = nn.Linear(2, 12)
    network = sequential(2, [linear(layer.weight, layer.bias), max_pool1d(12, 5, 1)])
    arr = agree(network, Window.box(-4, 4, -4, 4))
    assert arr.status is Status.COMPLETE
    assert arr.edge_units.lengths.max() > 1
    assert arr.n_cells > 8


def test_ties_along_the_rim_and_through_corners() -> None:
    rows, bias = [[1, 0], [0, 0], [1, 1], [0, 0], [1, -1], [0, 0]], [-1, 0, -2, 0, 0, 0]
    arr = agree(sequential(2, [linear(rows, bias), max_pool1d(6, 2, 2)]))
    assert arr.n_cells == 2


def test_a_tie_along_an_older_edge_is_recorded_there() -> None:
    steps = (Step(relu(), (0,)), Step(linear([[1, 0], [-2, 0]]), (1,)), Step(larger(2), (2,)))
    arr = agree(
        Network(
            2,
            (
                Step(linear([[1, 0], [0, 1]]), (0,)),
                *(Step(s.op, tuple(i + 1 for i in s.inputs)) for s in steps),
            ),
        )
    )
    assert arr.n_cells == 4
    assert arr.status is Status.COMPLETE


def test_a_pool_that_reads_what_is_read_again() -> None:
    steps = (
        Step(linear([[1, 2], [-1, 1], [2, -1], [-1, -2]], [0.5, -0.25, 0.125, 0.5]), (0,)),
        Step(larger(4), (1,)),
        Step(Concat(), (1, 2)),
        Step(linear([[1, 1, -1, 1, 2, 0], [0, 1, 1, 1, -1, 1]]), (3,)),
        Step(Add(), (2, 4)),
        Step(relu(), (5,)),
        Step(linear([[1, 1]]), (6,)),
    )
    arr = agree(Network(2, steps))
    assert arr.n_cells > 6


def test_a_vertex_where_both_neighbours_go_straight_on_is_not_there() -> None:
    """Three planes in turn: what the first two tie on behind the third leaves no vertex on the rim."""
    arr = agree(sequential(2, [linear([[1, 0], [-1, 0], [0, 4]], [0, 0, 1]), maxout([(0, 1, 2)])]))
    corners = np.abs(arr.vertices) == 1
    assert arr.n_cells == 3
    assert (corners.all(1).sum(), arr.n_vertices) == (4, 8)


def test_many_windows_at_once() -> None:
    torch.manual_seed(1)
    module = nn.Sequential(
        nn.Linear(2, 12),
        nn.ReLU(),
        nn.Unflatten(1, (3, 2, 2)),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(3, 2),
    )
    program = sv.load_program(module)
    windows = [Window.box(i, i + 1.5, j, j + 1.25) for i in (-3, -1, 1) for j in (-2, 0, 2)]
    arr = sv.arrange(program, [Plane.identity()] * len(windows), windows)
    assert_valid(arr, program)
    alone = [sv.arrange(program, Plane.identity(), window).n_cells for window in windows]
    np.testing.assert_array_equal(np.bincount(arr.cell_window), alone)


def test_stopping_at_a_maximum() -> None:
    module = nn.Sequential(
        nn.Linear(2, 6),
        nn.ReLU(),
        nn.Unflatten(1, (1, 6)),
        nn.MaxPool1d(2),
        nn.Flatten(),
        nn.Linear(3, 4),
        nn.ReLU(),
    )
    program = sv.load_program(module)
    full = sv.arrange(program, Plane.identity(), unit_box())
    for stage in range(3):
        arr = sv.arrange(program, Plane.identity(), unit_box(), stage=stage)
        arr.check()
        assert arr.n_cells == full.stats.cells_per_stage[stage]


class Digits(nn.Module):
    """A small network for 8 x 8 images, with overlapping pools and a residual."""

    def __init__(self, activation: Callable[[], nn.Module], pool: nn.Module) -> None:
        super().__init__()
        self.one, self.two, self.out = (
            nn.Conv2d(1, 2, 3, padding=1),
            nn.Conv2d(2, 2, 3, padding=1),
            nn.LazyLinear(10),
        )
        self.act, self.pool = activation(), pool

    def forward(self, x: Tensor) -> Tensor:
        h = self.pool(self.act(self.one(x)))
        h = torch.maximum(h, self.act(self.two(h)))
        return self.out(functional.adaptive_max_pool2d(h, 2).flatten(1))


@pytest.mark.parametrize(
    "pool", [nn.MaxPool2d(2), nn.MaxPool2d(3, stride=2, padding=1)], ids=["2", "3 overlapping"]
)
@pytest.mark.parametrize("activation", [nn.ReLU, nn.PReLU], ids=["relu", "prelu"])
def test_networks_for_images(activation: Callable[[], nn.Module], pool: nn.Module) -> None:
    torch.manual_seed(0)
    module = Digits(activation, pool)
    module(torch.zeros(1, 1, 8, 8))
    rng = np.random.default_rng(0)
    images = rng.random((3, 1, 8, 8)) * (rng.random((3, 1, 8, 8)) > 0.5)
    plane = Plane.through(*images)
    window = Window.around(plane)
    program = sv.load_program(module.eval(), input_shape=(1, 8, 8))
    arr = sv.arrange(program, plane, window, certify="full")
    checked = assert_valid(arr, program)
    assert arr.n_cells > 200
    assert checked.n_thin == 0
    assert arr.stats.certified and arr.stats.undecided == 0
    estimated = sv.arrange(program, plane, window, certify="off")
    assert estimated.stats.undecided <= 1e-4 * estimated.stats.decisions
    assert arr.n_linear_regions <= arr.n_cells


def test_jacobians_where_a_maximum_is_the_first_bend() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Linear(20, 6),
        nn.Unflatten(1, (1, 6)),
        nn.MaxPool1d(2),
        nn.Flatten(),
        nn.Linear(3, 5),
        nn.ReLU(),
        nn.Linear(5, 2),
    )
    plane = Plane.at(np.zeros(20), seed=0)
    arr = arranged(module, Window.box(-5, 5, -5, 5), plane)
    assert arr.program is not None
    x = torch.from_numpy(plane.lift(arr.interior_points))
    for cell in range(arr.n_cells):
        jacobian = torch.autograd.functional.jacobian(arr.program.forward, x[cell : cell + 1]).reshape(2, 20)
        assert float(torch.linalg.matrix_norm(jacobian, 2)) == pytest.approx(
            arr.jacobian_norms()[cell], rel=1e-12
        )


def test_a_file_keeps_what_its_units_are(tmp_path: Path) -> None:
    arr = checked(lambda x: x.amax(1, keepdim=True))
    sv.save(arr, tmp_path / "a.npz", affine=True)
    back = sv.load(tmp_path / "a.npz")
    assert back.info is not None and arr.info is not None
    assert back.info.stages == arr.info.stages and back.info.stages[0].candidates == 2
    np.testing.assert_array_equal(back.edge_units.values, arr.edge_units.values)
    np.testing.assert_array_equal(back.winners(0), arr.winners(0))
    assert len(filled_polygons(back.draw())) == arr.n_cells


@pytest.mark.parametrize("seed", [3, 7])
def test_the_number_of_zeros_is_none_below_zero(seed: int) -> None:
    torch.manual_seed(seed)
    pools = nn.MaxPool2d(2, 1), nn.MaxPool2d(2, 1)
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), *pools, nn.Flatten(), nn.Linear(8, 2)
    ).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.randint(-2, 3, net[0].weight.shape))
        net[0].bias.zero_()
    x = np.random.default_rng(seed).integers(-2, 3, (3, 1, 4, 4)).astype(np.float64)
    plane = Plane.through(*x)
    program = sv.load_program(net, input_shape=(1, 4, 4))
    arr = sv.arrange(program, plane, Window.around(plane), certify="full", jobs=1)
    assert arr.stats.certified and arr.stats.zeros >= 0
