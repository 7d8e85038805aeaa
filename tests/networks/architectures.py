"""Networks as people use them, narrow enough for a test; residual ones are in `bench.resnet`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench.resnet import ResNet18, ResNet20, unsettle

__all__ = ["CASES", "POOLINGS", "POOLS", "Case"]

POOLINGS = ("average", "max")
"""How networks that pool are pooled here."""

POOLS: dict[str, type[nn.Module]] = {"average": nn.AvgPool2d, "max": nn.MaxPool2d}


class VGG(nn.Module):
    """VGG with batch norm: stacks of 3 x 3 convolutions, each pooled, then three linear layers."""

    def __init__(self, pooling: str, width: int = 4, classes: int = 5) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        n_in = 3
        for step in (width, "M", 2 * width, "M", 4 * width, 4 * width, "M"):
            if isinstance(step, int):
                layers += [nn.Conv2d(n_in, step, 3, padding=1), nn.BatchNorm2d(step), nn.ReLU(inplace=True)]
                n_in = step
            else:
                layers.append(POOLS[pooling](2, stride=2))
        self.features = nn.Sequential(*layers)
        hidden = [
            nn.Linear(4 * n_in, 24),
            nn.ReLU(True),
            nn.Dropout(),
            nn.Linear(24, 24),
            nn.ReLU(True),
            nn.Dropout(),
        ]
        self.classifier = nn.Sequential(*hidden, nn.Linear(24, classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.features(x), 1))


class _DenseLayer(nn.Module):
    def __init__(self, n_in: int, growth: int) -> None:
        super().__init__()
        self.norm1, self.relu1, self.conv1 = (
            nn.BatchNorm2d(n_in),
            nn.ReLU(),
            nn.Conv2d(n_in, 2 * growth, 1, bias=False),
        )
        self.norm2, self.relu2 = nn.BatchNorm2d(2 * growth), nn.ReLU()
        self.conv2 = nn.Conv2d(2 * growth, growth, 3, padding=1, bias=False)

    def forward(self, features: list[Tensor]) -> Tensor:
        out = self.conv1(self.relu1(self.norm1(torch.cat(features, 1))))
        return self.conv2(self.relu2(self.norm2(out)))


class DenseNet(nn.Module):
    """Two dense blocks with bottlenecks and a transition: batch norm *before* each activation, all earlier
    maps concatenated."""

    def __init__(self, pooling: str, growth: int = 3) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU(), POOLS[pooling](2)
        )
        self.block1 = nn.ModuleList(_DenseLayer(6 + i * growth, growth) for i in range(3))
        self.transition = nn.Sequential(
            nn.BatchNorm2d(15), nn.ReLU(), nn.Conv2d(15, 7, 1, bias=False), nn.AvgPool2d(2)
        )
        self.block2 = nn.ModuleList(_DenseLayer(7 + i * growth, growth) for i in range(2))
        self.norm, self.classifier = nn.BatchNorm2d(13), nn.Linear(13, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.transition(self._dense(self.stem(x), self.block1))
        x = torch.relu_(self.norm(self._dense(x, self.block2)))
        return self.classifier(x.mean((2, 3)))

    def _dense(self, x: Tensor, layers: nn.ModuleList) -> Tensor:
        features = [x]
        for layer in layers:
            features.append(layer(features))
        return torch.cat(features, 1)


class UNet(nn.Module):
    """Down and up again, with the maps of the way down concatenated on the way up; one output for each pixel
    and class."""

    def __init__(self, pooling: str, up: str, width: int = 3) -> None:
        super().__init__()
        self.pool = POOLS[pooling](2)
        self.down1, self.down2, self.bottom = (
            _twice(2, width),
            _twice(width, 2 * width),
            _twice(2 * width, 4 * width),
        )
        self.up2, self.up1 = _up(up, 4 * width, 2 * width), _up(up, 2 * width, width)
        self.join2, self.join1 = _twice(4 * width, 2 * width), _twice(2 * width, width)
        self.head = nn.Conv2d(width, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        first = self.down1(x)
        second = self.down2(self.pool(first))
        x = self.up2(self.bottom(self.pool(second)))
        x = self.up1(self.join2(torch.cat([second, x], dim=1)))
        return self.head(self.join1(torch.cat([first, x], dim=1)))


def _twice(n_in: int, n_out: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for n in (n_in, n_out):
        layers += [
            nn.Conv2d(n, n_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(n_out),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)


def _up(kind: str, n_in: int, n_out: int) -> nn.Module:
    if kind == "transposed":
        return nn.ConvTranspose2d(n_in, n_out, 2, stride=2)
    return nn.Sequential(nn.Upsample(scale_factor=2, mode=kind), nn.Conv2d(n_in, n_out, 1))


class Detector(nn.Module):
    """A proposal network in the manner of MTCNN: PReLU with a slope for each channel, some negative or above
    1, and two heads."""

    def __init__(self, pooling: str) -> None:
        super().__init__()
        widths = (3, 6, 8, 10)
        for i in range(3):
            self.add_module(f"conv{i + 1}", nn.Conv2d(widths[i], widths[i + 1], 3))
            prelu = nn.PReLU(widths[i + 1])
            nn.init.uniform_(prelu.weight, -0.5, 1.5)
            self.add_module(f"prelu{i + 1}", prelu)
        self.pool = POOLS[pooling](3, 2, ceil_mode=True)
        self.box, self.face = nn.Conv2d(10, 4, 1), nn.Conv2d(10, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        for i in (1, 2, 3):
            x = self.get_submodule(f"prelu{i}")(self.get_submodule(f"conv{i}")(x))
            if i == 1:
                x = self.pool(x)
        return torch.cat([self.box(x), self.face(x)], dim=1)


@dataclass(frozen=True)
class Case:
    name: str
    make: Callable[[], nn.Module]
    shape: tuple[int, ...]
    radius: float
    """Half the side of the window: small enough for a test, with some hundred cells in it."""

    def network(self, seed: int) -> nn.Module:
        torch.manual_seed(seed)
        return unsettle(self.make())


def _pooled(name: str, make: Callable[[str], nn.Module], shape: tuple[int, ...], radius: float) -> list[Case]:
    return [
        Case(f"{name}, {pooling} pooling", lambda pooling=pooling: make(pooling), shape, radius)
        for pooling in POOLINGS
    ]


CASES = [
    Case("ResNet-18", lambda: ResNet18(width=3), (3, 16, 16), 0.3),
    Case("ResNet-20", lambda: ResNet20(width=4), (3, 16, 16), 0.15),
    *_pooled("VGG", VGG, (3, 16, 16), 0.8),
    *_pooled("DenseNet", DenseNet, (3, 12, 12), 0.4),
    *_pooled("U-Net, transposed", lambda pooling: UNet(pooling, "transposed"), (2, 12, 12), 0.4),
    *_pooled("U-Net, bilinear", lambda pooling: UNet(pooling, "bilinear"), (2, 12, 12), 0.4),
    *_pooled("PReLU detector", Detector, (3, 16, 16), 0.4),
]
