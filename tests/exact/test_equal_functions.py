"""Entries that are one function by construction, against values at many points."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.exact.equal_functions import equal_entries, kinds_of
from splineviz.exact.resolver import Resolver
from splineviz.geometry.answers import _decide, _needed
from splineviz.program import Program
from splineviz.program.interpret import Interpreter
from splineviz.program.nodes import Pointwise


def cnn() -> Program:
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 3, 3),
        nn.PReLU(3),
        nn.MaxPool2d(3, 1, padding=1),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(27, 5),
        nn.ReLU(),
    )
    return sv.load_program(net.eval(), input_shape=(1, 16, 16))


def plane(flat: bool) -> sv.Plane:
    """Through three pictures, equal but for a few pixels or not at all."""
    torch.manual_seed(1)
    x = torch.zeros(3, 1, 16, 16) if flat else torch.rand(3, 1, 16, 16)
    x[:, :, 5:9, 5:9] = torch.rand(3, 1, 4, 4)
    return sv.Plane.through(*x.reshape(3, -1).double().numpy())


def values(program: Program, where: sv.Plane) -> dict[int, np.ndarray]:
    uv = np.random.default_rng(0).standard_normal((30, 2))
    x = torch.from_numpy(where.lift(uv)).reshape(30, *program.input_shape)
    found = {}

    def bend(node, z):
        found[node.stage] = z.flatten(1).numpy()
        return node.run(z)

    program.interpret(x, Interpreter(lambda node, z: node.run(*z), bend, bend))
    return found


def test_equal_numbers_are_equal_functions_and_flat_pictures_have_few() -> None:
    program, where = cnn(), plane(flat=True)
    equal = equal_entries(program, [where])
    assert equal is not None and len(equal) == len(program.stages)
    for stage, z in values(program, where).items():
        names = equal[stage]
        for name in np.unique(names):
            same = z[:, names == name]
            assert np.abs(same - same[:, :1]).max() < 1e-12, "different functions have one number"
    first = values(program, where)[0]
    assert len(np.unique(equal[0])) == len(np.unique(first.round(9), axis=1).T) < 200


def test_nothing_is_equal_where_pictures_are_not_flat() -> None:
    program = cnn()
    equal = equal_entries(program, [plane(flat=False)])
    assert equal is not None
    assert len(np.unique(equal[0])) == len(equal[0])


def test_what_is_equal_on_one_plane_only_is_not_equal_on_two() -> None:
    program, both = cnn(), [plane(flat=True), plane(flat=False)]
    equal = equal_entries(program, both)
    assert equal is not None
    assert len(np.unique(equal[0])) == len(equal[0])
    assert equal_entries(program, [sv.Plane.at(np.zeros(256), seed=k) for k in range(9)]) is None


def test_kinks_tell_units_of_one_entry_apart() -> None:
    program = sv.load_program(nn.Sequential(nn.Linear(2, 3), nn.Hardtanh()), input_shape=(2,))
    equal = equal_entries(program, [sv.Plane.identity()])
    node = program.ways[0][-1]
    assert equal is not None and isinstance(node, Pointwise)
    assert len(np.unique(kinds_of(node, np.zeros(3, np.int64)))) == 2
    assert len(np.unique(kinds_of(node, equal[0]))) == 6


def test_units_of_two_stages_have_one_number_where_they_are_one_function() -> None:
    """Two networks side by side, of which the second differs in half of the rows of its second layer."""
    torch.manual_seed(0)
    first = nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 8), nn.ReLU())
    second = copy.deepcopy(first)
    with torch.no_grad():
        second[2].weight[4:] += 0.5

    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = first, second

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cat([self.first(x), self.second(x)], 1)

    program = sv.load_program(Both(), input_shape=(2,))
    equal = equal_entries(program, [sv.Plane.identity()])
    assert equal is not None
    assert np.array_equal(equal[0], equal[2])
    assert (equal[1] == equal[3]).tolist() == [True] * 4 + [False] * 4


def test_checkpoints_that_share_units_are_overlaid_without_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Units that training has not moved vanish along the edges of their twins, at hundreds of vertices; and
    nothing is said of any other."""
    torch.manual_seed(1)
    one = nn.Sequential(nn.Linear(2, 20), nn.ReLU(), nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, 3))
    other = copy.deepcopy(one)
    with torch.no_grad():
        other[0].weight[10:] += 0.1 * torch.randn(10, 2)
    told, coincident = [0], Resolver.coincident

    def compared(self: Resolver, questions: np.ndarray) -> np.ndarray:
        found = coincident(self, questions)
        exact = self.at(_needed(questions))
        assert exact is not None
        signs = np.array([_decide(row, exact) == 0 for row in questions.tolist()])
        assert signs[found].all() and (found.sum() == signs.sum() or len(questions) < 16)
        told[0] += int(found.sum())
        return found

    monkeypatch.setattr(Resolver, "coincident", compared)
    window = sv.Window.box(-2.3, 2.1, -2.2, 2.4)
    result = sv.compare([one, other], sv.Plane.identity(), window, certify="full")
    assert result.pairs[0].overlay.arrangement.stats.certified
    assert told[0] > 20
