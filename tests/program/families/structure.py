"""How modules are put together: residuals, dense connections, shared weights, loops."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .shared import MAP, ROWS, VECTOR, Functions, Modules


class Dense(nn.Module):
    """Every layer reads all maps before it."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(2 + 2 * i, 2, 3, padding=1) for i in range(3))

    def forward(self, x: Tensor) -> Tensor:
        maps = [x]
        for layer in self.layers:
            maps.append(layer(torch.cat(maps, 1)).relu())
        return torch.cat(maps, 1).mean((2, 3))


class Looped(nn.Module):
    """One block, called several times, with its input added each time."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Linear(4, 4), nn.Hardtanh())

    def forward(self, x: Tensor) -> Tensor:
        h = torch.zeros_like(x)
        for _ in range(3):
            h = self.block(h + x)
        return h


class Tied(nn.Module):
    """An autoencoder whose decoder is its encoder transposed."""

    def __init__(self) -> None:
        super().__init__()
        self.code = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(self.code(x).relu(), self.code.weight.T)


class Unet(nn.Module):
    """Down, up and across."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(2, 3, 2, stride=2), nn.ConvTranspose2d(3, 2, 2, stride=2)
        self.last = nn.Conv2d(4, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = functional.leaky_relu(self.up(functional.relu(self.down(x))), 0.1)
        h = functional.pad(h, (0, x.shape[-1] - h.shape[-1], 0, x.shape[-2] - h.shape[-2]))
        return self.last(torch.cat([x, h], 1))


class Mixer(nn.Module):
    """Matrices across rows, then across columns."""

    def __init__(self) -> None:
        super().__init__()
        self.rows, self.columns = nn.Linear(3, 3), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.rows(x.mT).relu().mT
        return x + self.columns(x).relu()


MODULES: Modules = {
    "dense connections": (Dense, MAP),
    "module in a loop": (Looped, VECTOR),
    "tied weights": (Tied, VECTOR),
    "down and up": (Unet, MAP),
    "mixer": (Mixer, ROWS),
}
FUNCTIONS: Functions = {
    "view of an export": (lambda m, x: torch.ops.aten._unsafe_view(x, [x.shape[0], 2, 2]).relu(), VECTOR),
}
