"""Norms of convolutions from their frequencies: never below the true norm, and close to it."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import nn

from splineviz.program import load_program
from splineviz.program.operations.frequencies import convolution_norm


@pytest.mark.parametrize(
    ("make", "size"),
    [
        (lambda: nn.Conv1d(2, 3, 4), (9,)),
        (lambda: nn.Conv2d(3, 5, 3, padding=1), (8, 7)),
        (lambda: nn.Conv2d(4, 6, 3, padding=2, dilation=2, groups=2), (9, 8)),
        (lambda: nn.Conv2d(3, 4, (2, 5), stride=(2, 1)), (8, 9)),
        (lambda: nn.Conv3d(2, 2, 2), (4, 3, 5)),
        (lambda: nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1, output_padding=1), (5, 4)),
        (lambda: nn.ConvTranspose2d(4, 6, 3, groups=2, dilation=2), (5, 6)),
    ],
    ids=["1d", "padded", "dilated groups", "strided", "3d", "transposed", "transposed groups"],
)
@pytest.mark.parametrize("factor", [1.0, 1e-200, 1e150])
def test_the_norm_is_bounded_closely(
    make: Callable[[], nn.Module], size: tuple[int, ...], factor: float
) -> None:
    torch.manual_seed(0)
    layer = make().double()
    inputs = layer.in_channels
    kernel = layer.weight.detach() * factor
    units = torch.eye(inputs * math.prod(size), dtype=torch.float64).reshape(-1, inputs, *size)
    with torch.no_grad():
        result = layer(units) - layer(0 * units)
    true = float(torch.linalg.matrix_norm(result.flatten(1), 2)) * factor
    sizes = tuple(result.shape[2:]) if isinstance(layer, nn.ConvTranspose2d) else size
    bound = convolution_norm(kernel, sizes, layer.dilation, layer.groups)
    assert true <= bound <= 1.6 * true


def test_a_kernel_of_zeros() -> None:
    assert convolution_norm(torch.zeros(2, 3, 3, dtype=torch.float64), (5,), (1,), 1) == 0.0


@pytest.mark.parametrize(("channels", "size"), [(16, 32), (64, 16), (64, 32), (256, 8)])
def test_deep_networks_amplify_errors_less_than_sums_of_magnitudes_do(channels: int, size: int) -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(channels, channels, 3, padding=1)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    gain = load_program(layer, input_shape=(channels, size, size)).nodes[0].gain
    assert 2.5 < gain.norm < 0.5 * gain.magnitude
