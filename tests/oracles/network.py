"""A network as a plain list of steps with rational coefficients: what the exact oracle reads, and its twin in torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["Abs", "Add", "Concat", "Linear", "Maximum", "Network", "Pointwise", "Step", "absolute", "from_torch", "hardtanh",
           "larger", "leaky_relu", "linear", "linear_of", "max_pool1d", "maxout", "prelu", "relu", "sequential", "smaller",
           "to_torch"]  # fmt: skip

Form = tuple[Fraction, ...]
"""An affine function of the coordinates: their coefficients, then the constant."""


@dataclass(frozen=True)
class Linear:
    weight: tuple[tuple[Fraction, ...], ...]
    bias: tuple[Fraction, ...]

    def __call__(self, forms: Sequence[Form]) -> list[Form]:
        width = len(forms[0])
        out = []
        for row, constant in zip(self.weight, self.bias, strict=True):
            total = [Fraction(0)] * (width - 1) + [constant]
            for weight, form in zip(row, forms, strict=True):
                if weight:
                    total = [t + weight * f for t, f in zip(total, form, strict=True)]
            out.append(tuple(total))
        return out


@dataclass(frozen=True)
class Add:
    def __call__(self, *inputs: Sequence[Form]) -> list[Form]:
        return [tuple(sum(parts, Fraction(0)) for parts in zip(*forms, strict=True)) for forms in zip(*inputs, strict=True)]


@dataclass(frozen=True)
class Concat:
    def __call__(self, *inputs: Sequence[Form]) -> list[Form]:
        return [form for forms in inputs for form in forms]


@dataclass(frozen=True)
class Pointwise:
    """A piecewise-affine function of one variable, applied entry by entry. Piece k holds where k breakpoints lie below z."""

    kind: str
    breakpoints: tuple[Fraction, ...]
    slopes: tuple[tuple[Fraction, ...], ...]
    """(K + 1) pieces, each with one slope for all entries or one per entry."""
    intercepts: tuple[Fraction, ...]

    def piece(self, entry: int, k: int, form: Form) -> Form:
        slopes = self.slopes[k]
        slope = slopes[entry % len(slopes)]
        return (*(slope * f for f in form[:-1]), slope * form[-1] + self.intercepts[k])


@dataclass(frozen=True)
class Maximum:
    """The largest of each of several windows of entries, or the smallest; ties belong to the first of a window."""

    windows: tuple[tuple[int, ...], ...]
    """-1 where there is no entry."""
    module: nn.Module
    """The twin in torch."""
    lower: bool = False


class _Halves(nn.Module):
    def __init__(self, lower: bool) -> None:
        super().__init__()
        self.lower = lower

    def forward(self, x: Tensor) -> Tensor:
        a, b = x.chunk(2, dim=1)
        return torch.minimum(a, b) if self.lower else torch.maximum(a, b)


class _Groups(nn.Module):
    def __init__(self, windows: tuple[tuple[int, ...], ...]) -> None:
        super().__init__()
        self.index = torch.tensor(windows)

    def forward(self, x: Tensor) -> Tensor:
        return x[:, self.index.reshape(-1)].reshape(-1, *self.index.shape).amax(2)


class _Pool(nn.Module):
    def __init__(self, **how: int) -> None:
        super().__init__()
        self.pool = nn.MaxPool1d(how["kernel"], how["stride"], how["padding"], how["dilation"])

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(x.unsqueeze(1)).squeeze(1)


def larger(width: int) -> Maximum:
    """Entry by entry the larger of the first and the second half."""
    return Maximum(tuple((i, i + width // 2) for i in range(width // 2)), _Halves(lower=False))


def smaller(width: int) -> Maximum:
    """Entry by entry the smaller of the first and the second half."""
    return Maximum(tuple((i, i + width // 2) for i in range(width // 2)), _Halves(lower=True), lower=True)


def maxout(windows: Iterable[Iterable[int]]) -> Maximum:
    """The largest of each group of entries, all of one length."""
    groups = tuple(tuple(window) for window in windows)
    return Maximum(groups, _Groups(groups))


def max_pool1d(width: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Maximum:
    """A pool over all entries."""
    starts = range(-padding, width + padding - dilation * (kernel - 1), stride)
    windows = tuple(tuple(i if 0 <= i < width else -1 for i in range(s, s + dilation * kernel, dilation)) for s in starts)
    return Maximum(windows, _Pool(kernel=kernel, stride=stride, padding=padding, dilation=dilation))


def _kinked_at_zero(kind: str, slopes: Iterable[Any], right: int = 1) -> Pointwise:
    zero = Fraction(0)
    return Pointwise(kind, (zero,), (tuple(Fraction(s) for s in slopes), (Fraction(right),)), (zero, zero))


def relu() -> Pointwise:
    return _kinked_at_zero("relu", [0])


def leaky_relu(slope: float | Fraction) -> Pointwise:
    return _kinked_at_zero("leaky_relu", [slope])


def prelu(slopes: Iterable[float | Fraction]) -> Pointwise:
    return _kinked_at_zero("prelu", slopes)


def absolute() -> Pointwise:
    return _kinked_at_zero("abs", [-1])


def hardtanh(low: float | Fraction = -1, high: float | Fraction = 1) -> Pointwise:
    low, high = Fraction(low), Fraction(high)
    zero, one = Fraction(0), Fraction(1)
    return Pointwise("hardtanh", (low, high), ((zero,), (one,), (zero,)), (low, zero, high))


@dataclass(frozen=True)
class Step:
    op: Linear | Add | Concat | Pointwise | Maximum
    inputs: tuple[int, ...]
    """Slots: 0 is the network's input, the i-th step writes slot i + 1."""


