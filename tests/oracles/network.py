"""A network as a plain list of steps with rational coefficients: what the exact oracle reads. Its twin in
torch is in `twin`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["Add", "Concat", "Form", "Linear", "Maximum", "Network", "Pointwise", "Step", "absolute", "hardtanh", "larger",
           "leaky_relu", "linear", "max_pool1d", "maxout", "plain", "prelu", "relu", "relu6", "sequential", "smaller"]  # fmt: skip

Form = tuple[Fraction, ...]
"""An affine function of the coordinates: their coefficients, then the constant."""


@dataclass(frozen=True)
class Linear:
    weight: tuple[tuple[Fraction, ...], ...]
    bias: tuple[Fraction, ...]
    module: nn.Module | None = field(default=None, compare=False)
    """The twin in torch where it is no ``nn.Linear``."""
    source: str = field(default="", compare=False)
    """The call that made one with such a twin."""


@dataclass(frozen=True)
class Add:
    """The sum of its inputs, entry by entry."""


@dataclass(frozen=True)
class Concat:
    """Its inputs one after the other."""


@dataclass(frozen=True)
class Pointwise:
    """A piecewise-affine function of one variable, applied entry by entry. Piece k holds where k breakpoints
    lie below z."""

    kind: str
    breakpoints: tuple[Fraction, ...]
    slopes: tuple[tuple[Fraction, ...], ...]
    """(K + 1) pieces, each with one slope for all entries or one per entry."""
    intercepts: tuple[Fraction, ...]


@dataclass(frozen=True)
class Maximum:
    """The largest of each of several windows of entries, or the smallest; ties belong to the first of a
    window."""

    windows: tuple[tuple[int, ...], ...]
    """-1 where there is no entry."""
    module: nn.Module = field(compare=False)
    """The twin in torch."""
    source: str = field(compare=False)
    """The call that made it."""
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
    return Maximum(
        tuple((i, i + width // 2) for i in range(width // 2)), _Halves(lower=False), f"larger({width})"
    )


def smaller(width: int) -> Maximum:
    """Entry by entry the smaller of the first and the second half."""
    return Maximum(
        tuple((i, i + width // 2) for i in range(width // 2)),
        _Halves(lower=True),
        f"smaller({width})",
        lower=True,
    )


def maxout(windows: Iterable[Iterable[int]]) -> Maximum:
    """The largest of each group of entries, all of one length."""
    groups = tuple(tuple(window) for window in windows)
    return Maximum(groups, _Groups(groups), f"maxout({groups})")


def max_pool1d(width: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Maximum:
    """A pool over all entries."""
    starts = range(-padding, width + padding - dilation * (kernel - 1), stride)
    windows = tuple(
        tuple(i if 0 <= i < width else -1 for i in range(s, s + dilation * kernel, dilation)) for s in starts
    )
    source = f"max_pool1d({width}, {kernel}, {stride}, {padding}, {dilation})"
    return Maximum(windows, _Pool(kernel=kernel, stride=stride, padding=padding, dilation=dilation), source)


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


def relu6() -> Pointwise:
    return replace(hardtanh(0, 6), kind="relu6")


@dataclass(frozen=True)
class Step:
    op: Linear | Add | Concat | Pointwise | Maximum
    inputs: tuple[int, ...]
    """Slots: 0 is the network's input, the i-th step writes slot i + 1. The same object in two steps is one
    module used twice."""


@dataclass(frozen=True)
class Network:
    dim: int
    steps: tuple[Step, ...]
    """The last step writes the output; with no steps the output is the input."""


def linear(weight: Any, bias: Any = None) -> Linear:
    """From nested sequences, arrays or tensors of integers, fractions or floats; floats are taken as they
    are, exactly."""
    rows = tuple(tuple(Fraction(w) for w in row) for row in plain(weight))
    return Linear(
        rows, tuple(Fraction(b) for b in plain(bias)) if bias is not None else (Fraction(0),) * len(rows)
    )


def sequential(dim: int, ops: Iterable[Linear | Pointwise | Maximum]) -> Network:
    """The network that applies ``ops`` one after the other."""
    return Network(dim, tuple(Step(op, (i,)) for i, op in enumerate(ops)))


def plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        value = value.detach().double().numpy()
    return value.tolist() if isinstance(value, np.ndarray) else value
