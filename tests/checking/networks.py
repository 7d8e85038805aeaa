"""Small networks of every kind that the checker has to accept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

import splineviz as sv
from splineviz.arrangement.result import Arrangement
from splineviz.program import Program

__all__ = ["SOUND", "Sound", "linear", "mlp", "unit_square"]


def linear(weight: list[list[float]], bias: list[float]) -> nn.Linear:
    layer = nn.Linear(len(weight[0]), len(weight)).double()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight, dtype=torch.float64))
        layer.bias.copy_(torch.tensor(bias, dtype=torch.float64))
    return layer


def mlp(
    *widths: int,
    seed: int = 0,
    act: Callable[[], nn.Module] = nn.ReLU,
    bias: bool = True,
    whole: bool = False,
) -> nn.Sequential:
    """With ``whole`` all coefficients are whole numbers from -2 to 2."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out, bias=bias).double(), act()]
    net = nn.Sequential(*layers[:-1])
    if whole:
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.copy_(torch.randint(-2, 3, parameter.shape))
    return net


def unit_square(half: float = 2.0) -> sv.Window:
    return sv.Window.box(-half, half, -half, half)


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.first, self.second, self.last = (nn.Linear(n, m).double() for n, m in ((3, 8), (8, 8), (8, 2)))

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.first(x))
        return self.last(torch.clamp(h + torch.relu(self.second(h)), -0.5, 1.0))


class Cancelling(nn.Module):
    """Units that are zero on open sets, though float64 finds rounding there."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Linear(2, 5).double(), nn.Linear(5, 5).double()

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x)
        nothing = torch.relu(h) - torch.relu(-h) - h
        return torch.relu(self.second(torch.relu(h))) + torch.relu(nothing)


def _images(pool: nn.Module) -> nn.Sequential:
    torch.manual_seed(2)
    layers = (
        nn.Conv2d(1, 3, 3),
        nn.BatchNorm2d(3),
        nn.LeakyReLU(0.1),
        pool,
        nn.Flatten(),
        nn.Linear(12, 4),
        nn.ReLU(),
        nn.Linear(4, 2),
    )
    return nn.Sequential(*layers).eval().double()


@dataclass(frozen=True)
class Sound:
    """A network, where it is arranged, and how."""

    name: str
    make: Callable[[], nn.Module]
    shape: tuple[int, ...] = (2,)
    planes: int = 0
    """0: the plane of a network with two inputs; else so many random planes, each with a diamond."""
    how: tuple[tuple[str, int], ...] = ()

    def arranged(self) -> tuple[Program, Arrangement]:
        """With everything that a file can hold, where there is a last stage to tell it."""
        program = sv.load_program(self.make(), input_shape=self.shape)
        rng = np.random.default_rng(0)
        if self.planes:
            planes = [sv.Plane.at(rng.standard_normal(self.shape), seed=k) for k in range(self.planes)]
            windows = [sv.Window.diamond(0.3 * (k + 1)) for k in range(self.planes)]
            arr = sv.arrange(program, planes, windows, **dict(self.how))
        else:
            arr = sv.arrange(program, sv.Plane.identity(), unit_square(), **dict(self.how))
        if len(arr.stats.cells_per_stage) == len(program.stages):
            assert arr.affine.size and arr.n_linear_regions and arr.edge_jump.size
        return program, arr


SOUND = [
    Sound("mlp", lambda: mlp(2, 12, 12, 3)),
    Sound("without stages", lambda: mlp(2, 3)),
    Sound("leaky with a negative slope", lambda: mlp(2, 10, 10, 2, act=lambda: nn.LeakyReLU(-0.5))),
    Sound("clamp", lambda: mlp(2, 10, 10, 2, act=nn.Hardtanh)),
    Sound("zero bias", lambda: mlp(2, 12, 12, 2, bias=False)),
    *(
        Sound(f"whole numbers {seed}", lambda seed=seed: mlp(2, 8, 8, 2, seed=seed, whole=True))
        for seed in range(3)
    ),
    Sound("zero on open sets", Cancelling),
    Sound("residual on many windows", Residual, (3,), 6),
    Sound("convolution, average pool", lambda: _images(nn.AvgPool2d(2)), (1, 6, 6), 3),
    Sound("convolution, max pool", lambda: _images(nn.MaxPool2d(2)), (1, 6, 6), 3),
    Sound("an early stage", lambda: mlp(2, 12, 12, 3), how=(("stage", 0),)),
    Sound("incomplete", lambda: mlp(2, 24, 24, 1), how=(("max_cells", 150), ("max_memory", 2**16))),
]
