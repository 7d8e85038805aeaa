"""Tensors that modules make of their weights and keep: with other weights a program has others, too."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import splineviz as sv


class Table(nn.Module):
    """A bias table that eval() turns into a tensor, as vision transformers have it."""

    def __init__(self) -> None:
        super().__init__()
        self.bias, self.first, self.last = nn.Parameter(torch.randn(8)), nn.Linear(4, 8), nn.Linear(8, 2)
        self.index = torch.tensor([3, 1, 2, 0, 4, 5, 7, 6])

    @torch.no_grad()
    def train(self, mode: bool = True) -> Table:
        super().train(mode)
        self.table = None if mode else self.bias[self.index]
        return self

    def forward(self, x: Tensor) -> Tensor:
        table = self.bias[self.index] if self.table is None else self.table
        return self.last(torch.relu(self.first(x) + table))


class Cached(nn.Module):
    """A normalised weight, kept by the first forward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.last, self.own = nn.Parameter(torch.randn(8, 4)), nn.Linear(8, 2), None

    def forward(self, x: Tensor) -> Tensor:
        if self.own is None:
            self.own = (self.weight / self.weight.norm()).detach()
        return self.last(torch.relu(x @ self.own.to(x.dtype).t()))


class Inside(nn.Module):
    """Such a module within another."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.end = Cached(), nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.end(torch.relu(self.body(x)))


class Buffered(nn.Module):
    """What is derived is a buffer that no state dict holds."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(4, 8), nn.Linear(8, 2)
        self.register_buffer("size", self.first.weight.detach().abs().sum(), persistent=False)

    def train(self, mode: bool = True) -> Buffered:
        self.size = self.first.weight.detach().abs().sum()
        return super().train(mode)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.relu(self.first(x)) / self.size)


class Masked(nn.Module):
    """A tensor that has nothing to do with weights, and may be missing."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.mask = nn.Linear(4, 4), torch.tensor([1.0, 0.0, 1.0, 0.5])

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x))
        return x if self.mask is None else x * self.mask


class Stubborn(Masked):
    def __deepcopy__(self, memo: object) -> Stubborn:
        raise RuntimeError("no copies")


MODULES = [Table, Cached, Inside, Buffered, Masked]


@pytest.mark.parametrize("make", MODULES)
def test_other_weights(make: type[nn.Module], tmp_path: Path) -> None:
    torch.manual_seed(0)
    old, new, x = make().eval(), make().eval(), torch.randn(5, 4)
    before, wanted = old(x).detach(), new(x).detach()
    state = {key: value.clone() for key, value in old.state_dict().items()}
    program = sv.load_program(old, input_shape=4)
    rebound = program.rebind(new.state_dict())
    torch.testing.assert_close(rebound.forward(x.double()).float(), wanted)
    torch.testing.assert_close(rebound.rebind(state).forward(x.double()).float(), before)
    torch.save(new.state_dict(), tmp_path / "step-1.pt")
    (run,) = sv.Checkpoints(old, tmp_path, input_shape=4)
    torch.testing.assert_close(run.forward(x.double()).float(), wanted)
    points = x.double().numpy()
    found = sv.local_complexity(rebound, points, radius=0.1, directions=2)
    again = sv.local_complexity(sv.load_program(new, input_shape=4), points, radius=0.1, directions=2)
    assert (found.counts == again.counts).all()
    torch.testing.assert_close(old(x), before, rtol=0, atol=0)


def test_a_module_that_cannot_be_copied_is_read_but_not_rebound() -> None:
    module = Stubborn().eval()
    program = sv.load_program(module, input_shape=4)
    with pytest.raises(sv.InputError, match=r"cannot be copied, to have other weights: .*no copies"):
        program.rebind(module.state_dict())
