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
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from splineviz.exact.digits import InexactError
from splineviz.exact.two_floats import Pairs, multiplied, split, summed, total
from splineviz.geometry.rounding import FLOOR, SAFE, UNIT_ROUNDOFF
from splineviz.program.nodes import Affine, Form, Pointwise

__all__ = ["DoubleDouble", "affine", "exact_sum", "pointwise_in_states"]

FINE = 2.0**-98
"""Above what operations on two numbers of two float64 each lose, relative to the numbers"""

_LEFT = 45
"""Bits of what is left of numbers beyond two pieces that may be rounded off"""

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
        high, low = _entrywise(summed, self.high, self.low, sign * other.high, sign * other.low)
        error = self.error + other.error + FINE * (self.norms() + other.norms())
        return DoubleDouble(high, low, SAFE * error, self.one)

    def times(self, factors: Tensor, steepest: float | np.ndarray) -> DoubleDouble:
        """Entries times float64 factors of at most this size, in all rows or (R,) in each."""
        high, low = _entrywise(multiplied, self.high, self.low, factors)
        return replace(self, high=high, low=low, error=SAFE * steepest * (self.error + FINE * self.norms()))

    def over(self, divisors: Tensor) -> DoubleDouble:
        """Entries over float64 divisors."""
        quotient = self.high / divisors
        product, rest = _entrywise(multiplied, quotient, torch.zeros_like(quotient), divisors)
        high, low = exact_sum(quotient, ((self.high - product) - rest + self.low) / divisors)
        least = float(divisors.abs().min())
        return replace(self, high=high, low=low, error=SAFE * (self.error + FINE * self.norms()) / least)

    def plus_constants(self, constants: Tensor | None) -> DoubleDouble:
        """Plus float64 constants, broadcastable to one row."""
        if constants is None:
            return self
        added = _times(constants.expand(self.high.shape), self.one)
        high, low = _entrywise(summed, self.high, self.low, added, torch.zeros(()))
        error = self.error + FINE * (self.norms() + _norms(added))
        return replace(self, high=high, low=low, error=SAFE * error)


def exact_sum(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """(sum, what rounding took from it), exactly."""
    return _entrywise(summed, a, torch.zeros_like(a), b, torch.zeros_like(a))


def _entrywise(operation: Callable[..., Pairs], *operands: Tensor) -> tuple[Tensor, Tensor]:
    """High and low parts of an operation on tensors that are broadcast to the shape of the first."""
    shape = operands[0].shape
    flat = (x.expand(shape).contiguous().reshape(-1).numpy() for x in operands)
    high, low = (torch.from_numpy(part).reshape(shape) for part in operation(*flat))
    return high, low


def _rows(x: Tensor) -> np.ndarray:
    """The flat rows of a tensor."""
    rows: np.ndarray = x.contiguous().reshape(len(x), x[0].numel()).numpy()
    return rows


def _times(x: Tensor, factors: np.ndarray) -> Tensor:
    """Each row times a number."""
    return x * torch.from_numpy(factors).reshape(-1, *(1,) * (x.dim() - 1))


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
    n, shape, step, high, low = len(x.high), x.high.shape[1:], 2.0**-w.bits, _rows(x.high), _rows(x.low)
    grid = _grid(np.abs(high).max(1, initial=0.0), w.bits)
    pieces, rest = (torch.from_numpy(t).reshape(-1, *shape) for t in split(high, low, grid, step))
    whole, first, second = pieces[:n], _times(pieces[:n], grid), _times(pieces[n:], grid * step)
    # A form may round, to be exact on whole numbers: so pieces are whole, and what is left nearly is.
    parts, cross = form.apply(pieces, w.first / w.grid), form.apply(whole, w.second / w.finer)
    scale = grid * step**2 * 2.0**-_LEFT
    small = _times(form.apply(_times(rest, 1.0 / scale), form.weights), scale)
    small += form.apply(second, w.rest)
    if w.third is not None:
        small += form.apply(first, w.third)
    scales = grid * w.grid, grid * step * w.grid, grid * w.finer
    a, b, c = zip((_rows(t) for t in (parts[:n], parts[n:], cross)), scales, strict=True)
    sums = total(a, b, c, _rows(small))
    top, left = (torch.from_numpy(t).reshape(cross.shape) for t in sums)
    terms = node.gain.terms + 4.0
    g = terms * UNIT_ROUNDOFF / (1.0 - terms * UNIT_ROUNDOFF)
    magnitude = min(node.gain.magnitude, node.gain.row_norm)
    largest = 1.0 if form.divisors is None else float(form.divisors.abs().max())
    rounded = g * (
        largest * magnitude * _norms(rest) + w.rest_norm * _norms(second) + w.third_norm * _norms(first)
    )
    rounded = rounded + scale * math.sqrt(top[0].numel())
    error = largest * node.gain.norm * x.error + rounded + FINE * largest * magnitude * x.norms() + FLOOR
    return DoubleDouble(top, left, SAFE * error, x.one)


def _split(node: Affine, form: Form, shape: tuple[int, ...]) -> _Pieces:
    """Weights in pieces, for products with a tensor of that shape."""
    room = 53 - 3 - max(1, node.gain.terms).bit_length()
    bits = room // 2
    w = form.weights
    grid = float(_grid(w.abs().max().numpy(), room - bits))
    first = _on_grid(w, grid)
    rest = w - first
    finer = grid * 2.0 ** -(room - bits)
    second = _on_grid(rest, finer)
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


def _grid(largest: np.ndarray, bits: int) -> np.ndarray:
    """Quanta of numbers of at most these sizes that have so many bits."""
    quanta: np.ndarray = np.ldexp(1.0, np.maximum(np.frexp(largest)[1], -700) - bits)
    return quanta


def _on_grid(x: Tensor, grid: float) -> Tensor:
    """x rounded to multiples of a quantum."""
    shift = 1.5 * 2.0**52 * grid
    return (x + shift) - shift
