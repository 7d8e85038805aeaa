"""The norm of a convolution from its frequencies."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from splineviz.program.operations.gains import SLACK, largest_eigenvalue

__all__ = ["convolution_norm", "scaled_channels"]

_NUMBERS = 1 << 23  # of all frequencies: 128 MiB
_WORK = 2e9  # products of two numbers; a second, more or less
_SQUARINGS = 6


def convolution_norm(kernel: Tensor, sizes: tuple[int, ...], dilation: tuple[int, ...], groups: int) -> float:
    """An upper bound of the operator norm of a convolution of maps of these sizes; infinite where it would
    take too much.

    On a torus that is longer than the maps by the reach of the kernel, nothing meets round the back: whatever
    the padding with zeros and the stride, the outputs are among those of the circular convolution. That is a
    matrix for every frequency (Sedghi, Gupta, Long, arXiv 1805.10408), whose norms are bounded as those of
    other matrices. A transposed convolution is the adjoint of one of maps of the size of its output.

    Parameters
    ----------
    kernel
        (outputs, inputs / groups, *lengths); of a transposed convolution (inputs, outputs / groups,
        *lengths).
    """
    axes = range(2, kernel.dim())
    reach = [(kernel.shape[axis] - 1) * step for axis, step in zip(axes, dilation, strict=True)]
    torus = [n + r for n, r in zip(sizes, reach, strict=True)]
    n_frequencies = math.prod(torus[:-1]) * (torus[-1] // 2 + 1)  # of real maps, the others are conjugates
    rows, columns = kernel.shape[0] // groups, kernel.shape[1]
    largest = float(kernel.abs().max()) if kernel.numel() else 0.0
    if largest == 0.0 or not math.isfinite(largest):
        return 0.0 if largest == 0.0 else math.inf
    if n_frequencies * kernel.shape[0] * columns > _NUMBERS:
        return math.inf
    spread = torch.zeros(*kernel.shape[:2], *(r + 1 for r in reach), dtype=torch.float64)
    spread[(slice(None), slice(None), *(slice(None, None, step) for step in dilation))] = kernel / largest
    at = (
        torch.fft.rfftn(spread, s=torus, dim=list(axes))
        .reshape(groups, rows, columns, n_frequencies)
        .permute(0, 3, 1, 2)
    )
    at = at if rows <= columns else at.mH
    small, large, n = min(rows, columns), max(rows, columns), groups * n_frequencies
    left = _WORK / n - small**2 * large
    if left < 0:
        return largest * float(at.abs().square().sum((-2, -1)).max().sqrt()) * SLACK
    eigenvalue = largest_eigenvalue(at @ at.mH, int(min(_SQUARINGS, left / small**3)))
    return largest * math.sqrt(eigenvalue) * SLACK


def scaled_channels(kernel: Tensor, factors: Tensor, groups: int, *, transposed: bool) -> Tensor:
    """The kernel of a convolution whose output channels are times ``factors`` (C,)."""
    if not transposed:
        return kernel * factors.reshape(-1, *(1,) * (kernel.dim() - 1))
    by_group = kernel.reshape(groups, -1, *kernel.shape[1:])
    shape = (groups, 1, kernel.shape[1], *(1,) * (kernel.dim() - 2))
    return (by_group * factors.reshape(shape)).reshape(kernel.shape)
