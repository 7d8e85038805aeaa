"""Convolutions as matrix products are those of torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from splineviz.program.operations.unfolding import unfolded, unfolded_transposed

CASES: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((2, 3, 9), (4, 3, 3), {}),
    ((2, 4, 9), (6, 2, 3), {"groups": 2, "stride": 2, "padding": 1}),
    ((3, 2, 8, 7), (5, 2, 3, 2), {"stride": [2, 1], "padding": [1, 0], "dilation": [1, 3]}),
    ((2, 6, 6, 6), (6, 1, 3, 3), {"groups": 6, "padding": [1]}),
    ((2, 3, 6, 6), (4, 3, 1, 1), {"stride": 2}),
    ((2, 3, 6, 7), (4, 3, 4, 3), {"padding": "same", "dilation": [2, 1]}),
    ((2, 3, 6, 7), (4, 3, 4, 3), {"padding": "valid"}),
    ((1, 2, 5, 6, 4), (4, 1, 2, 3, 2), {"groups": 2, "stride": [1, 2, 1], "padding": [0, 1, 1]}),
]


TRANSPOSED: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((2, 3, 9), (3, 4, 3), {}),
    ((2, 4, 9), (4, 3, 4), {"groups": 2, "stride": 3, "padding": 1, "output_padding": 2}),
    (
        (3, 2, 5, 4),
        (2, 5, 3, 2),
        {"stride": [2, 1], "padding": [3, 0], "dilation": [1, 3], "output_padding": [1, 0]},
    ),
    ((2, 6, 3, 3), (6, 1, 3, 3), {"groups": 6, "padding": [2], "stride": 2}),
    ((2, 3, 4, 4), (3, 4, 1, 1), {"stride": 2}),
    ((1, 2, 3, 4, 2), (2, 2, 2, 3, 2), {"groups": 2, "stride": [1, 2, 1], "padding": [0, 1, 1]}),
]


FUNCTIONS = {unfolded: "conv", unfolded_transposed: "conv_transpose"}
ALL = [(unfolded, *case) for case in CASES] + [(unfolded_transposed, *case) for case in TRANSPOSED]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("ours", "shape", "kernel", "how"), ALL)
def test_the_same(
    ours: Any, shape: tuple[int, ...], kernel: tuple[int, ...], how: dict[str, Any], bias: bool
) -> None:
    torch.manual_seed(0)
    x, w = torch.randn(shape, dtype=torch.float64), torch.randn(kernel, dtype=torch.float64)
    channels = len(w) if ours is unfolded else w.shape[1] * how.get("groups", 1)
    b = torch.randn(channels, dtype=torch.float64) if bias else None
    function = getattr(functional, f"{FUNCTIONS[ours]}{len(shape) - 2}d")
    extra = {} if ours is unfolded else {"output_padding": 0}
    arguments = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1} | extra | how
    expected = function(x, w, b, **arguments)
    result = ours(x, w, b, **arguments)
    assert result.shape == expected.shape
    np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-12)


def test_no_input_at_all() -> None:
    x, w = torch.zeros(0, 3, 6, dtype=torch.float64), torch.zeros(4, 3, 3, dtype=torch.float64)
    assert unfolded(x, w, None, 1, 0, 1, 1).shape == functional.conv1d(x, w).shape
