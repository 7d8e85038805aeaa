"""Batches of faces: whatever the budget, the workers and the size of batches, the arrangement is the same."""

from __future__ import annotations

import functools
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import splineviz as sv
from splineviz.errors import InputError
from splineviz.io import Totals
from tests.engine.same import assert_equal_cells, assert_identical, states
from tests.oracles.twin import to_torch
from tests.properties.strategies import networks, windows

Request = tuple[sv.Program, list[sv.Plane], list[sv.Window]]
BOX = sv.Window.box(-2, 2, -2, 2)


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1)
        self.last = nn.Linear(32, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x).relu()
        return self.last((h + self.second(h)).relu().flatten(1))


def dense(*widths: int, activation: Callable[[], nn.Module] = nn.ReLU) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b), activation()]
    return nn.Sequential(*layers[:-1])


def default() -> Request:
    return sv.load_program(dense(2, 24, 16, 16, 2)), [sv.Plane.identity()], [BOX]


def integers() -> Request:
    net = dense(2, 8, 6, 6, 1)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randint(-2, 3, parameter.shape))
    return sv.load_program(net), [sv.Plane.identity()], [BOX]


def zero_bias() -> Request:
    net = dense(2, 20, 20, 2)
    with torch.no_grad():
        for layer in net:
            if isinstance(layer, nn.Linear):
                layer.bias.zero_()
    return sv.load_program(net), [sv.Plane.identity()], [BOX]


def hardtanh() -> Request:
    return (
        sv.load_program(dense(2, 14, 12, 2, activation=nn.Hardtanh)),
        [sv.Plane.identity()],
        [sv.Window.box(-4, 4, -4, 4)],
    )


def residual() -> Request:
    plane = sv.Plane.through(*np.random.default_rng(0).normal(size=(3, 1, 4, 4)))
    return sv.load_program(Residual(), input_shape=(1, 4, 4)), [plane], [sv.Window.around(plane, 0.5)]


def several() -> Request:
    x = np.random.default_rng(1).normal(size=(5, 6))
    planes = [sv.Plane.at(point, seed=k) for k, point in enumerate(x)]
    return sv.load_program(dense(6, 16, 12, 3)), planes, [sv.Window.diamond(0.5 + 0.3 * k) for k in range(5)]


def pools() -> Request:
    layers = [
        nn.Conv2d(1, 2, 3),
        nn.LeakyReLU(0.2),
        nn.MaxPool2d(3, 2, 1),
        nn.Conv2d(2, 4, 2),
        nn.ReLU(),
        nn.MaxPool2d(2, 1),
    ]
    plane = sv.Plane.at(np.random.default_rng(0).normal(size=(1, 7, 7)))
    net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(4, 3))
    return sv.load_program(net, input_shape=(1, 7, 7)), [plane], [sv.Window.diamond(4.0)]


FAMILY = [default, integers, zero_bias, hardtanh, residual, several, pools]
SIZES = [1, 20_000, 300_000, 3_000_000]


@functools.cache
def request_of(make: Callable[[], Request]) -> Request:
    torch.manual_seed(0)
    return make()


def arranged(
    make: Callable[[], Request], max_memory: int | None, jobs: int = 1, **how: float
) -> sv.Arrangement:
    program, planes, window = request_of(make)
    return sv.arrange(program, planes, window, max_memory=max_memory, jobs=jobs, **how)  # type: ignore[arg-type]


@functools.cache
def whole(make: Callable[[], Request]) -> sv.Arrangement:
    """In one batch."""
    arr = arranged(make, 1 << 32)
    assert arr.stats.batches == 1
    return arr


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("make", FAMILY, ids=lambda make: make.__name__)
def test_batches_make_the_same_cells(make: Callable[[], Request], size: int) -> None:
    arr = arranged(make, size)
    assert arr.stats.batches > 5 or size > 100_000
    arr.check()
    assert_equal_cells(arr, whole(make))


@pytest.mark.parametrize("make", FAMILY, ids=lambda make: make.__name__)
def test_workers_change_nothing(make: Callable[[], Request]) -> None:
    assert_identical(arranged(make, 200_000, jobs=2), arranged(make, 200_000, jobs=1))


