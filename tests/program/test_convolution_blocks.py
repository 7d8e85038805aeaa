"""Convolutions of many inputs, laid out a few at a time."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from splineviz.program import Affine, load_program
from splineviz.program.operations import dense


@pytest.mark.parametrize("numbers", [1, 700])
@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(3, 4, 3, padding=1),
        nn.Conv2d(3, 6, (3, 2), stride=2, groups=3, bias=False),
        nn.ConvTranspose2d(3, 5, 3, stride=2, output_padding=1),
    ],
)
def test_blocks_are_convolved_as_all_at_once(
    layer: nn.Module, numbers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer, x = layer.double(), torch.randn(7, 3, 6, 5, dtype=torch.float64)
    monkeypatch.setattr(dense, "_UNFOLDED", numbers)
    (node,) = load_program(layer, input_shape=(3, 6, 5)).nodes
    assert isinstance(node, Affine) and node.form is not None
    torch.testing.assert_close(node.run(x), layer(x), rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(
        node.form.apply(x, node.form.weights), layer(x) - layer(0 * x), rtol=1e-12, atol=1e-12
    )
