"""Assignments to tensors that are read again."""

from __future__ import annotations

import torch
from torch import Tensor

from .shared import VECTOR, Functions, Modules


def _whole(x: Tensor) -> Tensor:
    copy, empty, ones = torch.zeros_like(x), torch.empty_like(x), x + 1
    copy.copy_(x * 2)
    empty.copy_(x.relu())
    ones.fill_(3.0)
    return copy + empty * ones


MODULES: Modules = {}
FUNCTIONS: Functions = {
    "writes to whole tensors": (lambda m, x: _whole(x), VECTOR),
}
