"""Discrete Fourier transforms as matrices of cosines and sines, one axis after the other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from splineviz.program.operations.base import RefusedError, Step

__all__ = ["Waves", "transforms"]

_ENTRIES = 1 << 24  # of a matrix: 128 MiB
_ROUNDING = 4e-15


@dataclass(frozen=True)
class Waves:
    """exp(i angle) for each entry that goes in and each that comes out along an axis, times a real factor."""

    axis: int
    """With the batch axis as 0"""
    cosines: Tensor
    """(in, out)"""
    sines: Tensor
    """(in, out)"""


def transforms(step: Step, shape: tuple[int, ...]) -> Iterator[Waves]:
    """The matrices of a call of ``_fft_r2c``, ``_fft_c2c`` or ``_fft_c2r`` on a tensor of this shape, in
    order.

    Of a real tensor the last axis comes first and may be left with the frequencies up to the middle; of one
    that becomes real it comes last, and these stand for the others, too.
    """
    kind, axes = step.call.op, [int(axis) % (len(shape) + 1) for axis in step["dim"]]
    if 0 in axes:
        raise RefusedError("mixes the inputs of the batch: give dim, without 0")
    lengths = {axis: shape[axis - 1] for axis in axes}
    if kind == "_fft_c2r":
        lengths[axes[-1]] = int(step["last_dim_size"])
    forward = kind == "_fft_r2c" or (kind == "_fft_c2c" and bool(step["forward"]))
    n = math.prod(lengths.values())
    scale = (1.0, math.sqrt(n), float(n))[int(step["normalization"])]
    half = axes[-1] if kind == "_fft_c2r" or (kind == "_fft_r2c" and step["onesided"]) else None
    for axis in reversed(axes) if kind == "_fft_r2c" else axes:
        yield _waves(axis, lengths[axis], forward, scale, half=axis == half)
        scale = 1.0


def _waves(axis: int, n: int, forward: bool, scale: float, *, half: bool) -> Waves:
    """Waves of period n; with ``half`` those up to the middle of one axis, forward, or what they sum to."""
    if n * n > _ENTRIES:
        raise RefusedError(f"of {n} entries is too large as a matrix: pool or cut them first")
    turns = np.outer(np.arange(n), np.arange(n))
    cosines, sines = (
        torch.from_numpy(table / scale) for table in (_sine(4 * turns + n, 4 * n), _sine(turns, n))
    )
    sines = -sines if forward else sines
    middle = n // 2 + 1
    if half and forward:
        cosines, sines = cosines[:, :middle], sines[:, :middle]
    elif half:
        twice = torch.full((middle, 1), 2.0, dtype=torch.float64)
        twice[0] = 1.0
        twice[n // 2] = 1.0 if n % 2 == 0 else twice[n // 2]
        cosines, sines = twice * cosines[:middle], twice * sines[:middle]
    return Waves(axis, cosines.contiguous(), sines.contiguous())


def _sine(turns: np.ndarray, n: int) -> np.ndarray:
    """sin(2 pi turns / n), the same to the last bit wherever it is the same up to its sign, and exact where
    it is rational: at multiples of a twelfth turn (Niven's theorem)."""
    turns = turns % n
    sign = np.where(2 * turns > n, -1.0, 1.0)
    folded = np.minimum(turns, n - turns)
    values = np.sin(np.pi * np.minimum(2 * folded, n - 2 * folded) / n)
    halves = np.round(2 * values) / 2
    result: np.ndarray = sign * np.where(np.abs(values - halves) < _ROUNDING, halves, values)
    return result
