"""The decision boundary alone is that of the whole arrangement, and of closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.arrangement.decisions.boundary import TiedSegments, tied_segments
from splineviz.errors import InputError

PLANE, WINDOW = sv.Plane.identity(), sv.Window.box(-1.0, 1.0, -1.0, 1.0)


def dense(
    *widths: int, bias: bool = True, act: Callable[[], nn.Module] = nn.ReLU, scale: float = 1.0
) -> nn.Module:
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out, bias=bias), act()]
    with torch.no_grad():
        for layer in layers[::2]:
            layer.weight *= scale
    return nn.Sequential(*layers[:-1])


def whole(*widths: int) -> nn.Module:
    """Weights of -2 ... 2, so that lines meet in points and outputs tie along edges."""
    model = dense(*widths)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randint(-2, 3, parameter.shape).to(parameter.dtype))
    return model


class Centred(nn.Module):
    """A network without the means of its outputs, so that they meet in the window."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        with torch.no_grad():
            mean = model(2.0 * torch.rand(500, 2) - 1.0).mean(0)
        self.register_buffer("mean", mean)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model(x) - self.mean


def program_of(kind: str) -> tuple[sv.Program, float | None]:
    torch.manual_seed(0)
    make, level = KINDS[kind]
    model = make().eval()
    return sv.load_program(model if kind in AS_THEY_ARE else Centred(model), input_shape=(2,)), level


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.a, self.b = nn.Linear(2, 12), nn.Linear(12, 12), nn.Linear(12, 12)
        self.last = nn.Linear(24, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.relu(self.first(x))
        h = h + torch.relu(self.a(h))
        g = h - torch.relu(self.b(h))
        return self.last(torch.cat([h, g], 1))


class Maxout(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(2, 24), nn.Linear(8, 24), nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.first(x).reshape(-1, 8, 3).amax(2)
        return self.last(self.second(h).reshape(-1, 8, 3).amax(2))


class Twice(nn.Module):
    """Both outputs are one function where x < 0, so that they tie on an open set."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        bent = torch.relu(x[:, :1])
        return torch.cat([x[:, 1:] + bent, x[:, 1:] - 0.5 * bent, x[:, 1:] - 3.0 + 0.0 * bent], 1)


def image(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(2, 36), nn.Unflatten(1, (1, 6, 6)), *layers)


KINDS: dict[str, tuple[Callable[[], nn.Module], float | None]] = {
    "one layer": (lambda: dense(2, 40, 3), None),
    "two layers": (lambda: dense(2, 40, 30, 5), None),
    "three layers, 10 outputs": (lambda: dense(2, 40, 40, 40, 10, scale=1.8), None),
    "two outputs": (lambda: dense(2, 150, 40, 2, scale=1.5), None),
    "one output": (lambda: dense(2, 90, 40, 1, scale=1.5), 0.05),
    "one output, no level": (lambda: dense(2, 50, 50, 1, scale=2.0), None),
    "deep": (lambda: dense(2, *[8] * 10, 2, scale=1.6), None),
    "zero bias": (lambda: dense(2, 30, 30, 4, bias=False, scale=2.0), None),
    "linear": (lambda: nn.Linear(2, 4), None),
    "leaky": (lambda: dense(2, 40, 40, 3, act=lambda: nn.LeakyReLU(0.2), scale=1.5), None),
    "prelu": (lambda: dense(2, 30, 30, 3, act=lambda: nn.PReLU(init=1.6), scale=1.5), None),
    "hardtanh": (lambda: dense(2, 30, 30, 3, act=nn.Hardtanh, scale=3.0), None),
    "hardsigmoid, softshrink": (
        lambda: nn.Sequential(
            nn.Linear(2, 30), nn.Hardsigmoid(), nn.Linear(30, 30), nn.Softshrink(0.1), nn.Linear(30, 3)
        ),
        None,
    ),
    "residual": (Residual, None),
    "maxout": (Maxout, None),
    "convolutions": (
        lambda: image(
            nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 4)
        ),
        None,
    ),
    "max-pool": (
        lambda: image(nn.Conv2d(1, 3, 3), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(12, 3)),
        None,
    ),
    "average pool, batch-norm": (
        lambda: image(
            nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(12, 3)
        ).eval(),
        None,
    ),
    "whole weights": (lambda: whole(2, 8, 8, 3), None),
    "whole weights, one output": (lambda: whole(2, 8, 8, 1), 1.0),
    "ties on open sets": (Twice, None),
}

AS_THEY_ARE = ("one output", "zero bias", "whole weights", "whole weights, one output", "ties on open sets")


def same(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray], off: float) -> bool:
    """Whether two lists of segments with their classes are one set, up to ``off`` at the ends."""
    (a, of_a), (b, of_b) = one, other
    if len(a) != len(b):
        return False
    order = [np.where((s[:, :1, :] > s[:, 1:, :]).any(2, keepdims=True), s, s) for s in (a, b)]
    a, b = order
    direct = np.abs(a[:, None] - b[None]).max((2, 3))
    turned = np.abs(a[:, None] - b[None, :, ::-1]).max((2, 3))
    near = (np.minimum(direct, turned) <= off) & (of_a[:, None] == of_b[None]).all(2)
    return bool(near.any(0).all() and near.any(1).all())


def full(program: sv.Program, level: float | None) -> tuple[sv.Arrangement, TiedSegments]:
    arr = sv.arrange(program, PLANE, WINDOW)
    return arr, tied_segments(arr, arr.affine, level=level, proof=arr._proof)


@pytest.mark.parametrize("kind", KINDS)
def test_the_segments_are_those_of_the_whole_arrangement(kind: str) -> None:
    program, level = program_of(kind)
    arr, found = full(program, level)
    assert len(found.ends)
    alone = sv.decision_boundary(program, PLANE, WINDOW, level=level)
    off = 1e-9 + 4.0 * max(arr.stats.largest_displacement or 1e-9, alone.stats.largest_displacement or 0.0)
    assert same((found.ends, found.classes), (alone.segments, alone.classes), off)
    assert alone.certified >= (arr.stats.certified and not found.open)
    assert alone.n_cells <= arr.n_cells
    assert sum(alone.left_out) > 0 or len(program.stages) < 2 or arr.n_cells < 200


@pytest.mark.parametrize(
    "kind", ["three layers, 10 outputs", "whole weights", "maxout", "residual", "max-pool"]
)
@pytest.mark.parametrize(
    "how", [{"max_memory": 400_000, "jobs": 1}, {"max_memory": 400_000, "jobs": 2}, {"certify": "off"}]
)
def test_batches_workers_and_estimates_change_nothing(kind: str, how: dict[str, object]) -> None:
    program, level = program_of(kind)
    _, found = full(program, level)
    alone = sv.decision_boundary(program, PLANE, WINDOW, level=level, **how)
    assert same((found.ends, found.classes), (alone.segments, alone.classes), 1e-7)
    assert alone.certified is (how.get("certify") != "off")


def test_small_budgets_divide_the_work_and_leave_faces_out() -> None:
    program, _ = program_of("three layers, 10 outputs")
    alone = sv.decision_boundary(program, PLANE, WINDOW, max_memory=400_000, jobs=1)
    assert alone.stats.batches > 3
    assert min(alone.left_out[1:]) > 0


class Shifted(nn.Module):
    """A network with a number added to every output, behind a constant one if ``level`` is given."""

    def __init__(self, model: nn.Module, shift: float, level: float | None = None) -> None:
        super().__init__()
        self.model, self.shift, self.level = model, shift, level

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shifted = self.model(x) + self.shift
        if self.level is None:
            return shifted
        return torch.cat([0.0 * shifted + self.level, shifted], 1)


@pytest.mark.parametrize("shift", [-64.0, 64.0])
def test_what_all_outputs_have_in_common_changes_nothing(shift: float) -> None:
    torch.manual_seed(0)
    model = Centred(dense(2, 30, 30, 3, scale=2.0))
    plain, shifted = (
        sv.decision_boundary(sv.load_program(net, input_shape=(2,)), PLANE, WINDOW)
        for net in (model, Shifted(model, shift))
    )
    assert len(plain) > 20
    assert same((plain.segments, plain.classes), (shifted.segments, shifted.classes), 1e-9)
    assert sum(plain.left_out) == pytest.approx(sum(shifted.left_out), rel=0.1)


@pytest.mark.parametrize("level", [0.0, 0.125])
def test_a_level_is_an_output_that_is_constant(level: float) -> None:
    torch.manual_seed(0)
    model = Centred(dense(2, 30, 30, 30, 1, scale=2.0))
    alone = sv.decision_boundary(sv.load_program(model, input_shape=(2,)), PLANE, WINDOW, level=level)
    pair = sv.load_program(Shifted(model, 0.0, level=level), input_shape=(2,))
    against = sv.decision_boundary(pair, PLANE, WINDOW)
    assert sum(alone.left_out) > 100
    assert same((alone.segments, alone.classes), (against.segments, against.classes), 1e-9)
    assert alone.left_out == pytest.approx(against.left_out, rel=0.1, abs=2)


def polygon(n: int) -> nn.Module:
    """max over n directions of <x, direction>, from relus: 1 on a regular polygon with incircle 1."""

    class Gauge(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            angle = 2.0 * math.pi * torch.arange(n, dtype=torch.float64) / n
            self.directions = nn.Linear(2, n, bias=False).double()
            self.directions.weight.data = torch.stack([angle.cos(), angle.sin()], 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.directions(x).amax(1, keepdim=True)

    return Gauge()


@pytest.mark.parametrize("n", [3, 12, 100])
def test_a_level_set_that_is_a_regular_polygon(n: int) -> None:
    found = sv.decision_boundary(polygon(n), PLANE, sv.Window.box(-3, 3, -3, 3), level=1.0)
    assert len(found) == n
    assert found.length == pytest.approx(2 * n * math.tan(math.pi / n), rel=1e-12)
    assert found.certified
    assert set(map(tuple, found.classes.tolist())) == {(0, 1)}


class OneNorm(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.abs().sum(1, keepdim=True)


def test_the_one_norm_is_level_on_a_square() -> None:
    found = sv.decision_boundary(OneNorm(), PLANE, WINDOW, level=0.5)
    ends = found.segments.reshape(-1, 2)
    assert found.lengths == pytest.approx(np.full(4, math.sqrt(0.5)))
    assert np.abs(ends).sum(1) == pytest.approx(np.full(8, 0.5))


@pytest.mark.parametrize(("level", "why"), [(3.0, "beyond the window"), (-0.5, "below the least value")])
def test_no_boundary_is_proven_and_leaves_no_cell(level: float, why: str) -> None:
    found = sv.decision_boundary(OneNorm(), PLANE, WINDOW, level=level)
    assert (len(found), found.n_cells, found.length) == (0, 0, 0.0), why
    assert found.certified
    assert found.left_out == (1,)


def test_a_boundary_along_an_edge_is_there_once() -> None:
    class Step(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            bent = torch.relu(x[:, :1])
            return torch.cat([bent, 2.0 * bent - torch.relu(-x[:, :1])], 1)

    found = sv.decision_boundary(Step(), PLANE, WINDOW)
    assert len(found) == 1
    assert sorted(map(tuple, found.segments[0].tolist())) == [(0.0, -1.0), (0.0, 1.0)]


def test_budgets_end_the_work_and_say_so() -> None:
    torch.manual_seed(0)
    program = sv.load_program(dense(2, 60, 60, 60, 3, scale=2.0))
    every = sv.decision_boundary(program, PLANE, WINDOW)
    some = sv.decision_boundary(program, PLANE, WINDOW, max_cells=20)
    none = sv.decision_boundary(program, PLANE, WINDOW, seconds=1e-6)
    assert some.status is none.status is sv.Status.INCOMPLETE
    assert some.n_cells <= 20
    assert len(some) < len(every)
    assert len(none) == 0
    assert not some.certified
    assert "incomplete" in repr(none)
    where = np.abs(some.segments[:, None] - every.segments[None]).max((2, 3)).min(1)
    assert (where < 1e-9).all()


def test_bad_input_is_one_clear_error() -> None:
    one, two = nn.Linear(2, 1), nn.Linear(2, 2)
    with pytest.raises(InputError, match="a level belongs to a network with one output, and this one has 2"):
        sv.decision_boundary(two, PLANE, WINDOW, level=0.0)
    with pytest.raises(InputError, match="level must be a finite number, got nan"):
        sv.decision_boundary(one, PLANE, WINDOW, level=math.nan)
    with pytest.raises(InputError, match="window must be one Window, got list"):
        sv.decision_boundary(one, PLANE, [WINDOW])
    with pytest.raises(InputError, match="max_cells must be a whole number of at least 1, got 0"):
        sv.decision_boundary(one, PLANE, WINDOW, max_cells=0)