@given(networks(max_depth=3, max_width=6), windows(), st.sampled_from([1, 30_000, 200_000]))
@settings(deadline=None, max_examples=40)
def test_batches_of_degenerate_networks(network: object, window: sv.Window, size: int) -> None:
    request = sv.load_program(to_torch(network), input_shape=(2,)), sv.Plane.identity(), window
    one, many = (
        sv.arrange(*request, max_memory=1 << 32, jobs=1),
        sv.arrange(*request, max_memory=size, jobs=1),
    )
    many.check()
    assert many.stats.undecided == one.stats.undecided == 0 or one.status is sv.Status.UNDECIDED
    if one.stats.undecided == 0:
        assert_equal_cells(many, one)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("make", FAMILY, ids=lambda make: make.__name__)
def test_a_stream_holds_every_cell_once_and_in_order(make: Callable[[], Request], size: int) -> None:
    arr, totals, batches = whole(make), Totals(), []
    for batch in sv.stream(*request_of(make), max_memory=size):
        batch.check()
        batches.append(batch)
        totals.add(batch)
    for name in ("pattern_hash", "cell_stage", "cell_window"):
        np.testing.assert_array_equal(
            np.concatenate([getattr(batch, name) for batch in batches]), getattr(arr, name)
        )
    np.testing.assert_allclose(
        np.concatenate([batch.areas for batch in batches]), arr.areas, rtol=1e-9, atol=1e-12
    )
    for stage in range(len(arr.patterns)):
        np.testing.assert_array_equal(
            np.concatenate([states(batch, stage) for batch in batches]), states(arr, stage)
        )
    assert tuple(totals.cells_per_stage) == arr.stats.cells_per_stage
    # What is open on an edge between two batches is counted in both.
    assert totals.cells == arr.n_cells and totals.undecided >= arr.stats.undecided
    assert totals.status is arr.status and totals.covered == pytest.approx(1.0)
    assert all(batch.status is sv.Status.BATCH for batch in batches) or len(batches) == 1


def test_a_batch_of_whole_windows_is_a_batch() -> None:
    first = next(sv.stream(*request_of(several), max_memory=1))
    assert first.status is sv.Status.BATCH
    assert 0 < first.covered < 1


@pytest.mark.parametrize("allowed", [1, 7, 60, 200])
def test_max_cells_leaves_the_first_cells_whatever_the_workers(allowed: int) -> None:
    full = whole(default)
    arr = arranged(default, 200_000, max_cells=allowed)
    assert arr.n_cells == allowed and arr.status is sv.Status.INCOMPLETE
    np.testing.assert_array_equal(arr.pattern_hash, full.pattern_hash[: arr.n_cells])
    np.testing.assert_allclose(arr.areas, full.areas[: arr.n_cells], rtol=1e-9, atol=1e-12)
    assert arr.covered == pytest.approx(full.areas[: arr.n_cells].sum() / BOX.area) and arr.covered < 1
    arr.check()
    for jobs in (2, 3):
        assert_identical(arranged(default, 200_000, jobs=jobs, max_cells=allowed), arr)


def prefixes(arrs: list[sv.Arrangement]) -> list[int]:
    """By stage, how many different patterns up to there the cells have."""
    stages = range(len(arrs[0].patterns))
    bits = [np.concatenate([states(arr, stage) for arr in arrs]) for stage in stages]
    return [len(np.unique(np.concatenate(bits[: stage + 1], axis=1), axis=0)) for stage in stages]


@pytest.mark.parametrize("make", [default, pools], ids=lambda make: make.__name__)
@pytest.mark.parametrize("allowed", [None, 40, 130])
def test_cells_per_stage_are_those_that_the_cells_are_parts_of(
    make: Callable[[], Request], allowed: int | None
) -> None:
    arr = arranged(make, 100_000, max_cells=allowed)
    assert (arr.status is sv.Status.COMPLETE) == (allowed is None)
    counts = prefixes([arr])
    assert list(arr.stats.cells_per_stage) == counts == sorted(counts) and counts[-1] == arr.n_cells
    batches, totals = list(sv.stream(*request_of(make), max_memory=100_000, max_cells=allowed)), Totals()
    for batch in batches:
        totals.add(batch)
    assert len(batches) > 3 and totals.cells_per_stage == prefixes(batches)


def test_as_many_cells_as_there_are_is_no_end() -> None:
    n = whole(default).n_cells
    assert arranged(default, None, max_cells=n).status is sv.Status.COMPLETE
    less = arranged(default, None, max_cells=n - 1)
    assert less.status is sv.Status.INCOMPLETE and less.n_cells == n - 1


