"""The float path alone never decides something wrongly: every refinement against exact arithmetic at its
vertices."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import splineviz as sv
from splineviz.engine.displacement import settled
from splineviz.engine.stage_state import FinishedFaces, StageState
from splineviz.engine.walk import Walk
from splineviz.exact.ancestry import Ancestry
from splineviz.exact.forward import StageRound
from splineviz.exact.line_crossings import Places
from splineviz.exact.resolver import Resolver
from splineviz.geometry.places import places_of
from splineviz.geometry.predicates import TINY
from splineviz.geometry.records import BIRTH
from splineviz.geometry.subdivision import Subdivision
from splineviz.program.operations.gains import matrix_norm
from splineviz.values.extension import TensorErrors, extend_values
from splineviz.values.memory import Buffers
from splineviz.values.transfer import after_affine, extend
from splineviz.values.vertex_values import VertexValues, Zeros
from tests.engine.referee import Referee, Uv, places, values
from tests.oracles.harness import small_as_large

Point = tuple[int, ...]


class Apply(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(torch.relu(self.first(torch.relu(x))))


class Skipped(nn.Module):
    """A network whose switching tensor is a view of one that is used again."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 8), nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x)
        return h + 2.0**-30 * self.second(torch.relu(h.reshape(-1, 2, 4)).flatten(1))


@pytest.fixture(autouse=True)
def _small_as_large() -> Iterator[None]:
    with small_as_large():
        yield


def slopes(*values: float) -> Apply:
    return Apply(lambda x: torch.prelu(x, torch.tensor(values, dtype=x.dtype)))


def dense(*layers: Any, bias: bool = True) -> nn.Sequential:
    """Linear layers of these widths, with relu or what stands between them."""
    modules: list[nn.Module] = []
    width = None
    for layer in layers:
        if isinstance(layer, int):
            if width is not None:
                modules += [nn.Linear(width, layer, bias=bias)]
            width = layer
        else:
            modules.append(layer)
    return nn.Sequential(*modules)


def convolved(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), *layers, nn.Flatten(), nn.LazyLinear(4), nn.ReLU())


R = nn.ReLU
NETS: dict[str, tuple[Callable[[], nn.Module], Point]] = {
    "relu": (lambda: dense(4, 12, R(), 12, R(), 6, R()), (4,)),
    "no bias": (lambda: dense(4, 10, R(), 10, R(), 6, R(), bias=False), (4,)),
    "relu of the input": (lambda: dense(4, R(), 12, R(), 6, R()), (4,)),
    "leaky": (lambda: dense(4, 8, nn.LeakyReLU(-0.5), 8, nn.LeakyReLU(0.1), 5, nn.LeakyReLU(2.0)), (4,)),
    "several kinks": (lambda: dense(4, 8, nn.Hardtanh(), 6, nn.ReLU6(), 5, nn.Softshrink(0.25)), (4,)),
    "slopes of zero": (lambda: dense(4, 6, slopes(0, -1, 0.5, 2, 0, 1), 6, Apply(lambda x: x.clamp(max=0)), 5, R()), (4,)),
    "residual": (lambda: dense(4, 6, Residual(6), Residual(6), R()), (4,)),
    "transposed": (lambda: dense(4, 8, Apply(lambda x: x.reshape(-1, 2, 4).transpose(1, 2)), R(), nn.Flatten(), 6, R()), (4,)),
    "view": (lambda: nn.Sequential(nn.Linear(4, 4), R(), Skipped(), R(), nn.Linear(8, 5), R()), (4,)),
    "relu of relu": (lambda: dense(4, 8, R(), Apply(lambda x: torch.cat([x, 0 * x[:, :2]], 1)), R(), nn.Linear(10, 6), R()), (4,)),
    "pool": (lambda: convolved(R(), nn.MaxPool2d(2), nn.Conv2d(2, 2, 2), R()), (1, 4, 4)),
    "overlapping pools": (lambda: convolved(R(), nn.MaxPool2d(3, 1, 1)), (1, 4, 4)),
    "pool of pool": (lambda: convolved(nn.MaxPool2d(3, 1, 1), R(), nn.MaxPool2d(2, 1)), (1, 4, 4)),
    "averages": (lambda: convolved(R(), nn.AvgPool2d(3, 2, 1)), (1, 4, 4)),
    "maxout": (lambda: dense(4, 12, Apply(lambda x: x.reshape(-1, 4, 3).amax(2)), nn.Linear(4, 6), R()), (4,)),
}  # fmt: skip


