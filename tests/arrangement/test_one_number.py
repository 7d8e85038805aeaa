"""Networks of one number per input, (n,), inside or at the end: as those that keep an axis of length one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import splineviz as sv
from splineviz.segments.segment import segment

torch.set_num_threads(1)

WINDOW = sv.Window.box(-2, 2, -2, 2)


class Net(nn.Module):
    """Layers to make networks of, without or with an axis for the one number."""

    def __init__(self, function: Callable[[Net, Tensor], Tensor], *, keep: bool) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.wide, self.head = nn.Linear(2, 8), nn.Linear(8, 1)
        self.function, self.keep = function, keep

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self, x)

    def one(self, x: Tensor) -> Tensor:
        """(n, 1), or (n,)."""
        return x if self.keep else x.squeeze(-1)


NETS: dict[str, Callable[[Net, Tensor], Tensor]] = {
    "head": lambda m, x: m.one(m.head(m.wide(x).relu())),
    "relu of head": lambda m, x: m.one(m.head(m.wide(x).relu())).relu(),
    "sum": lambda m, x: x.sum(1, keepdim=m.keep).relu(),
    "largest": lambda m, x: m.wide(x).amax(1, keepdim=m.keep),
    "smaller of two": lambda m, x: torch.minimum(
        m.wide(x).sum(1, keepdim=m.keep), m.wide(x).amax(1, keepdim=m.keep)
    ),
    "margin": lambda m, x: (
        (m.wide(x) - 1).abs().sum(1, keepdim=m.keep) - m.wide(x).abs().sum(1, keepdim=m.keep) + 1
    ).relu(),
    "leaky of clamp": lambda m, x: nn.functional.leaky_relu(m.one(m.head(m.wide(x).clamp(-1, 1)))),
}


def _said(net: Net) -> dict[str, Any]:
    program, points = sv.load_program(net.eval(), input_shape=2), np.random.default_rng(0).normal(size=(6, 2))
    arr = sv.arrange(program, sv.Plane.identity(), WINDOW)
    both = sv.compare([program, program], sv.Plane.identity(), WINDOW)
    how: dict[str, Any] = {"radius": 0.5}
    study: dict[str, Any] = {"radii": 0.5, "medians": (), "directions": 2, "frames": 1, "planes": 1}
    return {
        "cells": arr.n_cells,
        "regions": arr.n_linear_regions,
        "maps": np.abs(arr.affine).sum(),
        "boundary": len(arr.decision_boundary()),
        "check": sv.check(arr, program, points=20, segments=4).ok,
        "overlay": both.pair(0, 1).overlay.n_cells,
        "agreement": both.pair(0, 1).decisions.agreement,  # type: ignore[union-attr]
        "segment": segment(program, points[0], points[1]).n_cells,
        "proxy": sv.local_complexity(program, points, directions=2, **how).totals,
        "exact": sv.exact_local_complexity(program, points, **how).totals,
        "study": sv.validate(program, points, examples=1, **study).regions,
    }


@pytest.mark.parametrize("name", NETS)
def test_one_number_is_a_tensor_of_one(name: str) -> None:
    flat, kept = _said(Net(NETS[name], keep=False)), _said(Net(NETS[name], keep=True))
    assert flat["check"]
    for quantity, value in kept.items():
        np.testing.assert_allclose(flat[quantity], value, err_msg=quantity)
