"""Networks for the tests of the estimators."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

__all__ = ["Tokens", "perceptron", "with_biases"]


def perceptron(*widths: int, activation: type[nn.Module] = nn.ReLU, seed: int = 0) -> nn.Sequential:
    """Linear layers with an activation after each but the last, float64."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for i, o in pairwise(widths[:-1]):
        layers += [nn.Linear(i, o), activation()]
    return nn.Sequential(*layers, nn.Linear(*widths[-2:])).double().eval()


def with_biases(weights: Sequence[Sequence[Sequence[float]]], biases: Sequence[Sequence[float]]) -> nn.Sequential:
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
    """Two attention layers, or two perceptrons, on the tokens of a sequence, with the batch on the first axis or on the second."""

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
