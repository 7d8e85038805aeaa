"""Weights that a network rounds to fewer bits before it uses them: fake quantisation, bfloat16, fp8."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import splineviz as sv
from tests.program.onnx_nets import op, saved

DTYPES = [torch.bfloat16, torch.float16, torch.float8_e4m3fn, torch.float8_e5m2]


class Rounded(nn.Module):
    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.first, self.last, self.dtype = nn.Linear(4, 8), nn.Linear(8, 2), dtype

    def forward(self, x: Tensor) -> Tensor:
        weight = self.first.weight.to(self.dtype).to(x.dtype)
        return self.last(functional.relu(functional.linear(x, weight, self.first.bias)))


class Scaled(Rounded):
    """With arithmetic in between, which rounds, too."""

    def forward(self, x: Tensor) -> Tensor:
        weight = (self.first.weight.to(self.dtype) * self.first.bias.to(self.dtype)[:, None]).type_as(x)
        return self.last(functional.relu(functional.linear(x, weight)))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_weights_are_rounded(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    module, other, x = Rounded(dtype).eval(), Rounded(dtype).eval(), torch.randn(5, 4, dtype=torch.float64)
    program = sv.load_program(module, input_shape=4)
    assert program.fidelity is not None and program.fidelity.float64 is not None
    assert program.fidelity.float64 < 1e-12
    rebound = program.rebind(other.state_dict())
    torch.testing.assert_close(rebound.forward(x), other.double()(x), rtol=1e-12, atol=1e-12)
    points = x.numpy()
    found = sv.local_complexity(program, points, radius=0.5, directions=4)
    plain = nn.Sequential(module.first, nn.ReLU(), module.last).eval()
    with torch.no_grad():
        plain[0].weight.copy_(plain[0].weight.to(dtype))
    again = sv.local_complexity(sv.load_program(plain), points, radius=0.5, directions=4)
    np.testing.assert_array_equal(found.counts, again.counts)


@pytest.mark.parametrize("dtype", DTYPES[:2], ids=str)
def test_arithmetic_on_rounded_weights_rounds(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    fidelity = sv.load_program(Scaled(dtype).eval(), input_shape=4).fidelity
    assert fidelity is not None and fidelity.float64 is not None and fidelity.float64 < 1e-12


@pytest.mark.parametrize(("kind", "digits"), [(10, 11), (16, 8), (1, 24), (11, 53)])
def test_casts_of_weights_in_files(kind: int, digits: int, tmp_path: Path) -> None:
    """FLOAT16, BFLOAT16, and FLOAT and DOUBLE, which weights are taken at their own value for."""
    weight = np.random.default_rng(0).standard_normal((4, 3))
    weight = weight.astype(np.float32).astype(np.float64) if digits >= 24 else weight
    nodes = [op("Cast", "w", "a", to=kind), op("Cast", "a", "b", to=11), op("MatMul", "x b")]
    program = sv.load_program(saved(tmp_path, nodes, (1, 4), {"w": weight}))
    mantissa, power = np.frexp(weight)
    rounded = np.ldexp(np.round(np.ldexp(mantissa, digits)), power - digits)
    x = torch.eye(4, dtype=torch.float64)
    np.testing.assert_array_equal(program.forward(x).numpy(), rounded if digits < 24 else weight)
