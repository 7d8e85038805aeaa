"""Modules that keep things: read, copied where they get other weights, and left as they were found."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune, weight_norm

import splineviz as sv

torch.set_num_threads(1)


def _net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2)).eval()


class Keeping(nn.Module):
    """A module that keeps an activation, fills caches, counts, and holds what cannot be copied."""

    seen: list[Tensor] = []

    def __init__(self) -> None:
        super().__init__()
        self.net, self.act, self.grid, self.cache = _net(), None, None, {}
        self.calls, self.lock, self.numbers = 0, threading.Lock(), (i for i in range(3))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        if self.grid is None:
            self.grid = torch.linspace(0, 1, 8, dtype=x.dtype)
        with self.lock:
            shift = self.cache.setdefault("shift", torch.ones(8, dtype=x.dtype)) * self.grid
        self.act = torch.relu(self.net[0](x) + shift)
        self.seen.append(self.act)
        return self.net[2](self.act)


class KeepingTwo(Keeping):
    """A module of two inputs and outputs, whose class inherits what it keeps."""

    def forward(self, x: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        y = super().forward(x + shift)
        return y, x


class Watching:
    def __init__(self, module: nn.Module) -> None:
        self.features: dict[str, list[Tensor]] = {}
        module.register_forward_hook(self.keep)

    def keep(self, module: nn.Module, given: tuple[Tensor, ...], result: Tensor) -> None:
        self.features.setdefault("relu", []).append(result.detach())


def test_a_module_with_a_fixed_input_is_left_as_it_was() -> None:
    module = KeepingTwo().eval()
    program = sv.load_program(module, input_shape=2, fix={"shift": torch.ones(2)}, output=0)
    assert (module.calls, module.act, module.grid, module.cache, module.seen) == (0, None, None, {}, [])
    x = torch.randn(5, 2)
    with torch.no_grad():
        torch.testing.assert_close(program.forward(x.double()).float(), module(x, torch.ones(2))[0])
    module.seen.clear()


@pytest.mark.parametrize(
    "read", [sv.load_program, lambda m: sv.local_complexity(m, torch.randn(3, 2), directions=2)]
)
def test_caches_and_what_hooks_keep_are_left_as_they_were(read: Callable[[nn.Module], object]) -> None:
    module, log = Keeping(), []
    watching = Watching(module.net[2])
    module.net[0].register_forward_hook(lambda m, given, result: log.append(result))
    read(module.eval())
    assert (module.act, module.grid, module.cache, module.calls) == (None, None, {}, 0)
    assert (log, watching.features, Keeping.seen) == ([], {}, [])
    module(torch.randn(3, 2))
    act, features = module.act, list(watching.features["relu"])
    read(module)
    assert module.act is act
    assert all(a is b for a, b in zip(watching.features["relu"], features, strict=True))
    assert len(log) == len(Keeping.seen) == 1
    Keeping.seen.clear()


def _pruned() -> nn.Module:
    module = _net()
    prune.l1_unstructured(module[0], "weight", 0.5)
    return module


def _normed() -> nn.Module:
    module = _net()
    with pytest.warns(FutureWarning):
        weight_norm(module[0])
    return module


def _kept() -> nn.Module:
    module = Keeping()
    module(torch.randn(2, 2))
    Keeping.seen.clear()
    return module


@pytest.mark.parametrize("make", [_pruned, _normed, _kept])
def test_modules_that_torch_does_not_copy_take_other_weights(make: Callable[[], nn.Module]) -> None:
    module, other, x = make().eval(), make().eval(), torch.randn(5, 2)
    with torch.no_grad():
        for value in other.parameters():
            value.mul_(1.5)
    before = module(x).detach()
    program = sv.load_program(module, weights=other.state_dict())
    torch.testing.assert_close(program.forward(x.double()).float(), other(x).detach())
    torch.testing.assert_close(module(x).detach(), before, rtol=0, atol=0)
    Keeping.seen.clear()


def test_compiled_parts_are_read_and_not_compiled() -> None:
    net = _net()
    module = nn.Sequential(torch.compile(net[0]), net[1], torch.compile(net[2]))
    begun, x = time.perf_counter(), torch.randn(4, 2, dtype=torch.float64)
    program = sv.load_program(module, input_shape=2)
    assert time.perf_counter() - begun < 15
    torch.testing.assert_close(program.forward(x).float(), net(x.float()).detach())
    assert {stage.n_units for stage in program.stages} == {8}


class Graph(nn.Module):
    """Sums over the neighbours of each node, by a sparse matrix, and a layer with sparse weights."""

    def __init__(self, layout: torch.layout) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(2, 3)
        self.register_buffer("neighbours", torch.eye(4).roll(1, 0).to_sparse(layout=layout))
        self.weight = nn.Parameter((torch.rand(3, 5) * torch.tensor([1.0, 0.0, 1.0, 0.0, 1.0])).to_sparse())

    def forward(self, x: Tensor) -> Tensor:
        z = torch.relu(self.neighbours.to_dense().to(x.dtype) @ self.layer(x))
        return torch.sparse.mm(z.sum(1), self.weight)


@pytest.mark.parametrize("layout", [torch.sparse_coo, torch.sparse_csr])
def test_sparse_matrices_are_read(layout: torch.layout) -> None:
    module, x = Graph(layout).eval(), torch.randn(5, 4, 2)
    expected = module(x).detach()
    program = sv.load_program(module, input_shape=(4, 2))
    assert program.n_units == 12
    other = sv.load_program(module, input_shape=(4, 2), weights=module.state_dict())
    for read in (program, other, program.rebind(module.state_dict())):
        torch.testing.assert_close(read.forward(x.double()).float(), expected)
    assert module.neighbours.layout == layout
    assert module.weight.layout == torch.sparse_coo
    assert sv.local_complexity(module, x, directions=2).counts.shape[-2:] == (5, 1)
