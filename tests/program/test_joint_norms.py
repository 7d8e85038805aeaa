"""Bounds of a scaling together with the map before it: a batch-norm behind its convolution."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from splineviz.exact.forward import affine
from splineviz.program import Affine, Program, load_program
from splineviz.values.transfer import after_affine
from splineviz.values.vertex_values import VertexValues

from .test_exact import assert_within, exact_of

NETS: dict[str, tuple[nn.Module, nn.Module, tuple[int, ...]]] = {
    "convolution": (nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), (3, 5, 6)),
    "stride and groups": (nn.Conv2d(4, 6, 3, stride=2, groups=2), nn.BatchNorm2d(6), (4, 7, 7)),
    "transposed": (nn.ConvTranspose2d(4, 3, 2, stride=2), nn.BatchNorm2d(3), (4, 3, 3)),
    "transposed, groups": (nn.ConvTranspose1d(4, 6, 3, groups=2), nn.BatchNorm1d(6), (4, 5)),
    "linear": (nn.Linear(7, 5), nn.BatchNorm1d(5), (7,)),
}


def loaded(name: str) -> Program:
    torch.manual_seed(0)
    first, normed, shape = NETS[name]
    for weight in (*first.parameters(), *normed.parameters()):
        nn.init.normal_(weight)
    assert isinstance(normed, (nn.BatchNorm1d, nn.BatchNorm2d)) and normed.running_var is not None
    normed.running_var.copy_(torch.logspace(-2, 2, len(normed.running_var)).flip(0))
    return load_program(nn.Sequential(first, normed).double().eval(), input_shape=shape)


def pair(program: Program) -> tuple[Affine, Affine]:
    first, scaling = program.nodes
    assert isinstance(first, Affine) and isinstance(scaling, Affine)
    return first, scaling


def jacobian(program: Program) -> Tensor:
    first, scaling = pair(program)
    basis = torch.eye(math.prod(program.input_shape), dtype=torch.float64).reshape(-1, *program.input_shape)
    return scaling.linear(first.linear(basis)).flatten(1).T


@pytest.mark.parametrize("name", NETS)
def test_both_together_are_bounded_and_better_than_one_by_one(name: str) -> None:
    program = loaded(name)
    first, scaling = pair(program)
    norm = float(torch.linalg.matrix_norm(jacobian(program), 2))
    assert norm <= scaling.gain.joint_norm < (1 + 1e-5) * first.gain.norm * scaling.gain.norm
    assert scaling.gain.joint_norm < 1.8 * norm


@pytest.mark.parametrize("name", NETS)
def test_errors_of_the_worst_direction_are_within_the_proof(name: str) -> None:
    program = loaded(name)
    _, _, directions = torch.linalg.svd(jacobian(program))
    x = torch.randn(1, *program.input_shape, dtype=torch.float64)
    for size in (0.0, 1e-9, 1.0):
        live = x + size * directions[0].reshape(x.shape)
        moved = (live - x).flatten(1).norm(dim=1).numpy() * (1 + 1e-12) + 1e-15 * (size > 0)
        values, exact = VertexValues(live, np.zeros(1), proof=moved), exact_of(x)
        for node in pair(program):
            values = after_affine(node, [values], lambda node, *given: (node.run(*given), None))
            exact = affine(node, [exact])
        assert_within(values, exact)


def test_other_scalings_have_no_joint_bound() -> None:
    class Scaled(nn.Module):
        def __init__(self, factor: Tensor) -> None:
            super().__init__()
            self.first, self.factor = nn.Conv1d(2, 3, 3, bias=False), factor

        def forward(self, x: Tensor) -> Tensor:
            result: Tensor = self.first(x) * self.factor
            return result

    def joint(module: nn.Module) -> float:
        return pair(load_program(module, input_shape=(2, 6)))[1].gain.joint_norm

    assert joint(Scaled(torch.rand(3, 1))) < math.inf
    assert joint(Scaled(torch.rand(3, 4))) == math.inf
    assert joint(nn.Sequential(nn.BatchNorm1d(2), nn.BatchNorm1d(2)).eval()) == math.inf


def test_values_that_change_behind_the_map_are_bounded_by_themselves() -> None:
    program = loaded("convolution")
    first, scaling = pair(program)
    x = torch.randn(1, *program.input_shape, dtype=torch.float64)
    live = after_affine(
        first, [VertexValues(x, np.zeros(1), proof=np.zeros(1))], lambda n, v: (n.run(v), None)
    )
    live.amend(np.array([[3.0, 0.1]]))
    after = after_affine(scaling, [live], lambda n, v: (n.run(v), None))
    assert after.proof is not None and after.proof[0] >= 6.0 * scaling.gain.norm
