"""Small networks whose arrangements the browser shows."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

import splineviz as sv
from splineviz.arrangement.result import Arrangement

__all__ = ["dense", "square"]


def dense(*widths: int, seed: int = 3) -> nn.Sequential:
    torch.manual_seed(seed)
    layers = [part for a, b in pairwise(widths) for part in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def square(network: nn.Module) -> Arrangement:
    """On all inputs of a network of two, from -1 to 1."""
    return sv.arrange(sv.load_program(network), sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1))
