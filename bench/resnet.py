"""Residual networks for images of 32 x 32 pixels, written out with plain torch modules."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["ResNet18", "ResNet20", "unsettle"]


class ResNet18(nn.Module):
    """ResNet-18 with the stem for small images: a 3 x 3 convolution and no pooling. ``width`` is 64 in the
    original."""

    def __init__(self, width: int = 64, classes: int = 10) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv(3, width), nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        widths = [width, width, 2 * width, 4 * width, 8 * width]
        for i in range(4):
            blocks = (
                _ProjectedBlock(widths[i], widths[i + 1], 2 if i else 1),
                _ProjectedBlock(widths[i + 1], widths[i + 1]),
            )
            self.add_module(f"layer{i + 1}", nn.Sequential(*blocks))
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d((1, 1)), nn.Linear(8 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        for name in ("layer1", "layer2", "layer3", "layer4"):
            x = self.get_submodule(name)(x)
        logits: Tensor = self.fc(torch.flatten(self.avgpool(x), 1))
        return logits


class ResNet20(nn.Module):
    """The ResNet-20 of the CIFAR-10 experiments: shortcuts skip pixels and pad with zero channels. ``width``
    is 16 there.

    Names and order of the weights are those of public checkpoints (akamaster/pytorch_resnet_cifar10).
    """

    def __init__(self, width: int = 16, classes: int = 10) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv(3, width), nn.BatchNorm2d(width)
        widths = [width, width, 2 * width, 4 * width]
        for i in range(3):
            first = _PaddedBlock(widths[i], widths[i + 1], 2 if i else 1)
            self.add_module(
                f"layer{i + 1}",
                nn.Sequential(first, *(_PaddedBlock(widths[i + 1], widths[i + 1]) for _ in range(2))),
            )
        self.linear = nn.Linear(4 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.bn1(self.conv1(x)))
        for name in ("layer1", "layer2", "layer3"):
            x = self.get_submodule(name)(x)
        x = functional.avg_pool2d(x, x.shape[-1])
        logits: Tensor = self.linear(x.view(x.shape[0], -1))
        return logits


class _ProjectedBlock(nn.Module):
    def __init__(self, n_in: int, n_out: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv(n_in, n_out, stride), nn.BatchNorm2d(n_out)
        self.relu = nn.ReLU(inplace=True)
        self.conv2, self.bn2 = _conv(n_out, n_out), nn.BatchNorm2d(n_out)
        self.downsample: nn.Module | None = None
        if stride > 1 or n_in != n_out:
            self.downsample = nn.Sequential(
                nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out)
            )

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += x if self.downsample is None else self.downsample(x)
        result: Tensor = self.relu(out)
        return result


class _PaddedBlock(nn.Module):
    def __init__(self, n_in: int, n_out: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv(n_in, n_out, stride), nn.BatchNorm2d(n_out)
        self.conv2, self.bn2 = _conv(n_out, n_out), nn.BatchNorm2d(n_out)
        self.stride, self.more = stride, n_out - n_in

    def forward(self, x: Tensor) -> Tensor:
        out = functional.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.more:
            x = functional.pad(
                x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.more // 2, self.more // 2)
            )
        out += x
        return functional.relu(out)


def _conv(n_in: int, n_out: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(n_in, n_out, 3, stride=stride, padding=1, bias=False)


def unsettle(network: nn.Module) -> nn.Module:
    """Give every batch norm statistics and weights that differ from channel to channel, as training does; in
    eval mode."""
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 1.5)
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0, 0.2)
    return network.eval()
