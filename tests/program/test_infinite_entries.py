"""Entries that are infinite whatever the input: they leave the windows of maxima."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import splineviz as sv
from splineviz.errors import InputError
from splineviz.program.nodes import Maximum

INF = float("inf")


class Apply(nn.Module):
    """A layer, a function with a number that stands for "none", a layer."""

    def __init__(self, function: Callable[[Tensor, float], Tensor], fill: float) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.conv, self.out = nn.Conv2d(1, 2, 2), nn.LazyLinear(3)
        self.function, self.fill = function, fill

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.out(self.function(self.conv(x), self.fill).flatten(1))
        return found


MASK = torch.tensor([1, 0, 0, 1, 0, 0]).bool()


def padded(x: Tensor, fill: float) -> Tensor:
    return functional.max_pool2d(functional.pad(x, (0, 1, 0, 1), value=fill), 3, 2)


def empty_windows(x: Tensor, fill: float) -> Tensor:
    return functional.max_pool2d(functional.pad(x, (0, 4, 0, 0), value=fill), 2).relu()


def masked(x: Tensor, fill: float) -> Tensor:
    return torch.stack([x.masked_fill(MASK, fill).amax(3), x.masked_fill(~MASK, fill).amax(3)], 1)


def smallest(x: Tensor, fill: float) -> Tensor:
    return x.masked_fill(MASK, -fill).amin(3)


def of_two(x: Tensor, fill: float) -> Tensor:
    return torch.maximum(x, x.flip(2).masked_fill(MASK, fill))


@pytest.mark.parametrize(
    "function", [padded, empty_windows, masked, smallest, of_two], ids=lambda f: f.__name__
)
def test_infinite_candidates_are_as_good_as_very_small_ones(
    function: Callable[[Tensor, float], Tensor],
) -> None:
    points = np.random.default_rng(0).normal(size=(3, 1, 7, 7))
    plane = sv.Plane.through(*points)
    found = {}
    for fill in (-1e30, -INF):
        net = Apply(function, fill)
        net(torch.zeros(1, 1, 7, 7))
        program = sv.load_program(net.eval(), input_shape=(1, 7, 7))
        arr = sv.arrange(program, plane, sv.Window.around(plane), certify="full")
        arr.check()
        assert arr.certified and arr.n_cells > 30
        counts = sv.local_complexity(net, points, radius=0.1, directions=3, seed=0).totals
        found[fill] = arr.areas, counts
    assert program.fidelity is not None and program.fidelity.float64 == pytest.approx(0, abs=1e-12)
    assert all(np.isin(node.windows, -1).any() for node in program.nodes if isinstance(node, Maximum))
    (small, counts), (none, counts_too) = found.values()
    np.testing.assert_allclose(np.sort(none), np.sort(small), rtol=1e-9, atol=1e-15)
    np.testing.assert_array_equal(counts_too, counts)


def test_an_infinite_entry_that_is_read_by_anything_else_is_an_error() -> None:
    def added(x: Tensor, fill: float) -> Tensor:
        return functional.avg_pool2d(functional.pad(x, (0, 1, 0, 1), value=fill), 7)

    net = Apply(added, -INF)
    net(torch.zeros(1, 1, 7, 7))
    with pytest.raises(InputError, match="infinite"):
        sv.load_program(net.eval(), input_shape=(1, 7, 7))


def test_infinity_of_the_wrong_sign_is_an_error() -> None:
    net = Apply(padded, INF)
    net(torch.zeros(1, 1, 7, 7))
    with pytest.raises(InputError, match="infinite"):
        sv.load_program(net.eval(), input_shape=(1, 7, 7))


class Mask(nn.Module):
    """A buffer of -inf where nothing is to be chosen."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.first, self.last = nn.Linear(4, 6), nn.Linear(1, 2)
        self.register_buffer("mask", torch.tensor([0, -INF, 0, 0, -INF, 0]))

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.last((self.first(x) + self.mask).amax(1, keepdim=True))
        return found


def test_infinite_buffers_that_are_meant() -> None:
    module, other, points = Mask().eval(), Mask().eval(), np.random.default_rng(0).normal(size=(3, 4))
    program, plane = sv.load_program(module, input_shape=4), sv.Plane.through(*points)
    assert program.n_units == 1
    assert program.fidelity is not None and program.fidelity.float64 == pytest.approx(0, abs=1e-12)
    arr = sv.arrange(program, plane, sv.Window.around(plane, 3.0), certify="full")
    arr.check()
    assert arr.certified and arr.n_cells == 3
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.mul_(2.0)
    x = torch.from_numpy(points)
    rebound = program.rebind(other.state_dict())
    torch.testing.assert_close(rebound.forward(x), other.double()(x))
    assert sv.local_complexity(module.float(), points, radius=5.0, directions=3).totals.sum() > 0


def test_parameters_that_are_infinite_have_diverged() -> None:
    module = Mask().eval()
    with torch.no_grad():
        module.first.bias[0] = -INF
    with pytest.raises(InputError, match=r"NaN or infinite weights: first\.bias"):
        sv.load_program(module, input_shape=4)


class Boxed(nn.Module):
    """Bounds that are missing for some entries."""

    def __init__(self, function: Callable[[Tensor, Tensor, Tensor], Tensor], largest: float) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last, self.function = nn.Linear(2, 4), nn.Linear(4, 2), function
        low, high = torch.tensor([0.0, -INF, -0.5, -INF]), torch.tensor([INF, 0.3, 0.4, INF])
        self.register_buffer("low", low.clamp(min=-largest))
        self.register_buffer("high", high.clamp(max=largest))

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.last(self.function(self.first(x), self.low, self.high))
        return found


BOXES = {
    "clamp": (torch.clamp, 4),
    "two": (lambda z, low, high: torch.minimum(torch.maximum(z, low), high), 4),
    "below": (lambda z, low, high: z.clamp(min=low), 2),
    "above": (lambda z, low, high: torch.min(high, z), 2),
}


@pytest.mark.parametrize("name", BOXES)
def test_bounds_may_be_infinite_for_some_entries(name: str) -> None:
    function, units = BOXES[name]
    module, large = Boxed(function, INF).eval(), Boxed(function, 1e6).eval()
    program = sv.load_program(module)
    assert program.n_units == units
    x = torch.randn(40, 2, dtype=torch.float64)
    torch.testing.assert_close(program.forward(x), module.double()(x).detach(), rtol=1e-12, atol=1e-12)
    programs = program, sv.load_program(large)
    found = [sv.arrange(p, sv.Plane.identity(), sv.Window.box(-2, 2, -2, 2)).n_cells for p in programs]
    assert found[0] == found[1]
    counts = [sv.local_complexity(m.float(), x, radius=0.5, directions=2).counts for m in (module, large)]
    np.testing.assert_array_equal(counts[0].sum(-1), counts[1].sum(-1))


def test_bounds_that_leave_infinity_are_refused() -> None:
    with pytest.raises(sv.NotPiecewiseAffineError, match="bounds that leave nothing but infinity"):
        sv.load_program(Boxed(lambda z, low, high: z.clamp(min=-low.abs() * -1), INF).eval())
