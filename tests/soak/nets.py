"""Networks of a trial, which finds a copy of this file in its folder."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def six() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))


class Skipping(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(6, 7), nn.Linear(7, 7), nn.Linear(7, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x).relu()
        return self.last(torch.maximum(x, self.second(x)))


def skipping() -> nn.Module:
    torch.manual_seed(3)
    return Skipping()


def two() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(2, 9), nn.LeakyReLU(), nn.Linear(9, 5), nn.ReLU(), nn.Linear(5, 1))


def smooth() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 4), nn.GELU(), nn.Linear(4, 3))


def failing() -> nn.Module:
    raise RuntimeError("no such luck")
