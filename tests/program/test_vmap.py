"""Modules with torch.vmap inside: ensembles of stacked weights, and functions of one input."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import splineviz as sv

torch.set_num_threads(1)


def _net() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))


class Ensemble(nn.Module):
    def __init__(self, joined: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        stacked, _ = torch.func.stack_module_state([_net() for _ in range(3)])
        self.stacked = nn.ParameterDict({k.replace(".", "_"): v.detach() for k, v in stacked.items()})
        self.joined = joined
        self.__dict__["net"] = _net()

    def forward(self, x: Tensor) -> Tensor:
        def one(weights: dict[str, Tensor]) -> Tensor:
            named = {name.replace("_", "."): value for name, value in weights.items()}
            made: Tensor = torch.func.functional_call(self.net, named, (x,))
            return made

        return self.joined(torch.vmap(one)(dict(self.stacked)))


class Single(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = _net()

    def forward(self, x: Tensor) -> Tensor:
        return torch.vmap(lambda one: self.net(torch.where(one > 0, one, 0.1 * one)))(x)


MODULES: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "mean": (lambda: Ensemble(lambda y: y.mean(0)), 24),
    "side by side": (lambda: Ensemble(lambda y: y.permute(1, 0, 2).flatten(1)), 24),
    "largest": (lambda: Ensemble(lambda y: y.amax(0)), 26),
    "one less another": (lambda: Ensemble(lambda y: y[0] - y[1].relu()), 26),
    "single": (Single, 12),
}


@pytest.mark.parametrize("name", MODULES)
def test_is_read(name: str) -> None:
    make, units = MODULES[name]
    module, x = make().eval(), torch.randn(5, 4)
    program = sv.load_program(module, input_shape=4)
    assert program.n_units == units
    torch.testing.assert_close(program.forward(x.double()).float(), module(x).detach())
    other = {key: 2 * value for key, value in module.state_dict().items()}
    rebound = program.rebind(other)
    module.load_state_dict(other)
    torch.testing.assert_close(rebound.forward(x.double()).float(), module(x).detach())
    assert sv.local_complexity(module, x, directions=2).counts.shape[-2] == 5


def test_what_torch_cannot_export_leaves_no_vmap_behind() -> None:
    class Along(Single):
        def forward(self, x: Tensor) -> Tensor:
            return self.net(torch.vmap(lambda one: one.relu() - 0.5, in_dims=1, out_dims=1)(x))

    module, x = Along().eval(), torch.randn(5, 4)
    with contextlib.suppress(sv.InputError):  # a fault of torch 2.13
        program = sv.load_program(module, input_shape=4)
        torch.testing.assert_close(program.forward(x.double()).float(), module(x).detach())
    assert not torch._C._functorch.get_interpreter_stack()
