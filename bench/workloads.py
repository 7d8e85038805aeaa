"""The networks that are measured, and what each has to reach."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import nn

import splineviz as sv

__all__ = [
    "BOUNDARIES",
    "DRAWN",
    "MILLION",
    "QUICK",
    "WORKLOADS",
    "Workload",
    "make_convolutional",
    "make_network",
    "make_slice",
]


@dataclass(frozen=True)
class Workload:
    """A fully connected ReLU network on the window [-1, 1]^2, with its bars; None where there is no bar."""

    name: str
    widths: tuple[int, ...]
    weight_scale: float = 1.0
    """Multiplies the weight matrices, not the biases: larger weights fold the plane more often."""
    cells: int | None = None
    """Known from two independent implementations."""
    speedup: float | None = None
    """How many times faster than regioncam, at least."""
    ratio: float | None = None
    """Time over that of one float64 forward pass at the same vertices, at most."""
    memory: float | None = None
    """Peak memory over the bytes of the last hidden layer at the same vertices, at most."""
    proofs: float | None = None
    """Time over that of the same without proofs, at most."""
    second_looks: bool = False
    """Whether what is asked for next is measured, too"""


WORKLOADS = (
    Workload("2-32-32-32-1", (2, 32, 32, 32, 1), cells=1_180, speedup=1.0, proofs=1.3),
    Workload("2-100-100-1", (2, 100, 100, 1), cells=7_049, speedup=1.0, ratio=2.5, proofs=1.2),
    Workload(
        "784-200-200-200-10",
        (784, 200, 200, 200, 10),
        cells=40_789,
        speedup=6.0,
        ratio=1.0,
        memory=4.0,
        proofs=1.2,
        second_looks=True,
    ),
    Workload(
        "784-500-500-500-10",
        (784, 500, 500, 500, 10),
        speedup=20.0,
        ratio=1.0,
        memory=4.0,
        proofs=1.2,
        second_looks=True,
    ),
    Workload(
        "784-200x5-10, weights doubled",
        (784, *[200] * 5, 10),
        2.0,
        speedup=13.0,
        ratio=1.0,
        memory=4.0,
        proofs=1.2,
        second_looks=True,
    ),
)
BOUNDARIES = (
    (Workload("784-500-500-500-10", (784, 500, 500, 500, 10)), None, 5.0),
    (Workload("2-1000-1000-1000-1", (2, 1000, 1000, 1000, 1)), 0.0295, 10.0),
)
"""Networks whose decision boundary is found alone, the level of a single output, and how many times as long the
whole arrangement and its boundary take, at least. The boundary touches .7 and .1 % of their cells"""
QUICK = WORKLOADS[:3]
DRAWN = WORKLOADS[4]
"""About 100,000 cells, which is what the bar for drawing asks for."""
MILLION = Workload("2-300x6-10, weights tripled", (2, *[300] * 6, 10), 3.0)
"""More than a million cells, to be drawn only"""


def make_network(workload: Workload) -> nn.Sequential:
    """The network in float64, with float32 coefficients so that a float32 tool is given the same function.

    torch's default initialisation with seed 0. More than two inputs are restricted to the plane through three
    random points, by folding its frame, scaled so that the window is [-1, 1]^2, into the first layer.
    """
    torch.manual_seed(0)
    layers = [nn.Linear(n_in, n_out).double() for n_in, n_out in pairwise(workload.widths)]
    with torch.no_grad():
        for layer in layers:
            layer.weight *= workload.weight_scale
        if workload.widths[0] > 2:
            layers[0] = _restricted(layers[0])
        for layer in layers:
            layer.weight.copy_(layer.weight.float())
            layer.bias.copy_(layer.bias.float())
    modules: list[nn.Module] = [layers[0]]
    for layer in layers[1:]:
        modules += [nn.ReLU(), layer]
    return nn.Sequential(*modules).eval()


def make_convolutional(width: int) -> nn.Sequential:
    """Two convolutions of digits, and two dense layers; initialised as torch does with seed 0."""
    torch.manual_seed(0)
    layers = [
        nn.Conv2d(1, width, 5, stride=2),
        nn.ReLU(),
        nn.Conv2d(width, 2 * width, 5, stride=2),
        nn.ReLU(),
        nn.Flatten(),
    ]
    return nn.Sequential(*layers, nn.Linear(32 * width, 100), nn.ReLU(), nn.Linear(100, 10)).eval()


def make_slice(workload: Workload) -> tuple[nn.Sequential, sv.Plane, sv.Window]:
    """The network with all its inputs, and the plane and window that `make_network` folds into the first
    layer."""
    torch.manual_seed(0)
    layers = [nn.Linear(n_in, n_out).double() for n_in, n_out in pairwise(workload.widths)]
    modules: list[nn.Module] = []
    with torch.no_grad():
        for layer in layers:
            layer.weight *= workload.weight_scale
            modules += [layer, nn.ReLU()]
    origin, frame, half_width = _frame(workload.widths[0])
    plane = sv.Plane.at(origin, directions=frame)
    return nn.Sequential(*modules[:-1]).eval(), plane, sv.Window.box(*[-half_width, half_width] * 2)


def _frame(n_inputs: int) -> tuple[np.ndarray, np.ndarray, float]:
    """The mean of three random points, an orthonormal frame of their plane, and how far the window reaches."""
    points = np.random.default_rng(0).random((3, n_inputs))
    origin = points.mean(0)
    u = points[1] - points[0]
    u /= np.linalg.norm(u)
    v = points[2] - points[0]
    v -= (v @ u) * u
    v /= np.linalg.norm(v)
    frame = np.stack([u, v])
    return origin, frame, float(1.5 * np.abs((points - origin) @ frame.T).max())


def _restricted(first: nn.Linear) -> nn.Linear:
    origin, frame, half_width = _frame(first.in_features)
    folded = nn.Linear(2, first.out_features, dtype=torch.float64)
    folded.weight.copy_(first.weight @ torch.from_numpy(frame.T * half_width))
    folded.bias.copy_(first.bias + first.weight @ torch.from_numpy(origin))
    return folded