@dataclass(frozen=True)
class Network:
    dim: int
    steps: tuple[Step, ...]
    """The last step writes the output; with no steps the output is the input."""


def linear(weight: Any, bias: Any = None) -> Linear:
    """From nested sequences, arrays or tensors of integers, fractions or floats; floats are taken as they are, exactly."""
    rows = tuple(tuple(Fraction(w) for w in row) for row in _plain(weight))
    return Linear(rows, tuple(Fraction(b) for b in _plain(bias)) if bias is not None else (Fraction(0),) * len(rows))


def linear_of(module: nn.Module, shape: tuple[int, ...]) -> Linear:
    """The matrix of an affine module for one input of ``shape``, flattened, read off at zero and at the unit vectors.

    Exact where the constant is zero, or where every coefficient and the constant add without rounding.
    """
    module = module.double().eval()
    n = int(np.prod(shape))
    with torch.no_grad():
        values = module(torch.cat([torch.zeros(1, n), torch.eye(n)]).double().reshape(n + 1, *shape)).reshape(n + 1, -1)
    return linear((values[1:] - values[:1]).T, values[0])


def sequential(dim: int, ops: Iterable[Linear | Pointwise | Maximum]) -> Network:
    """The network that applies ``ops`` one after the other."""
    return Network(dim, tuple(Step(op, (i,)) for i, op in enumerate(ops)))


def _plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        value = value.detach().double().numpy()
    return value.tolist() if isinstance(value, np.ndarray) else value


class Abs(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.abs()


def from_torch(module: nn.Module, dim: int) -> Network:
    """The exact twin of an ``nn.Sequential`` (nested ones too) of linear, batch-norm in eval mode and pointwise modules."""
    return sequential(dim, _ops(module))


def _ops(module: nn.Module) -> list[Linear | Pointwise]:
    match module:
        case nn.Sequential():
            return [op for child in module for op in _ops(child)]
        case nn.Linear():
            return [linear(module.weight, module.bias)]
        case nn.BatchNorm1d():
            return [_batch_norm(module)]
        case nn.LeakyReLU():
            return [leaky_relu(module.negative_slope)]
        case nn.PReLU():
            return [prelu(_plain(module.weight))]
        case nn.ReLU6() | nn.Hardtanh():
            return [hardtanh(module.min_val, module.max_val)]
        case nn.ReLU():
            return [relu()]
        case Abs():
            return [absolute()]
        case nn.Identity() | nn.Dropout() | nn.Flatten():
            return []
    raise TypeError(f"the oracle does not know {type(module).__name__}")


def _batch_norm(module: nn.BatchNorm1d) -> Linear:
    """Reduced once to float64 coefficients, each operation rounded; these numbers define the function."""
    assert module.running_mean is not None
    assert module.running_var is not None
    mean, var = module.running_mean.double().numpy(), module.running_var.double().numpy()
    gamma = module.weight.detach().double().numpy() if module.affine else np.ones_like(mean)
    beta = module.bias.detach().double().numpy() if module.affine else np.zeros_like(mean)
    scale = gamma / np.sqrt(var + module.eps)
    return linear(np.diag(scale), beta - mean * scale)


class _Twin(nn.Module):
    def __init__(self, network: Network) -> None:
        super().__init__()
        self.steps = [(type(step.op), step.inputs) for step in network.steps]
        self.ops = nn.ModuleList(_module(step.op) for step in network.steps)

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


def to_torch(network: Network) -> nn.Module:
    """The network as a float64 module in eval mode. Coefficients must be dyadic, or the twin is rounded."""
    return _Twin(network).double().eval()


def _module(op: Linear | Add | Concat | Pointwise | Maximum) -> nn.Module:
    match op:
        case Linear():
            layer = nn.Linear(len(op.weight[0]), len(op.weight), dtype=torch.float64)
            with torch.no_grad():
                layer.weight.copy_(torch.tensor([[float(w) for w in row] for row in op.weight], dtype=torch.float64))
                layer.bias.copy_(torch.tensor([float(b) for b in op.bias], dtype=torch.float64))
            return layer
        case Maximum():
            return op.module
        case Pointwise(kind="relu"):
            return nn.ReLU()
        case Pointwise(kind="abs"):
            return Abs()
        case Pointwise(kind="leaky_relu"):
            return nn.LeakyReLU(float(op.slopes[0][0]))
        case Pointwise(kind="hardtanh"):
            return nn.Hardtanh(float(op.breakpoints[0]), float(op.breakpoints[1]))
        case Pointwise(kind="prelu"):
            layer_slopes = nn.PReLU(len(op.slopes[0]), dtype=torch.float64)
            with torch.no_grad():
                layer_slopes.weight.copy_(torch.tensor([float(s) for s in op.slopes[0]], dtype=torch.float64))
            return layer_slopes
    return nn.Identity()
