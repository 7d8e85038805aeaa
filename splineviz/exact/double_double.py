"""Tensors of numbers in two float64 each, about 100 bits, with a bound of their errors.

A number is an unevaluated sum ``high + low`` with |low| <= u |high| (Dekker, *A floating-point technique for
extending the available precision*, Numerische Mathematik 18, 1971). Products with weights are taken by the
library's own: numbers and weights are split into pieces of so few bits that sums of products of the leading
ones are exact in float64, and only what is 2^-40 of the whole is rounded (Ozaki, Ogita, Oishi, Rump,
*Error-free transformations of matrix multiplication*, Numerical Algorithms 59, 2012).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from splineviz.exact.digits import InexactError
from splineviz.geometry.compiled import kernel
from splineviz.geometry.rounding import FLOOR, SAFE, UNIT_ROUNDOFF
from splineviz.program.nodes import Affine, Form, Pointwise

__all__ = ["DoubleDouble", "affine", "pointwise_in_states", "two_product", "two_sum"]

FINE = 2.0**-98
"""Above what operations on two numbers of two float64 each lose, relative to the numbers"""

_LEFT = 45
"""Bits of what is left of numbers beyond two pieces that may be rounded off"""

_SPLITTER = 2.0**27 + 1.0
_PIECES: WeakIdKeyDictionary = WeakIdKeyDictionary()


@dataclass(frozen=True, eq=False)
class DoubleDouble:
    """A tensor in some rows."""

    high: Tensor
    """(R, *shape)"""
    low: Tensor
    error: np.ndarray
    """(R,) bound of the Euclidean norm of the difference from the exact tensor"""
    one: np.ndarray
    """(R,) what stands for 1 in each row: 0 in rows of derivatives, in which there are no constants"""

    def norms(self) -> np.ndarray:
        """(R,) bounds of the Euclidean norms."""
        return _norms(self.high) * (1.0 + 2.0 * UNIT_ROUNDOFF) + FLOOR

    def only(self, rows: np.ndarray) -> DoubleDouble:
        """Some of the rows."""
        return DoubleDouble(self.high[rows], self.low[rows], self.error[rows], self.one[rows])

    def map(self, move: Callable[[Tensor], Tensor]) -> DoubleDouble:
        """Tensor whose entries have been moved; ``move`` takes (rows, *shape)."""
        return replace(self, high=move(self.high), low=move(self.low))

    def plus(self, other: DoubleDouble, sign: float = 1.0) -> DoubleDouble:
        """The sum, or the difference, of two tensors in the same rows."""
        high, low = two_sum(self.high, sign * other.high)
        high, low = two_sum(high, low + (self.low + sign * other.low))
        error = self.error + other.error + FINE * (self.norms() + other.norms())
        return DoubleDouble(high, low, SAFE * error, self.one)

    def times(self, factors: Tensor, steepest: float | np.ndarray) -> DoubleDouble:
        """Entries times float64 factors of at most this size, in all rows or (R,) in each."""
        high, low = two_product(self.high, factors)
        high, low = two_sum(high, low + self.low * factors)
        return replace(self, high=high, low=low, error=SAFE * steepest * (self.error + FINE * self.norms()))

    def over(self, divisors: Tensor) -> DoubleDouble:
        """Entries over float64 divisors."""
        quotient = self.high / divisors
        product, rest = two_product(quotient, divisors)
        low = ((self.high - product) - rest + self.low) / divisors
        high, low = two_sum(quotient, low)
        least = float(divisors.abs().min())
        return replace(self, high=high, low=low, error=SAFE * (self.error + FINE * self.norms()) / least)

    def plus_constants(self, constants: Tensor | None) -> DoubleDouble:
        """Plus float64 constants, broadcastable to one row."""
        if constants is None:
            return self
        added = constants * torch.from_numpy(self.one).reshape(-1, *(1,) * (self.high.dim() - 1))
        high, low = two_sum(self.high, added)
        high, low = two_sum(high, low + self.low)
        error = self.error + FINE * (self.norms() + _norms(added.expand_as(high)))
        return replace(self, high=high, low=low, error=SAFE * error)


def two_sum(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """(sum, what rounding took from it), exactly (Knuth)."""
    s = a + b
    part = s - a
    return s, (a - (s - part)) + (b - part)


def two_product(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """(product, what rounding took from it), exactly (Veltkamp and Dekker)."""
    p = a * b
    (a1, a2), (b1, b2) = _halves(a), _halves(b)
    return p, ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2


def _halves(x: Tensor) -> tuple[Tensor, Tensor]:
    wide = _SPLITTER * x
    top = wide - (wide - x)
    return top, x - top


def _norms(x: Tensor) -> np.ndarray:
    """(R,) Euclidean norms of rows, from above."""
    norms: np.ndarray = (1.0 + 1e-10) * torch.linalg.vector_norm(x.reshape(len(x), -1), dim=1).numpy() + FLOOR
    return norms


def affine(node: Affine, inputs: Sequence[DoubleDouble]) -> DoubleDouble:
    """Apply an affine node.

    Raises
    ------
    InexactError
        If its form is not known.
    """
    first = inputs[0]
    if node.gain.kind == "sum":
        one = torch.ones(1, dtype=torch.float64)
        return first.plus(inputs[1], float(node.run(0 * one, one)))
    if node.gain.kind == "layout":
        high = node.linear(*(x.high for x in inputs))
        low = node.linear(*(x.low for x in inputs))
        error = SAFE * node.gain.norm * np.sqrt(sum(x.error**2 for x in inputs))
        moved = DoubleDouble(high, low, error, first.one)
        inserted = node.run(*(x.high[:1] * 0.0 for x in inputs))
        return moved.plus_constants(inserted) if bool(inserted.any()) else moved
    if node.form is None:
        raise InexactError(f"'{node.name}' has no known form")
    if node.form.apply is torch.mul:
        product = first.times(node.form.weights, float(node.form.weights.abs().max()))
    else:
        product = _product(node, node.form, first)
    if node.form.divisors is not None:
        product = product.over(node.form.divisors)
    return product.plus_constants(node.form.constants)


def pointwise_in_states(node: Pointwise, x: DoubleDouble, on: np.ndarray) -> DoubleDouble:
    """Apply a pointwise node with its units (R, K n) in given states."""
    states = torch.from_numpy(np.ascontiguousarray(on)).reshape(len(on), len(node.breakpoints), *node.shape)
    if node.is_relu:
        return replace(x, high=x.high.where(states[:, 0], 0.0), low=x.low.where(states[:, 0], 0.0))
    slopes = node.slopes[0].expand_as(x.high)
    intercepts = node.intercepts[0].expand_as(x.high)
    for k in range(len(node.breakpoints)):
        slopes = torch.where(states[:, k], node.slopes[k + 1], slopes)
        intercepts = torch.where(states[:, k], node.intercepts[k + 1], intercepts)
    return x.times(slopes, node.steepest).plus_constants(intercepts if bool(node.intercepts.any()) else None)


_Scaled = tuple[Float64[np.ndarray, "row entry"], Float64[np.ndarray, "row"]]
"""Rows, and powers of two that they are times"""


@kernel
def _sum_up(
    first: _Scaled,
    second: _Scaled,
    third: _Scaled,
    small: Float64[np.ndarray, "row entry"],
    high: Float64[np.ndarray, "row entry"],
    low: Float64[np.ndarray, "row entry"],
) -> None:
    """Fill high + low with the sum of all. What rounding takes from the sums of the first three is kept."""
    for r in range(len(small)):
        for i in range(small.shape[1]):
            a, b, c = (
                first[0][r, i] * first[1][r],
                second[0][r, i] * second[1][r],
                third[0][r, i] * third[1][r],
            )
            s = a + b
            part = s - a
            left = (a - (s - part)) + (b - part)
            total = s + c
            part = total - s
            left += (s - (total - part)) + (c - part)
            rest = left + small[r, i]
            value = total + rest
            part = value - total
            high[r, i], low[r, i] = value, (total - (value - part)) + (rest - part)


class _Pieces(NamedTuple):
    """Weights w in pieces: w = first + second + third, the first two of ``bits`` bits on grids of their
    own."""

    grid: float
    finer: float
    """Quanta of the first two"""
    first: Tensor
    second: Tensor
    third: Tensor | None
    rest: Tensor
    """second + third"""
    bits: int
    """Of pieces of numbers that these are multiplied with"""
    rest_norm: float
    """Bound of the norm of the map with the magnitudes of ``rest`` as weights"""
    third_norm: float


def _product(node: Affine, form: Form, x: DoubleDouble) -> DoubleDouble:
    """Weights times a tensor, constants and divisors left out.

    With s1 + s2 + r = x, the first two of so few bits that sums of products with those of w1 and w2 are
    exact, w x is s1 w1 + s2 w1 + s1 w2, exact, and r w + s2 (w2 + w3) + s1 w3, rounded: by g = K u / (1 - K
    u) of the sums of their magnitudes.
    """
    if form.weights not in _PIECES:
        _PIECES[form.weights] = _split(node, form, tuple(x.high.shape[1:]))
    w: _Pieces = _PIECES[form.weights]
    first, second, rest, grid = _three(x, w.bits)
    finer = grid * 2.0**-w.bits
    # A form may round, to be exact on whole numbers: so pieces are whole, and what is left nearly is.
    whole = first / grid
    parts = form.apply(torch.cat([whole, second / finer]), w.first / w.grid)
    units, cross = grid.flatten().numpy(), form.apply(whole, w.second / w.finer)
    scale = finer * 2.0 ** -(w.bits + _LEFT)
    small = form.apply(rest / scale, form.weights)
    small *= grid.reshape(-1, *(1,) * (small.dim() - 1)) * 2.0 ** -(2 * w.bits + _LEFT)
    small += form.apply(second, w.rest)
    if w.third is not None:
        small += form.apply(first, w.third)
    high, low = (torch.empty(cross.shape, dtype=torch.float64) for _ in range(2))
    every = (parts[: len(first)], parts[len(first) :], cross, small, high, low)
    a, b, c, d, *out = (t.reshape(len(first), -1).numpy() for t in every)
    _sum_up((a, units * w.grid), (b, units * w.grid * 2.0**-w.bits), (c, units * w.finer), d, out[0], out[1])
    terms = node.gain.terms + 4.0
    g = terms * UNIT_ROUNDOFF / (1.0 - terms * UNIT_ROUNDOFF)
    magnitude = min(node.gain.magnitude, node.gain.row_norm)
    largest = 1.0 if form.divisors is None else float(form.divisors.abs().max())
    rounded = g * (
        largest * magnitude * _norms(rest) + w.rest_norm * _norms(second) + w.third_norm * _norms(first)
    )
    rounded = rounded + scale.flatten().numpy() * math.sqrt(high[0].numel())
    error = largest * node.gain.norm * x.error + rounded + FINE * largest * magnitude * x.norms() + FLOOR
    return DoubleDouble(high, low, SAFE * error, x.one)


def _split(node: Affine, form: Form, shape: tuple[int, ...]) -> _Pieces:
    """Weights in pieces, for products with a tensor of that shape."""
    room = 53 - 3 - max(1, node.gain.terms).bit_length()
    bits = room // 2
    w = form.weights
    grid = _grid(float(w.abs().max()), room - bits)
    first = _on_grid(w, torch.tensor(grid, dtype=torch.float64))
    rest = w - first
    finer = grid * 2.0 ** -(room - bits)
    second = _on_grid(rest, torch.tensor(finer, dtype=torch.float64))
    third = rest - second
    ones = torch.zeros(1, *shape, dtype=torch.float64, requires_grad=True)
    reached = form.apply(ones, (w != 0).to(torch.float64))
    (uses,) = torch.autograd.grad(reached.sum(), ones)
    spread = (1.0 + 1e-9) * math.sqrt(max(1.0, float(uses.max())) * max(1, node.gain.terms))
    return _Pieces(
        grid,
        finer,
        first,
        second,
        third if bool(third.any()) else None,
        rest,
        bits,
        grid * spread,
        finer * spread,
    )


def _three(x: DoubleDouble, bits: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """x as a sum of two tensors of so many bits and what is left, rounded to float64; and the quantum of the
    first, row by row."""
    largest = (
        x.high.abs().reshape(len(x.high), -1).amax(1).numpy() if x.high[0].numel() else np.zeros(len(x.high))
    )
    grid = torch.from_numpy(np.array([_grid(m, bits) for m in largest.tolist()]))
    grid = grid.reshape(-1, *(1,) * (x.high.dim() - 1))
    first = _on_grid(x.high, grid)
    left = x.high - first
    second = _on_grid(left, grid * 2.0**-bits)
    return first, second, (left - second) + x.low, grid


def _grid(largest: float, bits: int) -> float:
    """Quantum of numbers of at most this size that have so many bits."""
    return 2.0 ** (max(math.frexp(largest)[1], -700) - bits)


def _on_grid(x: Tensor, grid: Tensor) -> Tensor:
    """x rounded to multiples of a quantum."""
    shift = 1.5 * 2.0**52 * grid
    return (x + shift) - shift
