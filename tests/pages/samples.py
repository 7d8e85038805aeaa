"""Small arrangements whose pages are read, each computed once."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import torch
from torch import nn

import splineviz as sv
from splineviz.pages.writing import page

torch.set_num_threads(1)

SQUARE = sv.Window.box(-1.0, 1.0, -1.0, 1.0)


def net(inputs: int = 2, outputs: int = 3, hidden: int = 8, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    body = [nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()]
    return nn.Sequential(*body, nn.Linear(hidden, outputs)).eval()


@functools.cache
def cells(outputs: int = 3, hidden: int = 8) -> sv.Arrangement:
    return sv.arrange(sv.load_program(net(outputs=outputs, hidden=hidden)), sv.Plane.identity(), SQUARE)


def written(folder: Path, shown: Any, **how: Any) -> str:
    path = folder / "x.html"
    page(shown, path, **how)
    return path.read_text(encoding="utf-8")
