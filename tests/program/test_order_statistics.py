"""Cells of order statistics: those of the ranks that are read, and no others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import splineviz as sv
from splineviz.errors import NotPiecewiseAffineError
from splineviz.estimators.tape import Tape

torch.set_num_threads(1)
Orders = Callable[[np.ndarray], np.ndarray]


class Ordered(nn.Module):
    """Lines, an order statistic of them, and a sum with weights that all differ."""

    def __init__(self, function: Callable[[Tensor], Tensor], n: int) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.lines, self.function = nn.Linear(2, n), function
        self.last = nn.Linear(function(torch.zeros(2, n)).shape[1], 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.function(self.lines(x)))


def ranks(*sizes: int) -> Orders:
    """Which entries have the first so many ranks, in any order, which the next so many, and so on."""

    def orders(values: np.ndarray) -> np.ndarray:
        order = np.argsort(-values, 1)
        parts = np.split(order, np.cumsum(sizes), 1)[: len(sizes)]
        return np.hstack([np.sort(part, 1) for part in parts])

    return orders


def so_far(values: np.ndarray) -> np.ndarray:
    return np.array([[row[: i + 1].argmax() for i in range(len(row))] for row in values])


CASES: dict[str, tuple[Callable[[Tensor], Tensor], int, Orders]] = {
    "sort": (lambda z: z.sort(1).values, 5, ranks(1, 1, 1, 1, 1)),
    "sort of many": (lambda z: z.sort(1, descending=True).values, 9, ranks(*[1] * 9)),
    "topk": (lambda z: z.topk(2).values, 9, ranks(1, 1)),
    "least": (lambda z: z.topk(3, largest=False).values, 7, ranks(4, 1, 1, 1)),
    "kthvalue": (lambda z: z.kthvalue(2, 1, keepdim=True).values, 6, ranks(4, 1)),
    "median": (lambda z: z.median(1, keepdim=True).values, 7, ranks(3, 1)),
    "median of an even number": (lambda z: z.median(1, keepdim=True).values, 6, ranks(3, 1)),
    "quantile": (lambda z: z.quantile(0.25, 1, keepdim=True), 6, ranks(3, 1, 1)),
    "quantile in the middle": (lambda z: z.quantile(0.5, 1, keepdim=True), 6, ranks(2, 2)),
    "extremes so far": (lambda z: z.cummax(1).values, 8, so_far),
}


@pytest.mark.parametrize("name", CASES)
def test_cells_are_the_orders_of_the_ranks_that_are_read(name: str) -> None:
    function, n, orders = CASES[name]
    net = Ordered(function, n).eval()
    program = sv.load_program(net)
    arr = sv.arrange(program, sv.Plane.identity(), sv.Window.box(-5, 5, -5, 5), certify="full")
    weight, bias = net.lines.weight.detach().double().numpy(), net.lines.bias.detach().double().numpy()
    of_cells = {tuple(row) for row in orders(arr.interior_points @ weight.T + bias)}
    assert arr.stats.undecided == 0
    assert len(of_cells) == arr.n_cells == arr.n_linear_regions
    grid = np.stack(np.meshgrid(*[np.linspace(-4.9, 4.9, 150)] * 2), -1).reshape(-1, 2)
    assert {tuple(row) for row in orders(grid @ weight.T + bias)} <= of_cells


def test_comparisons_of_others_cut_no_linear_region() -> None:
    net = Ordered(lambda z: z.topk(5).values, 16).eval()
    arr = sv.arrange(sv.load_program(net), sv.Plane.identity(), sv.Window.box(-2, 2, -2, 2))
    weight, bias = net.lines.weight.detach().double().numpy(), net.lines.bias.detach().double().numpy()
    orders = {tuple(row) for row in ranks(1, 1, 1, 1, 1)(arr.interior_points @ weight.T + bias)}
    assert len(orders) == arr.n_linear_regions < arr.n_cells


def test_pairs_in_order_have_one_unit_each() -> None:
    net = nn.Sequential(nn.Linear(2, 6), nn.Unflatten(1, (3, 2)))
    program = sv.load_program(_then(net, lambda z: z.sort(-1).values.flatten(1)))
    assert program.n_units == 3


@pytest.mark.parametrize("name", CASES)
def test_estimators_see_the_stages_of_the_program(name: str) -> None:
    function, n, _ = CASES[name]
    program = sv.load_program(Ordered(function, n).eval())
    tape = Tape(program.origin)
    assert [(s.name, s.kind, s.n_units) for s in tape.stages] == [
        (s.name, s.kind, s.n_units) for s in program.stages
    ]


def test_separating_units_are_the_ranks_that_change() -> None:
    """Between (1, 0, -1) and (0, 1, -1), times a radius, ranks 0 and 1 change hands and rank 2 does not."""
    for function, expected in ((lambda z: z.topk(2).values, 1), (lambda z: z.sort(1).values, 1)):
        net = _then(nn.Linear(1, 3, bias=False), function)
        with torch.no_grad():
            net[0].weight.copy_(torch.tensor([[1.0], [-1.0], [0.0]]))
            net[0].bias = nn.Parameter(torch.tensor([0.0, 0.0, -9.0]))
        counts = sv.local_complexity(sv.load_program(net), torch.zeros(1, 1), radius=0.5, directions=1).counts
        assert counts.sum() == expected


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda z: z.sort(1).indices * 1.0, "argsort .* is not continuous piecewise affine: it jumps"),
        (lambda z: z.gather(1, z.median(1, keepdim=True).indices), "argsort .* is not continuous"),
        (
            lambda z: z.topk(2, sorted=False).values,
            "topk .* order that is not defined: leave sorted=False out",
        ),
        (lambda z: z - z.median(), "median .* takes one number of all inputs of the batch"),
        (lambda z: z.cummax(1).indices * 1.0, "gives the place of the largest value, which jumps"),
    ],
)
def test_what_is_refused(function: Callable[[Tensor], Tensor], words: str) -> None:
    with pytest.raises(NotPiecewiseAffineError, match=words):
        sv.load_program(_then(nn.Linear(2, 4), function), input_shape=2)


def _then(net: nn.Module, function: Callable[[Tensor], Tensor]) -> nn.Sequential:
    class Then(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            return function(z)

    return nn.Sequential(net, Then()).eval()
