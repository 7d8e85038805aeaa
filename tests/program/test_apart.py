"""Modules that keep the batch axis elsewhere than in front: read one input at a time, where inputs are apart."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import splineviz as sv
from splineviz.errors import NotPiecewiseAffineError

torch.set_num_threads(1)
LENGTH, WIDTH = 3, 4

Body = Callable[["Sequence", Tensor], Tensor]


class Sequence(nn.Module):
    """Layers for sequences, (batch, length, features), and what is done with them."""

    def __init__(self, body: Body) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.each, self.last = nn.Linear(WIDTH, WIDTH), nn.Linear(LENGTH * WIDTH, 2)
        self.recurrent = nn.RNN(WIDTH, WIDTH, nonlinearity="relu")
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        return self.body(self, x)


def recurrence(net: Sequence, x: Tensor) -> Tensor:
    state = torch.zeros(x.shape[0], WIDTH, dtype=x.dtype)
    for step in x.permute(1, 0, 2):
        state = (net.each(step) + state).relu()
    return state


def written_through_a_view(net: Sequence, x: Tensor) -> Tensor:
    """A write into every second row of all inputs, one below the other."""
    made = net.each(x)
    made.view(LENGTH * len(x), WIDTH // 2, 2)[:, 0] = 0
    return made.relu()


def along_positions(net: Sequence, x: Tensor) -> Tensor:
    """The mean over positions, which are an axis before the batch."""
    first = x.transpose(0, 1)
    return (first - first.mean(0, keepdim=True)).relu().transpose(0, 1).flatten(1)


READ: dict[str, tuple[Body, int]] = {
    "transposed": (lambda n, x: n.last(n.each(x.transpose(0, 1)).relu().transpose(0, 1).flatten(1)), 12),
    "in place": (lambda n, x: n.last((x + 0).transpose_(0, 1).relu().transpose(0, 1).flatten(1)), 12),
    "folded": (lambda n, x: n.last(n.each(x.reshape(-1, WIDTH)).relu().reshape(-1, LENGTH * WIDTH)), 12),
    "flattened": (lambda n, x: n.last(n.each(x.flatten(0, 1)).relu().unflatten(0, (-1, LENGTH)).flatten(1)), 12),
    "last": (lambda n, x: torch.einsum("eln,fe->fln", x.permute(2, 1, 0), n.each.weight).relu().permute(2, 1, 0), 12),
    "stacked": (lambda n, x: n.last(torch.stack(x.unbind(1)).relu().transpose(0, 1).flatten(1)), 12),
    "largest": (lambda n, x: n.each(x.transpose(0, 1)).amax(0), 4),
    "of columns": (lambda n, x: (n.last.weight @ x.flatten(1).T).relu().T, 2),
    "recurrence": (recurrence, 12),
    "recurrent layer": (lambda n, x: n.recurrent(x.transpose(0, 1))[0][-1], 12),
    "along positions": (along_positions, 12),
    "a loop": (lambda n, x: torch.stack([n.each(one).relu() for one in x]), 12),
    "written": (written_through_a_view, 12),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_is_read(name: str) -> None:
    body, units = READ[name]
    module, x = Sequence(body).eval(), torch.randn(5, LENGTH, WIDTH)
    program = sv.load_program(module, input_shape=(LENGTH, WIDTH))
    assert program.n_units == units
    torch.testing.assert_close(program.forward(x.double()).float(), module(x).detach())
    other = {key: 2 * value for key, value in module.state_dict().items()}
    rebound = program.rebind(other)
    module.load_state_dict(other)
    torch.testing.assert_close(rebound.forward(x.double()).float(), module(x).detach())
    found = sv.local_complexity(program, x.double(), directions=2, radius=0.5)
    assert found.totals.shape[-1] == 5


MIXED: dict[str, tuple[Body, str]] = {
    "mean": (lambda n, x: (x - x.mean(0)).relu().flatten(1), "mean mixes the inputs of the batch"),
    "moved, mean": (
        lambda n, x: (x.transpose(0, 1) - x.transpose(0, 1).mean(1, keepdim=True)).relu().transpose(0, 1),
        "transpose mixes the inputs of the batch",
    ),
    "moved, sums": (
        lambda n, x: x.transpose(0, 1).cumsum(1).relu().transpose(0, 1),
        "transpose mixes the inputs of the batch",
    ),
    "where others are large": (
        lambda n, x: (x.permute(1, 2, 0) + (x.permute(1, 2, 0).sum(2, keepdim=True) - 1e3).relu()).permute(2, 0, 1),
        "permute mixes the inputs of the batch",
    ),
    "turned round": (lambda n, x: x.transpose(0, 1).flip(1).relu().transpose(0, 1), "transpose mixes the inputs of the batch"),
    "largest of all": (
        lambda n, x: n.each(x.reshape(-1, WIDTH)).amax(0, keepdim=True).expand(len(x), WIDTH),
        "reshape makes a tensor whose size depends on .* or on the number of inputs",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MIXED)
def test_inputs_that_are_mixed_are_refused(name: str) -> None:
    body, words = MIXED[name]
    with pytest.raises(NotPiecewiseAffineError, match=words):
        sv.load_program(Sequence(body).eval(), input_shape=(LENGTH, WIDTH))


def test_all_that_is_not_piecewise_affine_is_listed_behind_a_move() -> None:
    module = Sequence(lambda n, x: torch.tanh(n.each(x.transpose(0, 1)).softmax(-1)).transpose(0, 1)).eval()
    with pytest.raises(NotPiecewiseAffineError) as caught:
        sv.load_program(module, input_shape=(LENGTH, WIDTH))
    listed = str(caught.value)
    assert "softmax" in listed and "tanh" in listed and "transpose" not in listed
