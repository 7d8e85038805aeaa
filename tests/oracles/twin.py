"""Networks of the oracle and torch: the twin of one, and the exact network that a module is."""

from __future__ import annotations

import copy
from collections.abc import Hashable

import numpy as np
import torch
from torch import Tensor, nn

from tests.oracles.maps import batch_norm
from tests.oracles.network import (
    Add,
    Concat,
    Linear,
    Maximum,
    Network,
    Pointwise,
    absolute,
    hardtanh,
    leaky_relu,
    linear,
    plain,
    prelu,
    relu,
    sequential,
)

__all__ = ["Abs", "from_torch", "linear_of", "structure", "to_torch"]


class Abs(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.abs()


def from_torch(module: nn.Module, dim: int) -> Network:
    """The exact twin of an ``nn.Sequential`` (nested ones too) of linear, batch-norm in eval mode and
    pointwise modules."""
    return sequential(dim, _ops(module))


def _ops(module: nn.Module) -> list[Linear | Pointwise]:
    match module:
        case nn.Sequential():
            return [op for child in module for op in _ops(child)]
        case nn.Linear():
            return [linear(module.weight, module.bias)]
        case nn.BatchNorm1d():
            return [batch_norm(module)]
        case nn.LeakyReLU():
            return [leaky_relu(module.negative_slope)]
        case nn.PReLU():
            return [prelu(plain(module.weight))]
        case nn.ReLU6() | nn.Hardtanh():
            return [hardtanh(module.min_val, module.max_val)]
        case nn.ReLU():
            return [relu()]
        case Abs():
            return [absolute()]
        case nn.Identity() | nn.Dropout() | nn.Flatten():
            return []
    raise TypeError(f"the oracle does not know {type(module).__name__}")


class _Twin(nn.Module):
    def __init__(self, network: Network) -> None:
        super().__init__()
        self.steps = [(type(step.op), step.inputs) for step in network.steps]
        modules = {id(step.op): _module(step.op) for step in network.steps}
        self.ops = nn.ModuleList(modules[id(step.op)] for step in network.steps)

    def forward(self, x: Tensor) -> Tensor:
        slots = [x]
        for (kind, inputs), op in zip(self.steps, self.ops, strict=True):
            values = [slots[i] for i in inputs]
            if kind is Add:
                total = values[0]
                for value in values[1:]:
                    total = total + value
                slots.append(total)
            elif kind is Concat:
                slots.append(torch.cat(values, dim=1))
            else:
                slots.append(op(values[0]))
        return slots[-1]


def structure(network: Network) -> tuple[Hashable, ...]:
    """What two networks have in common whose twins differ in parameters only."""
    first: dict[int, int] = {}
    return (
        network.dim,
        *((first.setdefault(id(s.op), i), s.inputs, _kind(s.op)) for i, s in enumerate(network.steps)),
    )


def _kind(op: object) -> Hashable:
    match op:
        case Linear():
            return "linear", len(op.weight), len(op.weight[0]), op.source and str(op.module)
        case Maximum():
            return op.source
        case Pointwise(kind="prelu"):
            return "prelu", len(op.slopes[0])
        case Pointwise():
            return op.kind, op.breakpoints, op.slopes
    return type(op).__name__


def to_torch(network: Network) -> nn.Module:
    """The network as a float64 module in eval mode. Coefficients must be dyadic, or the twin is rounded."""
    return _Twin(network).double().eval()


def _module(op: Linear | Add | Concat | Pointwise | Maximum) -> nn.Module:
    match op:
        case Linear(module=nn.Module()) | Maximum():
            return copy.deepcopy(op.module)
        case Linear():
            layer = nn.Linear(len(op.weight[0]), len(op.weight), dtype=torch.float64)
            with torch.no_grad():
                layer.weight.copy_(
                    torch.tensor([[float(w) for w in row] for row in op.weight], dtype=torch.float64)
                )
                layer.bias.copy_(torch.tensor([float(b) for b in op.bias], dtype=torch.float64))
            return layer
        case Pointwise(kind="relu"):
            return nn.ReLU()
        case Pointwise(kind="abs"):
            return Abs()
        case Pointwise(kind="leaky_relu"):
            return nn.LeakyReLU(float(op.slopes[0][0]))
        case Pointwise(kind="hardtanh"):
            return nn.Hardtanh(float(op.breakpoints[0]), float(op.breakpoints[1]))
        case Pointwise(kind="relu6"):
            return nn.ReLU6()
        case Pointwise(kind="prelu"):
            layer_slopes = nn.PReLU(len(op.slopes[0]), dtype=torch.float64)
            with torch.no_grad():
                layer_slopes.weight.copy_(torch.tensor([float(s) for s in op.slopes[0]], dtype=torch.float64))
            return layer_slopes
    return nn.Identity()


def linear_of(module: nn.Module, shape: tuple[int, ...]) -> Linear:
    """The matrix of an affine module for one input of ``shape``, flattened, read off at zero and at the unit
    vectors.

    Exact where the constant is zero, or where every coefficient and the constant add without rounding.
    """
    module = module.double().eval()
    n = int(np.prod(shape))
    with torch.no_grad():
        values = module(torch.cat([torch.zeros(1, n), torch.eye(n)]).double().reshape(n + 1, *shape)).reshape(
            n + 1, -1
        )
    return linear((values[1:] - values[:1]).T, values[0])