def test_a_stream_ends_with_its_budget() -> None:
    batches = list(sv.stream(*request_of(default), max_memory=200_000, max_cells=150))
    assert [batch.status for batch in batches[:-1]] == [sv.Status.BATCH] * (len(batches) - 1)
    assert batches[-1].status is sv.Status.INCOMPLETE and batches[-1].n_cells == 0
    got = np.concatenate([batch.pattern_hash for batch in batches])
    assert len(got) == 150
    np.testing.assert_array_equal(got, whole(default).pattern_hash[: len(got)])


def test_no_time_leaves_nothing_and_little_time_leaves_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = arranged(default, None, seconds=1e-9)
    assert nothing.n_cells == 0 and nothing.covered == 0.0 and nothing.status is sv.Status.INCOMPLETE
    nothing.check()
    from splineviz.engine import budget

    ticks = iter(range(10**9))
    monkeypatch.setattr(budget.time, "monotonic", lambda: float(next(ticks)))
    arr = arranged(default, 200_000, seconds=20)
    assert arr.status is sv.Status.INCOMPLETE and 0 < arr.covered < 1
    np.testing.assert_array_equal(arr.pattern_hash, whole(default).pattern_hash[: arr.n_cells])
    arr.check()


def test_what_is_left_out_leaves_no_edge_or_vertex_twice() -> None:
    for allowed in range(20, 220, 10):
        arr = arranged(default, 1 << 16, max_cells=allowed)
        assert len(np.unique(arr.vertices, axis=0)) == arr.n_vertices
        assert len(np.unique(np.sort(arr.edges, axis=1), axis=0)) == arr.n_edges
        outside = nx.Graph(arr.edges[(arr.edge_cells >= 0).sum(1) == 1].tolist())
        assert all(degree % 2 == 0 for _, degree in outside.degree), "the rim of what is there is closed"


