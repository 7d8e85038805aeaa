"""Dense sampling: what an arrangement says of random points, against the module's own float64 forward pass
there."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

import splineviz as sv

__all__ = ["Sampled", "assert_sampled", "signs_of"]

_BENDS = {"relu", "relu_", "leaky_relu", "leaky_relu_", "_prelu_kernel", "prelu"}
_CLOSE = 1e-9


class _Signs(TorchDispatchMode):
    """Keeps the sign of what enters each activation that bends at zero, in the order of the calls."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[np.ndarray] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func._schema.name.removeprefix("aten::") in _BENDS:
            self.seen.append((args[0] > 0).flatten(1).numpy())
        return func(*args, **(kwargs or {}))


def signs_of(module: nn.Module, x: Tensor) -> tuple[list[np.ndarray], Tensor]:
    """For each activation (n, units) whether its input is positive; and the outputs (n, C)."""
    with torch.no_grad(), _Signs() as signs:
        output = module(x)
    return signs.seen, output.flatten(1)


@dataclass(frozen=True)
class Sampled:
    """How much was compared."""

    points: int
    cells: int
    """Cells that a point fell into."""
    stages: int
    """Stages with a unit that some of the points switch."""


def assert_sampled(arr: sv.Arrangement, module: nn.Module, *, count: int = 1000, seed: int = 0) -> Sampled:
    """Signs and outputs at random points of the window are those of the cells that hold them."""
    module = copy.deepcopy(module).double().eval()
    (window,), (plane,) = arr.windows, arr.planes
    x0, x1, y0, y1 = window.bounds
    uv = np.random.default_rng(seed).uniform((x0, y0), (x1, y1), (count, 2))
    uv = uv[arr.distance(uv)[0] > _CLOSE]
    cell = arr.locate(uv)
    assert (cell >= 0).all(), "a point of the window lies in no cell"
    signs, output = signs_of(module, torch.from_numpy(plane.lift(uv)).reshape(-1, *_program(arr).input_shape))

    stages = [
        stage for stage in _program(arr).stages if stage.kind.strip("_") in {"relu", "leaky_relu", "prelu"}
    ]
    assert [stage.n_units for stage in stages] == [sign.shape[1] for sign in signs], (
        "stages are not the activations called"
    )
    switched = 0
    for stage, sign in zip(stages, signs, strict=True):
        wrong = arr.pattern_bits(stage.index)[cell] != sign
        assert not wrong.any(), (
            f"{wrong.sum()} signs of {stage.name} differ at {wrong.any(axis=1).sum()} of {len(uv)} points"
        )
        switched += bool((sign != sign[0]).any())

    predicted = np.einsum("pck,pk->pc", arr.affine[cell], np.column_stack([uv, np.ones(len(uv))]))
    np.testing.assert_allclose(predicted, output.numpy(), rtol=0, atol=1e-9 * float(output.abs().max()))
    return Sampled(len(uv), len(np.unique(cell)), switched)


def _program(arr: sv.Arrangement) -> sv.Program:
    assert arr.program is not None
    return arr.program
