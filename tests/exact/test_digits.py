"""Sums of products plus constants, in digits, against fractions: however far apart their exponents are."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from splineviz.exact import digits
from splineviz.exact.digits import ExactTensor, from_integers
from splineviz.exact.pieces import split

WIDTH, ROWS, OUT = 5, 4, 3


def numbers(generator: np.random.Generator, power: int, *shape: int) -> Tensor:
    """Of all magnitudes up to 2^power, zeros among them."""
    values = generator.standard_normal(shape) * 2.0 ** generator.integers(power - 40, power, shape)
    return torch.from_numpy(np.where(generator.random(shape) < 0.2, 0.0, values))


def fractions(x: ExactTensor) -> np.ndarray:
    """(V, n) the numbers, over their own ones."""
    n = x.digits[0, 0].numel()
    vertex, entry = (grid.ravel() for grid in np.mgrid[: x.digits.shape[1], :n])
    ones = ExactTensor(x.one[..., None], 0, 1, x.one).integers(np.arange(ROWS), np.zeros(ROWS, int))
    scaled = [
        Fraction(number) / ones[v]
        for v, number in zip(vertex.tolist(), x.integers(vertex, entry), strict=True)
    ]
    return np.array(scaled, dtype=object).reshape(-1, n) / Fraction(2) ** x.exponent / x.divisor


@pytest.mark.parametrize("divisor", [1, 3])
@pytest.mark.parametrize("power", [-300, -60, -17, -16, -1, 0, 1, 15, 16, 33, 200])
@pytest.mark.parametrize("seed", range(4))
def test_products_and_constants(seed: int, power: int, divisor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    apart: list[Tensor] = []
    plus = ExactTensor.plus_constants
    monkeypatch.setattr(
        ExactTensor, "plus_constants", lambda x, constants: (apart.append(constants), plus(x, constants))[1]
    )
    if seed == 3:
        monkeypatch.setattr(
            digits, "_ROOM", 1 << 10
        )  # as where the sum of both does not fit, but those of products do
    generator = np.random.default_rng(seed)
    ones = [[int(n)] for n in generator.integers(1, 1 << 62, ROWS)]
    pieces, exponent = split(numbers(generator, 0, ROWS, WIDTH))
    x = ExactTensor(digits._normal(pieces), exponent, divisor, from_integers(ones)[..., 0])
    weights, constants = numbers(generator, 3, OUT, WIDTH), numbers(generator, power, OUT)
    result = x.weighted(functional.linear, weights, WIDTH, constants)
    exact_weights, exact_constants = (
        np.vectorize(Fraction, otypes=[object])(value.numpy()) for value in (weights, constants)
    )
    expected = (fractions(x)[:, None] * exact_weights).sum(-1) + exact_constants
    assert (fractions(result) == expected).all()
    assert len(apart) == (seed == 3 or divisor > 1 or power == -300)
    assert (result.digits[:-1] >= 0).all() and (result.digits[:-1] < 1 << 16).all()
