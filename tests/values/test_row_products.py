"""Products of rows, each from its own numbers alone: right, and the same bits whichever others there are."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.program import Affine
from splineviz.values.row_products import multiplied, multiply_rows

CONVOLUTIONS = {
    "one axis": (nn.Conv1d(3, 5, 3, stride=2, padding=1), (3, 11)),
    "two axes": (nn.Conv2d(2, 7, (3, 2), padding=(1, 0), dilation=(1, 2)), (2, 6, 7)),
    "three axes": (nn.Conv3d(1, 2, 2, bias=False), (1, 4, 3, 5)),
    "groups": (nn.Conv2d(4, 6, 3, groups=2, padding="same"), (4, 5, 5)),
    "transposed": (nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1), (3, 4, 4)),
    "transposed in groups": (nn.ConvTranspose1d(4, 6, 3, groups=2, dilation=2), (4, 6)),
}


@pytest.mark.parametrize(("network", "shape"), CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_convolutions(network: nn.Module, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    node = sv.load_program(nn.Sequential(network, nn.ReLU()), input_shape=shape).nodes[0]
    assert isinstance(node, Affine)
    assert node.by_products is not None
    x = torch.randn(83, *shape, dtype=torch.float64)
    whole = node.by_products(x, multiplied)
    torch.testing.assert_close(whole, node.run(x), rtol=1e-13, atol=1e-13)
    for rows in ([0], [82], list(range(5, 71)), [7, 3, 7]):
        assert torch.equal(node.by_products(x[rows], multiplied), whole[rows])


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (4, 4), (7, 5), (13, 9), (128, 31)])
def test_they_are_within_the_bound_of_sums(size: tuple[int, int]) -> None:
    """gamma_n |x| |w|, in any order of summation, with or without fused additions."""
    n, m = size
    rng = np.random.default_rng(n)
    x, columns, constants = rng.normal(size=(9, n)), rng.normal(size=(n, m)), rng.normal(size=m)
    out = np.full((9, m), np.nan)
    multiply_rows(out, x, np.array([8, 0, 3, 4, 5]), columns, constants)
    assert np.isnan(out[[1, 2, 6, 7]]).all()
    many = multiplied(torch.from_numpy(x)[None], torch.from_numpy(columns)[None])[0].numpy() + constants
    exact = np.vectorize(Fraction, otypes=[object])
    right = exact(x) @ exact(columns) + exact(constants)
    bound = (n + 1) * 2.0**-53 * 1.001 * (np.abs(x) @ np.abs(columns) + np.abs(constants))
    for found, rows in ((out, [0, 3, 4, 5, 8]), (many, list(range(9)))):
        assert (np.abs((exact(found[rows]) - right[rows]).astype(float)) <= bound[rows]).all()


def test_a_row_has_one_result() -> None:
    rng = np.random.default_rng(0)
    x, columns, constants = rng.normal(size=(40, 150)), rng.normal(size=(150, 130)), rng.normal(size=130)
    whole, part = np.empty((40, 130)), np.empty((40, 130))
    multiply_rows(whole, x, np.arange(40), columns, constants)
    for rows in (np.array([39]), np.arange(3, 20), np.array([5, 31, 7, 38, 2, 0])):
        multiply_rows(part, x, rows, columns, constants)
        np.testing.assert_array_equal(part[rows], whole[rows])
