"""Convolutions of one to three axes, in either direction."""

from __future__ import annotations

from torch import nn
from torch.nn import functional

from .shared import MAP, ROWS, VECTOR, VOLUME, Functions, Modules

MODULES: Modules = {
    "conv1d dilated": (lambda: nn.Conv1d(3, 6, 2, dilation=2, groups=3, padding=1), ROWS),
    "conv2d valid": (lambda: nn.Conv2d(2, 3, (3, 2), padding="valid"), MAP),
    "conv2d same dilated": (lambda: nn.Conv2d(2, 2, (2, 3), padding="same", dilation=2, groups=2), MAP),
    "conv2d asymmetric padding": (
        lambda: nn.Sequential(nn.ZeroPad2d((2, 0, 1, 3)), nn.Conv2d(2, 3, 3, stride=(2, 1))),
        MAP,
    ),
    "conv2d replicate": (lambda: nn.Conv2d(2, 1, 3, padding=(1, 2), padding_mode="replicate"), MAP),
    "conv3d": (lambda: nn.Conv3d(2, 4, 2, padding=(1, 0, 1), groups=2), VOLUME),
    "conv3d same": (lambda: nn.Conv3d(2, 1, (3, 3, 1), padding="same"), VOLUME),
    "transposed 1d": (lambda: nn.ConvTranspose1d(3, 2, 3, stride=3, output_padding=2), ROWS),
    "transposed 2d": (lambda: nn.ConvTranspose2d(2, 3, 3, padding=1), MAP),
    "transposed 2d strided": (
        lambda: nn.ConvTranspose2d(2, 3, (4, 3), stride=2, padding=(1, 0), output_padding=1),
        MAP,
    ),
    "transposed 2d grouped": (lambda: nn.ConvTranspose2d(2, 4, 2, groups=2, dilation=2, bias=False), MAP),
    "transposed 3d": (lambda: nn.ConvTranspose3d(2, 4, 2, stride=2, groups=2), VOLUME),
    "depthwise separable": (
        lambda: nn.Sequential(nn.Conv2d(2, 4, 3, groups=2), nn.ReLU6(), nn.Conv2d(4, 1, 1)),
        MAP,
    ),
    "weight norm conv": (lambda: nn.utils.parametrizations.weight_norm(nn.Conv2d(2, 2, 2)), MAP),
}
FUNCTIONS: Functions = {
    "conv with a computed kernel": (
        lambda m, x: functional.conv1d(x, m.table[None].softmax(1), m.row[:1], padding=2),
        ROWS,
    ),
    "blur of every channel": (
        lambda m, x: functional.conv2d(x, x.new_ones(2, 1, 3, 3) / 9, padding=1, groups=2),
        MAP,
    ),
    "bilinear with a constant": (
        lambda m, x: functional.bilinear(x, m.row.expand(x.shape[0], 4), x.new_ones(2, 4, 4)),
        VECTOR,
    ),
}
