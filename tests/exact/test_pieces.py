"""Numbers in pieces of 16 bits, against fractions, and how much of them is there at a time."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch.nn import functional

from splineviz.exact import pieces
from splineviz.exact.digits import ExactTensor
from splineviz.exact.pieces import OneByOne, pieces_of, split

NUMBERS = {
    "of one size": np.random.default_rng(0).standard_normal((7, 5)),
    "of all sizes": np.random.default_rng(1).standard_normal(40) * 10.0 ** np.arange(-300, 300, 15),
    "the least and the largest": np.array([5e-324, -1.7e308, 0.0, -0.0, 2.0**-1022]),
    "zeros": np.zeros((2, 3)),
    "transposed": np.random.default_rng(2).standard_normal((3, 4)).T,
}


@pytest.mark.parametrize("block", [1 << 20, 3])
@pytest.mark.parametrize("name", NUMBERS)
def test_pieces_are_the_numbers(name: str, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Split as a whole, or a few at a time."""
    monkeypatch.setattr(pieces, "_KEPT", block)
    values = NUMBERS[name]
    found, exponent = split(torch.from_numpy(values))
    assert found.shape == (len(found), *values.shape) and (found.abs() < 2**16).all()
    parts = found.numpy().reshape(len(found), -1)
    for i, number in enumerate(values.ravel().tolist()):
        total = sum(int(part) << (16 * k) for k, part in enumerate(parts[:, i]))
        assert Fraction(total) / Fraction(2) ** exponent == Fraction(number)


def test_of_many_weights_one_piece_is_there_at_a_time() -> None:
    """Weights of single precision take three or four pieces, those of double precision five and more."""
    weights = torch.from_numpy(np.random.default_rng(0).standard_normal((1100, 1000)))
    found, _ = pieces_of(weights)
    assert isinstance(found, OneByOne) and len(found) >= 5
    digits, exponent = split(torch.ones(1, 1000, dtype=torch.float64))
    x = ExactTensor(digits, exponent, 1, torch.ones(1, 1, dtype=torch.float64))
    tracemalloc.start()
    result = x.weighted(functional.linear, weights, 1000)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # A piece is as large as the weights; beside it come the few arrays of a block of 2^20 numbers.
    assert most < 8 * weights.numel() + 8 * 8 * 2**20 < len(found) * 16 * weights.numel()
    expected = [sum(map(Fraction, row)) for row in weights[:3].tolist()]
    found_sums = result.integers(np.zeros(3, int), np.arange(3))
    assert [Fraction(n) / Fraction(2) ** result.exponent for n in found_sums] == expected
