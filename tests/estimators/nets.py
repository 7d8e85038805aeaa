"""Networks for the tests of the estimators."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

__all__ = ["perceptron", "with_biases"]


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
