"""Networks for the tests of the estimators."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from splineviz.estimators.frames import shared_frame

__all__ = ["Residual", "Tokens", "activations", "frame_of", "perceptron", "with_biases"]


def perceptron(*widths: int, activation: type[nn.Module] = nn.ReLU, seed: int = 0) -> nn.Sequential:
    """Linear layers with an activation after each but the last, float64."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for i, o in pairwise(widths[:-1]):
        layers += [nn.Linear(i, o), activation()]
    return nn.Sequential(*layers, nn.Linear(*widths[-2:])).double().eval()


def with_biases(
    weights: Sequence[Sequence[Sequence[float]]], biases: Sequence[Sequence[float]]
) -> nn.Sequential:
    """A ReLU network of given numbers; ReLU after each layer but the last."""
    layers: list[nn.Module] = []
    for weight, bias in zip(weights, biases, strict=True):
        matrix = torch.tensor(weight, dtype=torch.float64)
        layer = nn.Linear(matrix.shape[1], matrix.shape[0]).double()
        with torch.no_grad():
            layer.weight.copy_(matrix)
            layer.bias.copy_(torch.tensor(bias, dtype=torch.float64))
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Tokens(nn.Module):
    """Two attention layers, or two perceptrons, on the tokens of a sequence, with the batch on the first axis
    or on the second."""

    def __init__(self, batch_first: bool, attention: bool) -> None:
        super().__init__()
        self.batch_first = batch_first
        if attention:
            layer = nn.TransformerEncoderLayer(4, 2, 6, activation=nn.GELU(), batch_first=batch_first)
            self.body: nn.Module = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        else:
            self.body = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 4))
        self.head = nn.Linear(12, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.body(x if self.batch_first else x.transpose(0, 1))
        return self.head((y if self.batch_first else y.transpose(0, 1)).flatten(1))  # type: ignore[no-any-return]


def activations(network: nn.Module, kind: type[nn.Module] = nn.ReLU) -> list[nn.Module]:
    return [module for module in network.modules() if isinstance(module, kind)]


class Residual(nn.Module):
    """A batch norm, an addition in place, one activation used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.second, self.relu, self.head = nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(), nn.Linear(4, 3)
        nn.init.normal_(self.norm.running_mean, 0.0, 0.3)  # type: ignore[arg-type]
        nn.init.uniform_(self.norm.weight, -1.5, 1.5)

    def forward(self, x: Tensor) -> Tensor:
        a = self.relu(self.norm(self.first(x)))
        y = self.second(a)
        y += a
        return self.head(self.relu(y).mean((2, 3)))  # type: ignore[no-any-return]


def frame_of(dim: int, directions: int) -> np.ndarray:
    return shared_frame(dim, directions, 0)
