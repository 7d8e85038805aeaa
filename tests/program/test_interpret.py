"""Values of any kind carried through a program."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import splineviz as sv
from splineviz.program.interpret import Interpreter


class Branches(nn.Module):
    """Two stages, the second a maximum of what the first gives and of the input."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x)
        return self.last(torch.maximum(h.relu(), h + 1.0))


def program() -> sv.Program:
    torch.manual_seed(0)
    return sv.load_program(Branches(), input_shape=(3,))


def depths() -> Interpreter[int]:
    """Numbers of nodes on the longest way from the input."""
    return Interpreter(lambda _, values: max(values) + 1, lambda _, n: n + 1, lambda _, n: n + 1)


def test_a_value_stops_where_it_enters_a_stage() -> None:
    net = program()
    longest = {0: 0}
    for node in net.nodes:
        longest[node.output] = 1 + max(longest[i] for i in node.inputs)
    for stage, way in enumerate(net.ways):
        assert net.interpret(0, depths(), until=stage) == longest[way[-1].inputs[0]]
    assert net.interpret(0, depths()) == longest[net.output]


def test_shapes_are_those_of_the_tensors() -> None:
    net = program()
    assert net.shapes[0] == (3,) and net.shapes[net.output] == (2,) == net.output_shape
    assert set(net.shapes) == {0, *(node.output for node in net.nodes)}
    assert all(net.shapes[way[-1].inputs[0]] == way[-1].shape for way in net.ways)
