"""Numbers in two float64 each, against exact ones: they are within their bounds, and these are small."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.exact import double_double, forward
from splineviz.exact.digits import ExactTensor
from splineviz.exact.double_double import DoubleDouble
from splineviz.exact.pieces import split
from splineviz.exact.two_floats import multiplied, summed
from splineviz.program.nodes import Affine, Pointwise

NETS = {
    "convolution": (
        nn.Sequential(nn.Conv2d(3, 5, 3, padding=1, stride=2), nn.Flatten(), nn.Linear(45, 7)),
        (3, 6, 6),
    ),
    "batch-norm and averages": (
        nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.AvgPool2d(3, 1), nn.Flatten()),
        (2, 7, 7),
    ),
    "transposed": (nn.Sequential(nn.ConvTranspose2d(2, 3, 4, 2, 1), nn.LeakyReLU(0.3)), (2, 4, 4)),
    "kinks with constants": (nn.Sequential(nn.Linear(5, 9), nn.Hardtanh(-0.4, 0.7), nn.Linear(9, 3)), (5,)),
}
ONE = np.array([1.0, 1.0, 0.0])
"""Two rows of values, one of derivatives"""


@pytest.mark.parametrize("name", NETS)
def test_every_node_stays_within_its_bound(name: str) -> None:
    torch.manual_seed(0)
    net, shape = NETS[name]
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean = torch.randn(module.num_features)
            module.running_var = torch.rand(module.num_features) + 0.1
    program = sv.load_program(net.eval(), input_shape=shape)
    high = torch.randn(3, *shape, dtype=torch.float64) * torch.tensor([1.0, 1e-7, 3.0]).reshape(
        3, *[1] * len(shape)
    )
    low = high * torch.rand_like(high) * 2.0**-54
    here, exact = DoubleDouble(high, low, np.zeros(3), ONE), _exact(high).plus(_exact(low))
    for node in program.nodes:
        if isinstance(node, Affine):
            here, exact = double_double.affine(node, [here]), forward.affine(node, [exact])
        else:
            assert isinstance(node, Pointwise)
            on = (forward.distances(node, exact).signs() > 0).numpy()
            exact = forward.in_states(node, exact, on)
            here = double_double.pointwise_in_states(node, here, on)
        assert (_distances(here, exact) <= here.error).all()
        assert (here.error <= 2.0**-80 * (1.0 + here.norms())).all()


def _exact(x: torch.Tensor) -> ExactTensor:
    digits, exponent = split(x)
    return ExactTensor(digits, exponent, 1, torch.from_numpy(ONE)[None]).normal()


def _distances(x: DoubleDouble, exact: ExactTensor) -> np.ndarray:
    n, unit = x.high[0].numel(), Fraction(2) ** -exact.exponent / exact.divisor
    result = []
    for row in range(len(x.high)):
        numbers = exact.integers(np.full(n, row), np.arange(n))
        pairs = zip(x.high[row].flatten().tolist(), x.low[row].flatten().tolist(), numbers, strict=True)
        result.append(float(sum((Fraction(a) + Fraction(b) - c * unit) ** 2 for a, b, c in pairs)) ** 0.5)
    return np.array(result)


def test_products_and_sums_lose_nothing() -> None:
    a, b = (np.random.default_rng(i).standard_normal(100) * 10.0 ** np.arange(-50, 50) for i in range(2))
    nothing = np.zeros(100)
    for found, expected in (
        (summed(a, nothing, b, nothing), [Fraction(x) + Fraction(y) for x, y in zip(a, b, strict=True)]),
        (multiplied(a, nothing, b), [Fraction(x) * Fraction(y) for x, y in zip(a, b, strict=True)]),
    ):
        sums = [Fraction(x) + Fraction(y) for x, y in zip(*found, strict=True)]
        assert sums == expected