@pytest.mark.parametrize("make", [default, pools], ids=lambda make: make.__name__)
def test_max_cells_holds_for_streams_and_for_any_stage(make: Callable[[], Request]) -> None:
    full = whole(make)
    for stage in range(len(full.patterns)):
        n = sv.arrange(*request_of(make), stage=stage).n_cells
        for allowed in (1, n // 2, n):
            arr = sv.arrange(*request_of(make), stage=stage, max_cells=allowed)
            batches = list(sv.stream(*request_of(make), stage=stage, max_cells=allowed))
            assert arr.n_cells == sum(batch.n_cells for batch in batches) == allowed
            ended = {arr.status is sv.Status.INCOMPLETE, batches[-1].status is sv.Status.INCOMPLETE}
            assert ended == {allowed < n}


def test_a_set_of_exact_questions_ends_with_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part of a set takes half a second, and there are dozens."""
    from splineviz.exact import carried

    parts, pause, n = carried.Carried._pass, 0.0, 0

    def part(*given: Any) -> Any:
        nonlocal n
        n += 1
        time.sleep(pause)
        return parts(*given)

    monkeypatch.setattr(carried, "_BATCH", 1)
    monkeypatch.setattr(carried.Carried, "_pass", part)
    assert arranged(integers, None, certify="full").status is sv.Status.COMPLETE and n > 15
    pause, began = 0.5, time.monotonic()
    arr = arranged(integers, None, certify="full", seconds=0.5)
    assert arr.status is sv.Status.INCOMPLETE and time.monotonic() - began < 5.0


@pytest.mark.parametrize("make", [default, integers], ids=lambda make: make.__name__)
def test_nothing_can_be_asked_of_nothing(make: Callable[[], Request]) -> None:
    arr = arranged(make, None, seconds=1e-9)
    assert arr.n_linear_regions == 0 and len(arr.decision_boundary()) == 0 and len(arr.jacobian_norms()) == 0
    assert arr.affine.shape[0] == len(arr.edge_jump) == len(arr.interior_points) == 0
    assert (
        len(arr.decision_regions().areas) == 0 and len(arr.to_shapely()) == 0 and len(arr.to_networkx()) == 0
    )
    assert arr.pattern_bits(0).shape == (0, arr.program.stages[0].n_units)  # type: ignore[union-attr]
    assert (arr.locate(np.zeros((3, 2))) == -1).all()


@pytest.mark.parametrize(
    "wrong", [{"max_memory": 0}, {"max_cells": -1}, {"seconds": 0.0}, {"jobs": 0}, {"jobs": -2}]
)
def test_budgets_are_positive(wrong: dict[str, int]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        arranged(default, **{"max_memory": None, **wrong})  # type: ignore[arg-type]


_PEAK = """
import resource, torch, splineviz as sv
torch.manual_seed(0)
torch.set_num_threads(1)
net = torch.nn.Sequential(
    torch.nn.Linear(2, 400), torch.nn.ReLU(), torch.nn.Linear(400, 4000),
    torch.nn.Linear(4000, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1),
)
request = sv.load_program(net), sv.Plane.identity(), sv.Window.box(-2, 2, -2, 2)
at_once = 8 * 4000 * sv.arrange(*request, stage=0).n_vertices
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
cells = sum(batch.n_cells for batch in sv.stream(*request, max_memory=256 << 20))
print(cells, at_once >> 20, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before >> 10)
"""


def test_memory_stays_within_bounds() -> None:
    """A wide layer's values at all vertices would take many times what the budget of 256 MiB lets it."""
    done = subprocess.run(
        [sys.executable, "-c", _PEAK], capture_output=True, text=True, check=True, timeout=300
    )
    cells, at_once, grown = map(int, done.stdout.split())
    assert cells > 50_000 and at_once > 800
    assert grown < 400


@pytest.mark.parametrize("certify", ["off", "full"])
def test_windows_are_batches_from_the_beginning(certify: Certify) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(40, 12), nn.ReLU(), nn.Linear(12, 12), nn.ReLU(), nn.Linear(12, 2))
    program = sv.load_program(net)
    planes = [sv.Plane.at(x, seed=k) for k, x in enumerate(torch.randn(60, 40).numpy())]
    request = program, planes, [sv.Window.diamond(0.5)] * len(planes)
    alive: list[int] = []

    def counted(share: float, cells: int) -> None:
        alive.append(cells)

    one = sv.arrange(*request, max_memory=1 << 32, jobs=1, certify=certify)
    many = sv.arrange(*request, max_memory=1 << 17, jobs=1, certify=certify, progress=counted)
    assert one.stats.batches == 1 and many.stats.batches > 8
    assert max(alive) < len(planes), "no stage cuts all windows at once"
    assert np.array_equal(many.cell_window, one.cell_window)
    assert np.array_equal(many.pattern_hash, one.pattern_hash)
    assert np.allclose(many.areas, one.areas, rtol=1e-9)
    assert (many.n_vertices, many.n_edges) == (one.n_vertices, one.n_edges)
    assert many.stats.undecided == 0 or certify == "off"
    few = sv.arrange(*request, max_memory=1 << 17, jobs=1, certify=certify, max_cells=5)
    assert few.status is sv.Status.INCOMPLETE
    assert np.array_equal(few.pattern_hash, one.pattern_hash[:5])
    parts = list(sv.stream(*request, max_memory=1 << 17, certify=certify))
    assert np.array_equal(np.concatenate([part.pattern_hash for part in parts]), one.pattern_hash)


def test_seconds_are_those_of_the_call() -> None:
    program, planes, boxes = request_of(default)
    began = time.perf_counter()
    stats = sv.arrange(program, planes, boxes).stats
    assert 0 < stats.seconds_affine < stats.seconds < time.perf_counter() - began


def test_an_edge_names_each_of_its_units_once() -> None:
    """Also where a batch begins between multiples of one unit: some are known to share its edges then."""
    torch.manual_seed(0)
    first, copies = nn.Linear(2, 50).double(), torch.arange(1.0, 5.0, dtype=torch.float64)
    net = nn.Sequential(nn.Linear(2, 200), nn.ReLU(), nn.Linear(200, 3), nn.ReLU()).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.kron(copies[:, None], first.weight))
        net[0].bias.copy_(torch.kron(copies, first.bias))
    arr = sv.arrange(net, sv.Plane.identity(), sv.Window.box(-1.0, 1.0, -1.0, 1.0), max_memory=20_000, jobs=1)
    rows = np.column_stack([arr.edge_units.row_of, arr.edge_units.values])
    assert len(np.unique(rows, axis=0)) == len(rows)
    of_first = rows[rows[:, 1] == 0]
    edges, counts = np.unique(of_first[:, 0], return_counts=True)
    assert len(edges) > 100 and (counts >= 4).all(), "all four multiples vanish there"
