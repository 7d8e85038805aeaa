"""Bounds that describe an affine node, computed from its coefficients."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from splineviz.program.program import Gain

__all__ = [
    "NORM_PRODUCTS",
    "SLACK",
    "averaging_gain",
    "coefficient_gain",
    "largest_eigenvalue",
    "layout_norm",
    "matrix_gain",
    "matrix_norm",
]

_SPECTRAL_LIMIT = 1024  # up to this many rows or columns the spectral norm takes a fraction of a second
_SQUARINGS = 6
NORM_PRODUCTS = 1.0 + _SQUARINGS
"""Products with matrices of n rows and columns that the `matrix_norm` of n of either takes"""
_LEAST = 2.0**-1074
SLACK = 1 + 1e-6  # far above the rounding of the products and sums below
_VANISHING = 2.0**-1000  # share of the largest that a matrix has at least


def coefficient_gain(
    apply: Callable[[Tensor, Tensor], Tensor],
    coefficients: Tensor,
    shape: tuple[int, ...],
    constants: np.ndarray | None,
    terms: int,
) -> Gain:
    """Gain of a map x -> apply(x, coefficients), plus constants, for inputs of ``shape``, (1, *shape) with
    the batch axis.

    ``apply`` is linear in either argument and multiplies an entry of the input by at most one coefficient on
    its way to an entry of the output. Applied to ones, it then sums whatever stands in for the coefficients:
    their magnitudes, or their squares.
    """
    sums, columns = _sums(lambda x: apply(x, coefficients.abs()), shape)
    squares = apply(torch.ones(1, *shape, dtype=torch.float64), coefficients.square()).clamp_min(0)
    rows = _rows(squares, sums, terms)
    # All of this holds for the map with the magnitudes of all coefficients, too.
    norm = min(math.sqrt(_largest(sums)) * math.sqrt(_largest(columns)), float(rows.norm())) * SLACK
    return Gain("dense", norm, rows.reshape(-1).numpy(), constants, terms, norm)


def averaging_gain(
    run: Callable[[Tensor], Tensor], shape: tuple[int, ...], counts: Tensor | None = None
) -> Gain:
    """Gain of a linear map whose outputs are multiples of the sums of ``counts`` entries; plain sums where it
    is not given."""
    sums, columns = _sums(run, shape)
    counts = sums if counts is None else counts
    norm = math.sqrt(_largest(sums)) * math.sqrt(_largest(columns)) * SLACK
    rows = (sums / counts.clamp_min(1).sqrt()).reshape(-1).numpy()
    return Gain("dense", norm, rows, None, int(_largest(counts)) + 1, norm)


def _rows(squares: Tensor, sums: Tensor, terms: int) -> Tensor:
    """Norms of rows from the sums of squares of their coefficients, which may underflow, and of their
    magnitudes."""
    return (squares + (sums > 0).to(torch.float64) * (terms * _LEAST)).sqrt()


def _sums(run: Callable[[Tensor], Tensor], shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Sums of the coefficients of each output entry, and of each input entry, of a linear map; (1, *out) and
    (1, *shape)."""
    with torch.enable_grad():
        ones = torch.ones(1, *shape, dtype=torch.float64, requires_grad=True)
        sums = run(ones)
        (columns,) = torch.autograd.grad(sums.sum(), ones)
    return sums.detach().abs(), columns.abs()


def layout_norm(run: Callable[..., Tensor], shapes: Sequence[tuple[int, ...]]) -> float:
    """Norm of a layout map of inputs of these shapes: the root of the largest number of copies of an
    entry."""
    with torch.enable_grad():
        ones = [torch.ones(1, *shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
        result = run(*ones).sum()
        if not result.requires_grad:
            return 0.0
        copies = torch.autograd.grad(result, ones, allow_unused=True)
    largest = max((_largest(c) for c in copies if c is not None), default=0.0)
    return math.sqrt(largest) * (1.0 if largest <= 1 else 1 + 1e-15)


def matrix_gain(weight: Tensor, bias: Tensor | None, shape: tuple[int, ...]) -> Gain:
    """Gain of x -> x weight' + bias on the last axis."""
    norms = _rows(weight.square().sum(1), weight.abs().sum(1), weight.shape[1])
    rows = norms.expand(shape).reshape(-1).numpy()
    constants = None if bias is None else bias.abs().expand(shape).reshape(-1).numpy()
    return Gain("dense", matrix_norm(weight), rows, constants, weight.shape[1] + 1)


def matrix_norm(matrix: Tensor) -> float:
    """An upper bound of the spectral norm of (rows, columns)."""
    bounds = [math.sqrt(float(matrix.square().sum())) + math.sqrt(matrix.numel() * _LEAST)]
    if matrix.numel() and math.isfinite(bounds[0]):
        absolute = matrix.abs()
        bounds.append(math.sqrt(float(absolute.sum(0).max())) * math.sqrt(float(absolute.sum(1).max())))
        if min(matrix.shape) <= _SPECTRAL_LIMIT:
            gram = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
            bounds.append(math.sqrt(largest_eigenvalue(gram)) + math.sqrt(matrix.numel() * _LEAST))
    return min(bounds) * SLACK


def largest_eigenvalue(gram: Tensor, squarings: int = _SQUARINGS) -> float:
    """At least the largest eigenvalue of positive semidefinite matrices G, (*, n, n): |G^m|^(1/m) with m =
    2^squarings.

    It is at most n^(1/2m) times as large. An eigenvalue routine waits for all its threads after every column,
    which on a busy machine takes seconds.
    """
    largest = float(gram.abs().max())
    if largest == 0.0:
        return 0.0
    power = gram / largest  # of which no square overflows
    logarithm = torch.zeros(gram.shape[:-2], dtype=torch.float64)
    for k in range(squarings + 1):
        size = torch.linalg.vector_norm(power, dim=(-2, -1)).clamp_min(_VANISHING)
        logarithm += size.log() / 2**k
        power = power / size[..., None, None]
        if k < squarings:
            power = power @ power
    return largest * math.exp(float(logarithm.max()))


def _largest(values: Tensor) -> float:
    return float(values.max()) if values.numel() else 0.0
