"""Matrices of the oracle that are written out entry by entry, against torch."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch

from tests.oracles.maps import (
    average_pool2d,
    channels_normed,
    conv2d,
    conv_transpose2d,
    max_pool2d,
    normed,
)
from tests.oracles.network import Linear, Maximum, larger, max_pool1d, maxout, smaller

_KERNEL = [
    [[[1, -2], [0, 3]], [[Fraction(1, 2), 1], [-1, 0]]],
    [[[0, 1], [1, 1]], [[2, 0], [0, -1]]],
    [[[0, 0], [0, 1]]] * 2,
]
_AFFINE = {
    "convolution": conv2d(_KERNEL, [1, 0, Fraction(-1, 4)], (2, 3, 4), padding=1),
    "strided": conv2d(_KERNEL, [0, 2, 1], (2, 5, 4), stride=2),
    "averages": average_pool2d((2, 4, 5), 3, 1, 1),
    "averages apart": average_pool2d((3, 4, 4), 2, 2),
    "averages of what is there": average_pool2d((2, 4, 5), 3, 2, 1, count_pad=False),
    "averages beyond": average_pool2d((1, 5, 4), 3, 2, 1, ceil=True),
    "averages beyond of what is there": average_pool2d((1, 6, 5), 2, 3, 1, ceil=True, count_pad=False),
    "transposed": conv_transpose2d(_KERNEL, [1, Fraction(1, 2)], (3, 2, 3)),
    "transposed, cropped": conv_transpose2d(_KERNEL[:1], [0, 1], (1, 4, 3), 1, 1),
    "batch-norm of maps": channels_normed((2, 2, 3), [1.0, -2.5], [0.5, 0.0], [0.25, 3.0], [1.0, 0.5]),
    "batch-norm": normed([1.0, 0.0, -2.5], [0.5, 1.0, 0.0], [0.25, 3.0, -1.0], [1.0, 0.5, 2.0]),
}
_MAXIMA = {
    "pool": max_pool2d((2, 3, 4), 2, 1),
    "padded": max_pool2d((1, 5, 4), 3, 2, 1),
    "beyond": max_pool2d((2, 6, 5), 2, 2, 1, ceil=True),
    "overlapping, beyond": max_pool2d((1, 6, 4), 3, 2, 0, ceil=True),
    "apart, beyond": max_pool2d((1, 5, 4), 2, 3, 1, ceil=True),
    "pool in a row": max_pool1d(7, 3, 2, 1),
    "dilated": max_pool1d(9, 2, 1, 1, 2),
    "larger": larger(6),
    "smaller": smaller(6),
    "maxout": maxout([(0, 2, 2), (1, 0, 3)]),
}


@pytest.mark.parametrize("name", _AFFINE)
def test_matrices(name: str) -> None:
    op: Linear = _AFFINE[name]
    assert op.module is not None
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((4, len(op.weight[0]))))
    weight, bias = (np.array(part, dtype=float) for part in (op.weight, op.bias))
    with torch.no_grad():
        np.testing.assert_allclose(x.numpy() @ weight.T + bias, op.module.eval()(x).numpy(), atol=1e-13)


@pytest.mark.parametrize("name", _MAXIMA)
def test_windows(name: str) -> None:
    op: Maximum = _MAXIMA[name]
    n = {
        "pool": 24,
        "padded": 20,
        "beyond": 60,
        "overlapping, beyond": 24,
        "apart, beyond": 20,
        "pool in a row": 7,
        "dilated": 9,
    }.get(name, 6)
    x = torch.from_numpy(np.random.default_rng(1).standard_normal((4, n)))
    choose = min if op.lower else max
    expected = [[choose(row[i] for i in window if i >= 0) for window in op.windows] for row in x.tolist()]
    np.testing.assert_array_equal(expected, op.module(x).numpy())
