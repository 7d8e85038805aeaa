"""Arithmetic of numbers in two float64, ``high + low``, entry by entry: each operation reads and writes its
entries once."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from splineviz.geometry.compiled import kernel, part

__all__ = ["Pairs", "Scaled", "multiplied", "split", "summed", "total"]
__all__ += ["product_of", "quotient_of", "sum_of"]

Pairs = tuple[Float64[np.ndarray, "entry"], Float64[np.ndarray, "entry"]]
"""High and low parts"""

Scaled = tuple[Float64[np.ndarray, "row entry"], Float64[np.ndarray, "row"]]
"""Rows, and powers of two that they are times"""

_SPLITTER = 2.0**27 + 1.0


@kernel
def summed(
    a_high: Float64[np.ndarray, "entry"],
    a_low: Float64[np.ndarray, "entry"],
    b_high: Float64[np.ndarray, "entry"],
    b_low: Float64[np.ndarray, "entry"],
) -> Pairs:
    """a + b; exactly where the low parts are 0."""
    high, low = np.empty_like(a_high), np.empty_like(a_high)
    for i in range(len(high)):
        s, left = _two_sum(a_high[i], b_high[i])
        high[i], low[i] = _two_sum(s, left + (a_low[i] + b_low[i]))
    return high, low


@kernel
def multiplied(
    a_high: Float64[np.ndarray, "entry"],
    a_low: Float64[np.ndarray, "entry"],
    b: Float64[np.ndarray, "entry"],
) -> Pairs:
    """a times the float64 numbers b; exactly where the low part is 0 (Veltkamp and Dekker)."""
    high, low = np.empty_like(a_high), np.empty_like(a_high)
    for i in range(len(high)):
        p, left = _two_product(a_high[i], b[i])
        high[i], low[i] = _two_sum(p, left + a_low[i] * b[i])
    return high, low


@kernel
def split(
    high: Float64[np.ndarray, "row entry"],
    low: Float64[np.ndarray, "row entry"],
    grid: Float64[np.ndarray, "row"],
    step: float,
) -> tuple[Float64[np.ndarray, "two_rows entry"], Float64[np.ndarray, "row entry"]]:
    """(pieces, rest): each row is the sum of multiples of its ``grid``, of multiples of ``step`` times that,
    and of a rest.

    The former are whole numbers, all rows of the coarse ones before those of the fine ones; the rest is
    rounded to float64. ``grid`` and ``step`` are powers of two.
    """
    n = len(high)
    pieces, rest = np.empty((2 * n, high.shape[1])), np.empty_like(high)
    for r in range(n):
        coarse, fine = grid[r], grid[r] * step
        for i in range(high.shape[1]):
            first = _on_grid(high[r, i], coarse)
            left = high[r, i] - first
            second = _on_grid(left, fine)
            pieces[r, i], pieces[n + r, i] = first / coarse, second / fine
            rest[r, i] = (left - second) + low[r, i]
    return pieces, rest


@kernel
def total(
    first: Scaled, second: Scaled, third: Scaled, small: Float64[np.ndarray, "row entry"]
) -> tuple[Float64[np.ndarray, "row entry"], Float64[np.ndarray, "row entry"]]:
    """(high, low) of the sum of all. What rounding takes from the sums of the first three is kept."""
    high, low = np.empty_like(small), np.empty_like(small)
    for r in range(len(small)):
        for i in range(small.shape[1]):
            a, b, c = (
                first[0][r, i] * first[1][r],
                second[0][r, i] * second[1][r],
                third[0][r, i] * third[1][r],
            )
            s, left = _two_sum(a, b)
            t, more = _two_sum(s, c)
            high[r, i], low[r, i] = _two_sum(t, (left + more) + small[r, i])
    return high, low


@part()
def sum_of(a: float, a_low: float, b: float, b_low: float) -> tuple[float, float]:
    """a + b, but for 2^-103 of |a| + |b|; exactly where the low parts are 0."""
    s, left = _two_sum(a, b)
    return _two_sum(s, left + (a_low + b_low))


@part()
def product_of(a: float, a_low: float, b: float, b_low: float) -> tuple[float, float]:
    """a b, but for 2^-100 of it (Dekker)."""
    p, left = _two_product(a, b)
    return _two_sum(p, left + (a * b_low + a_low * b))


@part()
def quotient_of(a: float, a_low: float, b: float, b_low: float) -> tuple[float, float]:
    """a / b, but for 2^-100 of it: what a first quotient leaves is divided once more."""
    q = a / b
    p, left = _two_product(q, b)
    return _two_sum(q, (((a - p) - left + a_low) - q * b_low) / b)


@part(forceinline=True)
def _two_product(a: float, b: float) -> tuple[float, float]:
    """(product, what rounding took from it), exactly (Veltkamp and Dekker)."""
    p = a * b
    a1, b1 = _top(a), _top(b)
    a2, b2 = a - a1, b - b1
    return p, ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2


@part(forceinline=True)
def _two_sum(a: float, b: float) -> tuple[float, float]:
    """(sum, what rounding took from it), exactly (Knuth)."""
    s = a + b
    back = s - a
    return s, (a - (s - back)) + (b - back)


@part(forceinline=True)
def _top(x: float) -> float:
    """The upper half of the bits of x."""
    wide = _SPLITTER * x
    return wide - (wide - x)


@part(forceinline=True)
def _on_grid(x: float, grid: float) -> float:
    """x rounded to multiples of a quantum, a power of two."""
    shift = 1.5 * 2.0**52 * grid
    return (x + shift) - shift
