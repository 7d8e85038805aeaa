from __future__ import annotations

import numpy as np
import pytest
import shapely
import torch
from torch import Tensor, nn

import splineviz as sv
from splineviz.program.program import Program
from splineviz.segments.segment import Segment, segment
from tests.arrangement.hand_made import linear, program_of, random_mlp


def _assert_affine_between_knots(walk: Segment, program: Program) -> None:
    """Values are the network's, affine in between, and patterns those of the middle of each cell."""
    share = np.array([0.0, 0.25, 0.5, 1.0])[:, None]
    t = walk.knots[:-1] + share * np.diff(walk.knots)
    x = walk.points[:1] + t.reshape(-1, *[1] * len(program.input_shape)) * (
        walk.points[-1:] - walk.points[:1]
    )
    with torch.no_grad():
        y = program.forward(torch.from_numpy(x)).reshape(*t.shape, -1).numpy()
    between = walk.values[:-1] + share[..., None] * np.diff(walk.values, axis=0)
    np.testing.assert_allclose(y, between, atol=1e-12 * np.abs(y).max())


def test_knots_of_a_hand_made_network() -> None:
    """x + relu(x), then relu(h - 2): breaks at 0 and 1; without the skip at 0 and 2."""

    class Skip(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(x + torch.relu(x) - 2)

    class Plain(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(torch.relu(x) - 2)

    for module, breaks in ((Skip(), [0.0, 1.0]), (Plain(), [0.0, 2.0])):
        walk = segment(sv.load_program(module, input_shape=(1,)), [-1.0], [3.0])
        np.testing.assert_allclose(walk.points[1:-1, 0], breaks, atol=1e-15)
        assert [row.tolist() for row in walk.units] == [[], [[0, 0]], [[1, 0]], []]
        assert walk.n_cells == 3 and walk.length == 4.0 and walk.density == 0.5


@pytest.mark.parametrize("hardtanh", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_the_function_is_affine_between_knots(seed: int, hardtanh: bool) -> None:
    program = random_mlp(7, 20, 20, 3, seed=seed, hardtanh=hardtanh)
    ends = np.random.default_rng(seed).normal(0, 9, (2, 7))
    walk = segment(program, *ends)
    assert walk.n_cells > 5
    assert (np.diff(walk.knots) > 0).all() and walk.knots[0] == 0 and walk.knots[-1] == 1
    np.testing.assert_array_equal(walk.points[[0, -1]], ends)
    _assert_affine_between_knots(walk, program)


def test_patterns_change_at_knots_by_the_units_named() -> None:
    program = random_mlp(7, 20, 20, 3, hardtanh=True)
    walk = segment(program, np.full(7, -5.0), np.linspace(5.0, 9.0, 7))
    assert [stage.n_units for stage in program.stages] == [40, 40]
    bits = [walk.pattern_bits(s) for s in range(2)]
    for knot in range(1, walk.n_cells):
        changed = [(s, int(u)) for s in range(2) for u in np.flatnonzero(bits[s][knot] != bits[s][knot - 1])]
        assert changed == [tuple(row) for row in walk.units[knot].tolist()]
        assert changed
    for found, expected in zip(walk.pattern(3), (b[3] for b in bits), strict=True):
        np.testing.assert_array_equal(found, expected)
    with pytest.raises(sv.InputError, match="cell must be in 0"):
        walk.pattern(walk.n_cells)


def test_states_are_those_of_a_forward_pass() -> None:
    program = random_mlp(5, 16, 16, 2)
    walk = segment(program, np.full(5, -4.0), np.linspace(-3.0, 8.0, 5))
    x = torch.from_numpy((walk.points[1:] + walk.points[:-1]) / 2)
    first, relu, second = (node.run for node in program.nodes[:3])
    z = first(x)
    np.testing.assert_array_equal(walk.pattern_bits(0), z.numpy() > 0)
    np.testing.assert_array_equal(walk.pattern_bits(1), second(relu(z)).numpy() > 0)


def test_copies_of_a_unit_share_its_knot() -> None:
    """Opposite, rescaled and later copies vanish where the unit does, not beside it."""
    w = np.array([[0.3, -0.7], [1.1, 0.4]])
    stacked = np.concatenate([w, -w, 8 * w, 2.0**-20 * w])
    later = np.zeros((2, 8))
    later[[0, 1], [0, 1]], later[[0, 1], [2, 3]] = 3.0, -3.0
    program = program_of(
        linear(stacked.tolist()), nn.ReLU(), linear(later.tolist()), nn.ReLU(), linear([[1.0, 1.0]])
    )
    walk = segment(program, [-0.9, 0.3], [1.0, -0.8])
    assert walk.n_cells == 3
    assert sorted(len(row) for row in walk.units) == [0, 0, 5, 5]


@pytest.mark.parametrize("seed", range(20))
def test_concurrent_units_of_two_stages_share_a_knot(seed: int) -> None:
    """Units of two stages that vanish at one point of the segment, in coordinates that are not dyadic."""
    rng = np.random.default_rng(seed)
    w = rng.integers(-9, 10, (6, 3)).astype(float)
    w[:, 0] += np.where((w @ np.ones(3)) == 0, 1.0, 0.0)
    copies = np.eye(6) * rng.integers(1, 9, 6)[:, None] * 0.1  # relu(c relu(z)) kinks where z does
    program = program_of(
        linear((0.1 * w).tolist()), nn.ReLU(), linear(copies.tolist()), nn.ReLU(), linear([[1.0] * 6])
    )
    direction = np.ones(3) / 3
    walk = segment(program, -0.7 * direction, 0.4 * direction)
    assert walk.n_cells == 2
    np.testing.assert_allclose(walk.knots[1], 0.7 / 1.1, rtol=1e-14)


def test_a_unit_that_only_touches_zero_makes_no_knot() -> None:
    tent = [linear([[1.0], [-1.0]]), nn.ReLU(), linear([[1.0, 1.0]]), nn.ReLU()]  # relu(|x|)
    walk = segment(program_of(*tent, input_shape=(1,)), [-1.0], [1.0])
    assert [row.tolist() for row in walk.units] == [[], [[0, 0], [0, 1]], []]


def test_a_segment_along_a_boundary() -> None:
    """The first unit is zero on all of it: off, and no knot of its own."""
    walk = segment(program_of(linear([[1.0, -1.0], [1.0, 0.0]]), nn.ReLU()), [-0.3, -0.3], [0.6, 0.6])
    assert walk.n_cells == 2
    np.testing.assert_array_equal(walk.pattern_bits(0), [[False, False], [False, True]])


def test_ends_on_a_boundary_are_no_knots() -> None:
    walk = segment(
        program_of(linear([[1.0, 0.0], [1.0, 0.0]], [0.0, -0.6]), nn.ReLU()), [0.0, 0.1], [0.6, 0.2]
    )
    assert walk.n_cells == 1
    np.testing.assert_array_equal(walk.pattern_bits(0), [[True, False]])


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_scales_of_weights_do_not_matter(scale: float) -> None:
    torch.manual_seed(0)
    layers = [nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1)]
    before = segment(program_of(*layers, input_shape=(4,)), [-4.0] * 4, [5.0, 3.0, 4.0, 6.0])
    with torch.no_grad():
        layers[0].weight *= scale
        layers[0].bias *= scale
        layers[2].bias *= scale
    after = segment(program_of(*layers, input_shape=(4,)), [-4.0] * 4, [5.0, 3.0, 4.0, 6.0])
    assert after.n_cells == before.n_cells > 5
    np.testing.assert_allclose(
        after.knots, before.knots, rtol=1e-4
    )  # the scaled weights are rounded to float32


@pytest.mark.parametrize("seed", range(4))
def test_knots_are_the_edges_that_the_segment_crosses(seed: int) -> None:
    program = random_mlp(9, 24, 24, 3, seed=seed)
    plane = sv.Plane.at(np.full(9, 0.2), seed=seed)
    arr = sv.arrange(program, plane, sv.Window.box(-5, 5, -5, 5))
    a, b = np.random.default_rng(seed).uniform(-5, 5, (2, 2))
    walk = segment(program, plane.lift(a), plane.lift(b))
    inner = (arr.edge_cells >= 0).all(1)
    line = shapely.LineString([a, b])
    crossed = shapely.intersection(shapely.linestrings(arr.vertices[arr.edges[inner]]), line)
    crossed = crossed[~shapely.is_empty(crossed)]
    t = np.sort(shapely.line_locate_point(line, crossed, normalized=True))
    assert walk.n_cells > 5
    np.testing.assert_allclose(walk.knots[1:-1], t, atol=1e-9)
    cells = arr.locate(plane.project((walk.points[1:] + walk.points[:-1]) / 2)[0])
    for stage in range(2):
        np.testing.assert_array_equal(walk.pattern_bits(stage), arr.pattern_bits(stage, cells))


def test_deep_networks_do_not_drown_in_bounds() -> None:
    """Products of spectral norms would put every sign of the later layers of a He-initialised network in
    doubt."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for _ in range(18):
        layer = nn.Linear(40, 40)
        nn.init.kaiming_normal_(layer.weight)
        nn.init.normal_(layer.bias, std=0.1)
        layers += [layer, nn.ReLU()]
    program = program_of(*layers)
    walk = segment(program, *np.random.default_rng(0).normal(size=(2, 40)))
    assert walk.n_cells > 200 and walk.units.lengths.max() == 1
    wide = np.diff(walk.knots) > 1e-7
    x = torch.from_numpy((walk.points[1:] + walk.points[:-1])[wide] / 2)
    for slot, node in enumerate(program.nodes):
        if slot % 2:
            np.testing.assert_array_equal(walk.pattern_bits(slot // 2)[wide], x.numpy() > 0)
        x = node.run(x)


def test_convolutions_and_branches() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm, self.out = nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Linear(24, 2)

        def forward(self, x: Tensor) -> Tensor:
            h = torch.relu(self.norm(self.conv(x)))
            h = torch.cat(
                [nn.functional.avg_pool2d(h, 2), torch.abs(nn.functional.avg_pool2d(h, 2) - 0.2)], dim=1
            )
            return self.out(h.flatten(1))

    torch.manual_seed(0)
    program = sv.load_program(Net().eval(), input_shape=(1, 6, 6))
    rng = np.random.default_rng(0)
    walk = segment(program, rng.normal(0, 2, (1, 6, 6)), rng.normal(0, 2, (1, 6, 6)))
    assert walk.n_cells > 10 and walk.points.shape[1:] == (1, 6, 6)
    _assert_affine_between_knots(walk, program)


def test_bad_ends_are_refused() -> None:
    program = random_mlp(3, 4, 1)
    with pytest.raises(
        sv.InputError, match=r"point b: the points have shape \(2,\), 2 values; the network takes \(3,\)"
    ):
        segment(program, np.zeros(3), np.zeros(2))
    with pytest.raises(sv.InputError, match="point a holds NaN"):
        segment(program, [np.nan, 0.0, 0.0], np.zeros(3))
    with pytest.raises(sv.InputError, match="ends of the segment are equal"):
        segment(program, np.ones(3), torch.ones(3))
    with pytest.raises(sv.InputError, match="longer than float64 can tell"):
        segment(program, np.full(3, -1e308), np.full(3, 1e308))
