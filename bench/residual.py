"""ResNet-18 for images of 32 x 32 pixels, as usual for CIFAR: a 3x3 stem and no first pool."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["ResNet18"]


class Block(nn.Module):
    """Two convolutions and a way round them."""

    def __init__(self, inner: int, outer: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inner, outer, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outer)
        self.conv2 = nn.Conv2d(outer, outer, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outer)
        self.relu1, self.relu2 = nn.ReLU(), nn.ReLU()
        plain = stride == 1 and inner == outer
        self.way = (
            nn.Identity()
            if plain
            else nn.Sequential(nn.Conv2d(inner, outer, 1, stride, bias=False), nn.BatchNorm2d(outer))
        )

    def forward(self, x: Tensor) -> Tensor:
        inside = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        result: Tensor = self.relu2(inside + self.way(x))
        return result


class ResNet18(nn.Module):
    """Batch norms hold random statistics, as after training."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU())
        sizes = [
            (64, 64, 1),
            (64, 64, 1),
            (64, 128, 2),
            (128, 128, 1),
            (128, 256, 2),
            (256, 256, 1),
            (256, 512, 2),
            (512, 512, 1),
        ]
        self.blocks = nn.Sequential(*(Block(*size) for size in sizes))
        self.head = nn.Linear(512, 10)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                torch.nn.init.normal_(module.running_mean, 0.0, 0.1)  # type: ignore[arg-type]
                torch.nn.init.uniform_(module.running_var, 0.5, 2.0)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.head(self.blocks(self.stem(x)).mean((2, 3)))
        return result