def program_of(name: str, kind: str) -> sv.Program:
    make, shape = NETS[name]
    torch.manual_seed(sum(map(ord, name)))
    net = make().double()
    net(torch.zeros(1, *shape, dtype=torch.float64))
    if kind != "random":
        with torch.no_grad():
            for weight in net.parameters():
                weight.copy_((8 * weight).round() / 4)
    return sv.load_program(net, input_shape=shape)


def plane_of(kind: str, shape: Point) -> sv.Plane:
    rng, n = np.random.default_rng(1), math.prod(shape)
    points = {
        "random": rng.normal(size=(3, n)),
        "lattice": rng.integers(-2, 3, (3, n)),
        "axes": np.eye(3, n, -1),
    }[kind]
    return sv.Plane.through(*points.reshape(3, *shape).astype(float))


each = [pytest.mark.parametrize("name", NETS), pytest.mark.parametrize("kind", ["random", "lattice", "axes"])]


@each[0]
@each[1]
def test_every_decision_is_the_exact_one(name: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program, plane = program_of(name, kind), plane_of(kind, NETS[name][1])
    referee = Referee(monkeypatch)
    arr = sv.arrange(program, plane, sv.Window.box(-2, 2, -2, 2), certify="full", jobs=1)
    arr.check()
    assert arr.n_cells > 10 and referee.seen > 100
    assert arr.stats.certified


@pytest.mark.parametrize("name", NETS)
def test_batches_decide_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program, plane = program_of(name, "axes"), plane_of("axes", NETS[name][1])
    request = program, plane, sv.Window.box(-2, 2, -2, 2)
    whole = sv.arrange(*request, certify="full", jobs=1)
    Referee(monkeypatch, 40)
    parts = sv.arrange(*request, certify="full", jobs=1, max_memory=20_000)
    assert parts.stats.batches > 3
    assert (parts.n_cells, parts.n_vertices, parts.n_edges) == (
        whole.n_cells,
        whole.n_vertices,
        whole.n_edges,
    )


@each[0]
@each[1]
def test_coordinates_are_within_their_bounds(name: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program, plane = program_of(name, kind), plane_of(kind, NETS[name][1])
    fronts, finished = [], FinishedFaces.of

    def of(front: StageState, *arguments: Any) -> FinishedFaces:
        fronts.append(front)
        return finished(front, *arguments)

    monkeypatch.setattr(FinishedFaces, "of", of)
    arr = sv.arrange(program, plane, sv.Window.box(-2, 2, -2, 2), certify="full", jobs=1)
    (front,) = fronts
    assert front.ancestry is not None and arr.stats.largest_displacement is not None
    exact = places(program, front.ancestry, range(arr.n_vertices))
    used, sub = np.unique(arr.cells.values), front.subdivision
    before, bounds = (
        distances(sub.vertices, exact)[used],
        places_of(sub.arrays()).distance[used] + sub.rounding,
    )
    assert (before <= bounds[:, 1]).all()
    assert (before <= 16.0 * bounds[:, 0] + 1e-300).mean() > 0.99
    assert (
        distances(arr.vertices, exact)[used].max()
        <= arr.stats.largest_displacement
        <= 2.0**-32 * front.reach.max()
    )


def test_places_that_are_not_told_are_in_the_window() -> None:
    class Lines:
        """Corners of the window are where they are; each takes one product."""

        def served(self, vertices: np.ndarray, limit: float) -> bool:
            return len(vertices) <= limit

        def affordable(self, limit: float) -> int:
            return int(limit)

        def places(self, vertices: np.ndarray) -> Places:
            return Places(sub.vertices[vertices], np.zeros((len(vertices), 2)), np.zeros(len(vertices)))

    sub = Subdivision.from_polygons([sv.Window.box(-2, 2, -2, 2).vertices])
    lost = replace(sub, stray=np.full((4, 4), 3.0), rounding=0.25)
    how = lambda rows: [], lost, np.array([50.0]), np.array([10.0])
    points, off = settled(Lines(), *how, 0, 0)
    assert (off == 10.25).all() and np.array_equal(points, sub.vertices)
    assert settled(Lines(), *how, 4, 0)[1].max() <= 2.0**-50
    # The window is thin for what its corners may be off by, which are taken anew as far as that goes.
    assert (settled(Lines(), *how, 0, 3)[1] <= 2.0**-50).sum() == 3


@pytest.mark.parametrize("n", [3, 4, 7, 12])
@pytest.mark.parametrize("point", [(0.25, 0.5), (2.0, 0.5)], ids=["inside", "on the rim"])
def test_a_place_is_told_however_many_lines_meet_there(
    n: int, point: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of any two of them, next to each other or not, and of units twice as large and of the other sign."""
    torch.manual_seed(0)
    net = dense(2, 2 * n, R(), 8, R(), 4).double()
    angle = torch.arange(n, dtype=torch.float64) * (math.pi / n) + 0.1
    with torch.no_grad():
        lines = (64.0 * torch.stack([angle.cos(), angle.sin()], dim=1)).round() / 64.0
        net[0].weight.copy_(torch.cat([lines, -3.0 * lines]))
        net[0].bias.copy_(-(net[0].weight @ torch.tensor(point, dtype=torch.float64)))
    referee = Referee(monkeypatch)
    program = sv.load_program(net, input_shape=(2,))
    arr = sv.arrange(program, sv.Plane.identity(), sv.Window.box(-2, 2, -2, 2), certify="full", jobs=1)
    assert arr.stats.certified and referee.unknown == 0
    assert referee.asked <= 4 * n, "what many lines share is not asked for pair by pair"


def distances(points: np.ndarray, exact: list[Uv]) -> np.ndarray:
    pairs = zip(points.tolist(), exact, strict=True)
    return np.array(
        [math.hypot(*(float(Fraction(x) - y) for x, y in zip(*pair, strict=True))) for pair in pairs]
    )


LARGE: dict[str, tuple[Callable[[], nn.Module], Point, float]] = {
    "784-200x3": (lambda: dense(784, 200, R(), 200, R(), 200, R()), (784,), 6.0),
    "200x5, every unit twice": (
        lambda: twice(dense(30, 200, R(), 200, R(), 200, R(), 200, R(), 200, R())),
        (30,),
        0.3,
    ),
    "convolutions and pools": (
        lambda: nn.Sequential(
            *(
                nn.Conv2d(1, 8, 3, padding=1),
                R(),
                nn.MaxPool2d(3, 2, 1),
                nn.Conv2d(8, 8, 3, padding=1),
                R(),
                nn.MaxPool2d(2),
            ),
            *(nn.Flatten(), nn.Linear(72, 20), R()),
        ),
        (1, 12, 12),
        0.5,
    ),
}


def twice(net: nn.Sequential) -> nn.Sequential:
    """With the second half of every layer's units like the first."""
    with torch.no_grad():
        for layer in net:
            if isinstance(layer, nn.Linear):
                for weight in layer.parameters():
                    weight[len(weight) // 2 :] = weight[: len(weight) // 2]
    return net


@pytest.mark.parametrize("name", LARGE)
def test_decisions_of_large_networks_at_some_vertices(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make, shape, radius = LARGE[name]
    torch.manual_seed(0)
    program = sv.load_program(make().double(), input_shape=shape)
    referee = Referee(monkeypatch, 60)
    arr = sv.arrange(
        program,
        sv.Plane.at(np.random.default_rng(0).normal(size=shape)),
        sv.Window.diamond(radius),
        certify="full",
        jobs=1,
    )
    assert arr.n_cells > 100 and arr.stats.certified
    assert referee.steps >= len(program.stages)


def assert_same_patterns(*hashes: np.ndarray) -> None:
    np.testing.assert_array_equal(*(rows[np.lexsort(rows.T)] for rows in hashes))


def disturb(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Put every value of a stage somewhere else within its proven bound before it decides; how far, as a
    share of the bound."""
    rng, original, moved = np.random.default_rng(0), Walk._refine, []

    def refine(walk: Walk, front: StageState, node: Any, word: int) -> Any:
        live = front.live[node.inputs[0]]
        live.values = live.values.contiguous()
        assert front.ancestry is not None and live.proof is not None
        resolver = Resolver(walk.program, front.ancestry, StageRound(node.stage))
        z, (scale, _), slack = live.flat, live.entrywise(), live.proven()[0]
        exact = values(resolver, range(len(z)))[:, : z.shape[1]]
        exact = (exact + node.kinks[0]).astype(np.float64) if node.kinks.any() else exact.astype(np.float64)
        delta = rng.choice([-1.0, 1.0], z.shape) * rng.uniform(0.5, 0.99, z.shape) * scale * slack[:, None]
        length = np.linalg.norm(delta, axis=1)
        delta *= np.minimum(1.0, 0.99 * live.proof / np.maximum(length, 1e-300))[:, None]
        fixed = (z == 0.0) if live.zeros else np.zeros(z.shape, bool)
        z[~fixed] = (exact + delta)[~fixed]
        moved.append(float(np.abs(delta).max()))
        return original(walk, front, node, word)

    monkeypatch.setattr(Walk, "_refine", refine)
    return moved


@each[0]
@each[1]
def test_values_may_be_anywhere_within_their_bounds(
    name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = program_of(name, kind), plane_of(kind, NETS[name][1]), sv.Window.box(-2, 2, -2, 2)
    expected = sv.arrange(*request, certify="full", jobs=1)
    moved = disturb(monkeypatch)
    arr = sv.arrange(*request, certify="full", jobs=1)
    arr.check()
    assert arr.stats.certified and max(moved) > 0.0
    assert (arr.n_cells, arr.n_vertices, arr.n_edges) == (
        expected.n_cells,
        expected.n_vertices,
        expected.n_edges,
    )
    assert_same_patterns(arr.pattern_hash, expected.pattern_hash)


def loosen(monkeypatch: pytest.MonkeyPatch, size: float, seed: int = 0) -> None:
    """Have all values of a stage off by up to ``size``, more than rounding, and their bounds so much larger, before it
    decides: so many decisions are asked for, and many contradict values."""
    rng, original = np.random.default_rng(seed), Walk._refine

    def move(live: VertexValues) -> None:
        live.values, live.storage = live.values.clone(memory_format=torch.contiguous_format), None
        z, (scale, _), (slack, proof) = live.flat, live.entrywise(), live.proven()
        off = size * scale / max(1e-300, np.linalg.norm(scale))
        delta = off * rng.uniform(-1, 1, z.shape) * (z != 0.0)
        moved = z + delta
        if live.zeros is Zeros.LASTING:  # their signs were decided before
            moved = np.where(moved * z > 0.0, moved, np.sign(z) * TINY)
        z[:] = moved
        live.scale, live.slack = scale, live.entrywise()[1]
        live.proven_slack = slack + 1.01 * size / max(1e-300, np.linalg.norm(scale))
        live.proof, live.norm = proof + 1.01 * size, None

    def refine(walk: Walk, front: StageState, node: Any, word: int) -> Any:
        move(front.live[node.inputs[0]])
        return original(walk, front, node, word)

    monkeypatch.setattr(Walk, "_refine", refine)
    cut_by_maxima = Walk._cut_by_maxima

    def cut(walk: Walk, front: StageState, node: Any, *arguments: Any) -> Any:
        move(front.live[node.inputs[0]])
        return cut_by_maxima(walk, front, node, *arguments)

    monkeypatch.setattr(Walk, "_cut_by_maxima", cut)


@pytest.mark.parametrize("size", [1e-12, 1e-2, 0.1])
@each[0]
@each[1]
def test_values_may_be_off_by_much(
    name: str, kind: str, size: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Orders and signs that contradict values, at most of the vertices with the larger error."""
    request = program_of(name, kind), plane_of(kind, NETS[name][1]), sv.Window.box(-2, 2, -2, 2)
    expected = sv.arrange(*request, certify="full", jobs=1)
    loosen(monkeypatch, size)
    referee = Referee(monkeypatch, 60)
    arr = sv.arrange(*request, certify="full", jobs=1)
    arr.check()
    assert arr.stats.certified and referee.seen > 100
    assert_same_patterns(arr.pattern_hash, expected.pattern_hash)


def test_entries_without_error_keep_their_values_where_others_tie_with_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A pixel that is 0 all over the plane, in windows of such pixels and in others."""
    monkeypatch.setattr(torch, "manual_seed", partial(lambda seed, n: seed(n + 170), torch.manual_seed))
    program, plane = program_of("pool of pool", "axes"), plane_of("axes", (1, 4, 4))
    referee = Referee(monkeypatch)
    arr = sv.arrange(program, plane, sv.Window.box(-2, 2, -2, 2), certify="full", jobs=1)
    assert arr.stats.certified and referee.seen > 100


def test_signs_that_are_decided_change_no_other_tensor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes of values count as errors of these, not of others in the same memory."""
    original, moved = Walk._refine, []

    def refine(walk: Walk, front: StageState, node: Any, word: int) -> Any:
        front.live[node.inputs[0]].flat[:] += 1e-3
        for live in front.live.values():
            live.proof = 1e-1 + live.proven()[1]
        others = {key: live.values.clone() for key, live in front.live.items() if key != node.inputs[0]}
        result = original(walk, front, node, word)
        assert all(torch.equal(front.live[key].values, values) for key, values in others.items())
        moved.append(bool(result.moved.any()) and len(others) > 0)
        return result

    monkeypatch.setattr(Walk, "_refine", refine)
    window = sv.Window.box(-2, 2, -2, 2)
    for kind in ("lattice", "axes"):
        sv.arrange(program_of("view", kind), plane_of(kind, (4,)), window, certify="full", jobs=1)
    assert any(moved)


PARALLEL: dict[str, tuple[Callable[[], nn.Module], Point]] = NETS | {
    "padded": (lambda: nn.Sequential(nn.ConstantPad2d(1, 0.5), nn.Conv2d(1, 2, 3), R(), nn.Flatten(), nn.Linear(32, 4)), (1, 4, 4)),
    "no constants": (lambda: nn.Sequential(nn.Conv2d(1, 3, 2, bias=False), R(), nn.Flatten(), nn.Linear(27, 4)), (1, 4, 4)),
    "scaled": (lambda: nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 8), R(), nn.Linear(8, 4), R()).eval(), (4,)),
    "input used again": (lambda: nn.Sequential(Residual(4), nn.Linear(4, 8), R()), (4,)),
}  # fmt: skip


def parallel(kind: str, shape: Point) -> tuple[list[sv.Plane], list[sv.Window]]:
    """Windows of two forms on planes of two families of parallel ones, through points on black ground that is
    wider than theirs."""
    rng, n = np.random.default_rng(2), math.prod(shape)
    ground, wider = np.arange(n) < n - n // 3, np.arange(n) < max(3, n // 3)
    points = rng.integers(-2, 3, (9, n)) / 2.0 if kind != "random" else rng.normal(size=(9, n))
    axes = {
        "random": rng.normal(size=(4, n)),
        "lattice": rng.integers(-2, 3, (4, n)),
        "axes": np.eye(n)[[0, 1, 1, n // 2]],
    }[kind]
    bases = [
        sv.Plane.through(0.0 * pair[0], *(pair * ground)).basis
        for pair in axes.reshape(2, 2, n).astype(float)
    ]
    planes = [
        sv.Plane(point * wider, bases[i % 2], shape, np.zeros((1, 2))) for i, point in enumerate(points)
    ]
    return planes, [
        sv.Window.diamond(0.75) if i % 3 else sv.Window.box(-1, 0.5, -0.5, 1) for i in range(len(points))
    ]


def parallel_program(name: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> sv.Program:
    monkeypatch.setattr("tests.engine.test_proofs.NETS", PARALLEL)
    return program_of(name, kind)


@pytest.mark.parametrize("name", PARALLEL)
@each[1]
def test_windows_on_parallel_planes_have_their_cells(
    name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their corners are sums of few products; those of each window alone are not."""
    program, (planes, windows) = parallel_program(name, kind, monkeypatch), parallel(kind, PARALLEL[name][1])
    alone = [
        sv.arrange(program, plane, window, certify="full", jobs=1)
        for plane, window in zip(planes, windows, strict=True)
    ]
    starts, original = [], StageState.begin

    def begin(front: StageState, program: sv.Program) -> None:
        original(front, program)
        starts.append(set(front.live))

    monkeypatch.setattr(StageState, "begin", begin)
    referee = Referee(monkeypatch)
    arr = sv.arrange(program, planes, windows, certify="full", jobs=1)
    arr.check()
    assert (starts[0] == {0}) == (name in ("relu of the input", "input used again")), (
        "else they start behind the first map"
    )
    assert arr.stats.certified and referee.seen > 100
    for i, one in enumerate(alone):
        assert_same_patterns(arr.pattern_hash[arr.cell_window == i], one.pattern_hash)


@pytest.mark.parametrize("name", PARALLEL)
@each[1]
def test_values_on_parallel_planes_may_be_anywhere_in_bounds(
    name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = parallel_program(name, kind, monkeypatch), *parallel(kind, PARALLEL[name][1])
    expected = sv.arrange(*request, certify="full", jobs=1)
    moved = disturb(monkeypatch)
    arr = sv.arrange(*request, certify="full", jobs=1)
    assert arr.stats.certified and max(moved) > 0.0
    assert_same_patterns(arr.pattern_hash, expected.pattern_hash)


def test_what_may_be_positive_is_not_cut_off_to_a_sure_zero() -> None:
    """Another unit vanishes where the new vertex is, as far as numbers tell; exactly, a little later or a
    little earlier."""
    born = np.zeros(1, BIRTH)
    born["b"], born["t"], born["proof"] = 1, 0.5, 1e-15
    z = np.array([[1.0, 1.0, 0.0, -1.0, 1.0], [-1.0, -1.0 - 1e-15, 0.0, -2.0, -1.1]])
    out, errors = np.empty((3, 5)), np.full(2, 1e-16)
    known = TensorErrors(np.ones(5), errors, errors, errors, errors, np.zeros(2))
    _, _, proof = extend_values(z, np.arange(2), born, out, known, True, True)
    assert out[2].tolist() == [TINY, TINY, 0.0, 0.0, 0.0], "both ends, or the distance, tell that it is zero"
    assert 1e-16 <= proof[2] < 4e-15, "at its nominal place it is known but for rounding"
    known = known._replace(shift=np.array([0.0, 0.06]))
    extend_values(z, np.arange(2), born, out, known, True, True)
    assert out[2].tolist() == [TINY, TINY, 0.0, 0.0, TINY], "the exact end may be where it is larger"


def test_what_is_cut_off_surely_is_so_where_the_exact_ends_are() -> None:
    """There an entry may differ by shares of what exact values differ by, more than computed ones do."""
    born = np.zeros(1, BIRTH)
    born["b"], born["t"] = 1, 0.97
    live = VertexValues(
        torch.tensor([[1.0], [-1.0]], dtype=torch.float64), np.zeros(2), proof=np.full(2, 0.9)
    )
    for doubt, cut in ((0.0, 0.0), (0.01, 0.0), (0.0132, TINY)):
        after = extend(live, np.arange(2), born, Buffers(), doubt=np.full(2, doubt), relu=True)
        assert after.flat[2, 0] == cut, doubt
    live.amend(np.array([[0.0, 0.0], [0.01, 0.01]]))
    assert live.proof is not None and live.proof[1] > 0.92 > live.proof[0]


def test_an_average_that_rounds_to_zero_is_not_taken_for_one() -> None:
    """Nothing but zeros goes into an entry that is dead, not what is small or cancels."""
    program = sv.load_program(nn.Sequential(nn.AvgPool1d(3), nn.Flatten(), nn.ReLU()), input_shape=(1, 6))
    values = torch.tensor([[[0.1, 1e-18, -0.1, 0.0, 0.0, 0.0]]], dtype=torch.float64)
    live = VertexValues(values, np.full(1, 1e-17), proof=np.full(1, 1e-17), zeros=Zeros.HERE)
    after = after_affine(program.nodes[0], [live], lambda node, x: (node.run(x), None))
    assert after.flat.tolist() == [[0.0, 0.0]] and after.scale is not None
    assert after.scale[0] > 0.0 == after.scale[1]


@pytest.mark.parametrize("size", [1e-200, 1e-160, 1e-90, 1e90, 1e150])
def test_norms_of_matrices_of_any_size(size: float) -> None:
    assert matrix_norm(torch.full((3, 4), size, dtype=torch.float64)) >= np.sqrt(12.0) * size


def test_ancestry_travels_with_what_its_vertices_come_from_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """And works where it arrives: corners have no births, only places."""
    program, plane, kept = program_of("overlapping pools", "random"), plane_of("random", (1, 4, 4)), []
    original = StageState.part

    def part(*arguments: Any) -> StageState:
        front = original(*arguments)
        kept.append((front.ancestry, len(front.subdivision.vertices)))
        return front

    monkeypatch.setattr(StageState, "part", part)
    sv.arrange(program, plane, sv.Window.box(-2, 2, -2, 2), certify="full", jobs=1, max_memory=200_000)
    assert len(kept) > 5
    for ancestry, n in kept[::7]:
        copy: Ancestry = pickle.loads(pickle.dumps(ancestry))
        assert places(program, copy, range(n)) == places(program, ancestry, range(n))
        assert copy.before is None
