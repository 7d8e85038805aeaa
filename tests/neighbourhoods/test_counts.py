"""Exact counts of many diamonds at once: those of each alone, of a dense sample, and of units put in one by
one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.errors import InputError
from splineviz.neighbourhoods import diamonds
from splineviz.neighbourhoods.counts import UNCOUNTED, local_counts
from splineviz.neighbourhoods.cut_radii import cut_radii
from splineviz.neighbourhoods.diamonds import plane_frames
from tests.estimators.nets import perceptron
from tests.estimators.test_against_cells import units_cut

RNG = np.random.default_rng(5)


@pytest.fixture(scope="module")
def program() -> sv.Program:
    return sv.load_program(perceptron(7, 24, 24, 24, 3, seed=2))


@pytest.mark.parametrize("frame", ["shared", "per-point"])
def test_many_diamonds_at_once_are_those_of_each_alone(program: sv.Program, frame: str) -> None:
    x, radii = RNG.standard_normal((9, 7)), (0.1, 0.7)
    axes = plane_frames(7, len(x), 2, frame, 3)
    found = local_counts(program, x, radius=radii, axes=axes, regions=True)
    for i, r in enumerate(radii):
        for j in range(2):
            for k, point in enumerate(x):
                pair = axes[j] if frame == "shared" else axes[j, k]
                alone = sv.arrange(program, sv.Plane.at(point, pair), sv.Window.diamond(r))
                assert found.cells[i, j, k].tolist() == list(alone.stats.cells_per_stage)
                assert found.cut[i, j, k].tolist() == units_cut(alone)
                assert found.regions[i, j, k] == alone.n_linear_regions
    assert (found.new_cells.sum(-1) == found.cells[..., -1] - 1).all()
    assert (found.first == found.cut).all(), "in general position each unit that cuts divides a cell"
    assert (found.cells[..., -1].max() > 20) and not found.undecided.any()


def test_units_with_one_zero_set_are_first_once() -> None:
    """Units 0, 1, 2 share a line, which unit 3 crosses: 4 cells, 4 units cut, 2 of them divide a cell when
    they come."""
    net = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[1.0, 0.0], [-2.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
        net[0].bias.zero_()
    found = local_counts(sv.load_program(net), [[0.0, 0.0]], radius=1.0, axes=np.eye(2)[None])
    assert (found.cells[..., -1], found.cut.sum(), found.first.sum()) == (4, 4, 2)


def test_divisions_add_up_when_units_are_put_in_one_by_one(program: sv.Program) -> None:
    """R - 1 = sum s_i, s_i counted from the patterns of the first i units; and s_i >= 1 for as many as
    ``first`` says."""
    x, axes, r = RNG.standard_normal((4, 7)), plane_frames(7, 4, 1, "shared", 0), 1.5
    found = local_counts(program, x, radius=r, axes=axes)
    for k, point in enumerate(x):
        arr = sv.arrange(program, sv.Plane.at(point, axes[0]), sv.Window.diamond(r))
        for stage in program.stages:
            bits = np.concatenate([arr.pattern_bits(s) for s in range(stage.index + 1)], axis=1)
            before = bits.shape[1] - stage.n_units
            # the cells of units put in so far are connected where patterns agree, since they are convex
            sizes = [len(np.unique(bits[:, : before + i], axis=0)) for i in range(stage.n_units + 1)]
            divided = np.diff(sizes)
            assert divided.sum() == found.new_cells[0, 0, k, stage.index]
            assert (divided > 0).sum() == found.first[0, 0, k, stage.index]


def test_maxima_and_convolutions() -> None:
    torch.manual_seed(4)
    layers = [
        nn.Conv2d(1, 3, 3),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(3, 4, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
    ]
    net = nn.Sequential(*layers, nn.Linear(64, 2)).double().eval()
    program = sv.load_program(net, input_shape=(1, 10, 10))
    x, axes = torch.randn(3, 1, 10, 10, dtype=torch.float64), plane_frames(100, 3, 1, "shared", 0)
    found = local_counts(program, x, radius=0.6, axes=axes)
    for k, point in enumerate(x):
        arr = sv.arrange(program, sv.Plane.at(point, axes[0]), sv.Window.diamond(0.6))
        assert found.cells[0, 0, k].tolist() == list(arr.stats.cells_per_stage)
        assert found.cut[0, 0, k].tolist() == units_cut(arr)


def test_one_arrangement_tells_n_cut_for_all_radii(program: sv.Program) -> None:
    x, axes = RNG.standard_normal((6, 7)), plane_frames(7, 6, 1, "shared", 1)
    at = cut_radii(program, x, axes, 1.0)
    for r in (0.05, 0.3, 0.99):
        cut = local_counts(program, x, radius=r, axes=axes).cut[0, 0].sum(-1)
        assert (at < r).sum(1).tolist() == cut.tolist()
    assert np.isinf(at).any() and (at[np.isfinite(at)] <= 1.0).all()


def test_walks_of_few_diamonds_give_the_same(program: sv.Program, monkeypatch: pytest.MonkeyPatch) -> None:
    x, axes = RNG.standard_normal((40, 7)), plane_frames(7, 40, 2, "per-point", 0)
    whole = local_counts(program, x, radius=0.5, axes=axes)
    monkeypatch.setattr(diamonds, "_CELLS", 300)
    parts = local_counts(program, x, radius=0.5, axes=axes, max_memory=1 << 18)
    for name in ("cells", "cut", "first"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name))


def test_what_is_not_finished_in_time_is_uncounted(program: sv.Program) -> None:
    x, axes = RNG.standard_normal((80, 7)), plane_frames(7, 80, 1, "shared", 0)
    whole = local_counts(program, x, radius=0.2, axes=axes, regions=True)
    hurried = local_counts(program, x, radius=(0.2, 0.2), axes=axes, regions=True, seconds=1e-9)
    for name in ("cells", "cut", "first", "regions"):
        table, known = getattr(hurried, name)[0, 0], getattr(whole, name)[0, 0]
        assert (table == UNCOUNTED).all() or ((table == UNCOUNTED) | (table == known)).all()
    assert (hurried.cells == UNCOUNTED).any()


def test_an_estimate_is_the_mean_over_planes(program: sv.Program) -> None:
    x = RNG.standard_normal((5, 7))
    est = sv.exact_local_complexity(program, x, radius=(0.1, 0.5), planes=4, seed=2)
    raw = local_counts(program, x, radius=(0.1, 0.5), axes=plane_frames(7, 5, 4, "shared", 2))
    r = raw.cells[..., -1].astype(float)
    assert est.counts.shape == (2, 1, 5, 3) and est.planes == 4 and est.metric == "cells"
    np.testing.assert_allclose(est.totals[:, 0], r.mean(1) - 1)
    np.testing.assert_allclose(est.standard_error[:, 0], r.std(1, ddof=1) / 2)
    assert sv.exact_local_complexity(program, x, radius=0.1).standard_error is None


def test_the_proxy_never_exceeds_the_cuts_of_its_own_plane(program: sv.Program) -> None:
    x = RNG.standard_normal((50, 7))
    for frame in ("shared", "per-point"):
        proxy = sv.local_complexity(program, x, radius=0.8, directions=2, frame=frame, seed=6, first=11)
        cuts = sv.exact_local_complexity(program, x, radius=0.8, count="cuts", frame=frame, seed=6, first=11)
        cells = sv.exact_local_complexity(program, x, radius=0.8, frame=frame, seed=6, first=11)
        assert (proxy.counts <= cuts.counts).all() and (cuts.totals <= cells.totals).all()
        assert (proxy.counts[..., 0] == cuts.counts[..., 0]).all(), (
            "an affine function takes its extremes at the vertices"
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"planes": 0}, "planes must be in 1 .. 10000, got 0"),
        ({"count": "lines"}, "count must be one of cells, cuts"),
        ({"frame": "own"}, "frame must be 'shared' or 'per-point'"),
        ({"radius": 0.0}, "the radius must be a number > 0"),
    ],
)
def test_what_is_asked_for_is_checked(program: sv.Program, change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        sv.exact_local_complexity(program, np.zeros((1, 7)), **change)


def test_a_network_without_units_is_refused() -> None:
    with pytest.raises(InputError, match="no unit whose state could change"):
        sv.exact_local_complexity(sv.load_program(nn.Linear(3, 2)), [[0.0, 0.0, 0.0]])
