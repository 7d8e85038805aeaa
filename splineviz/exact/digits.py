"""Exact numbers for tensors: whole numbers in digits of base 2^16, each a float64, so that matrix products
and convolutions of digits are exact: their sums stay below 2^53.

A number is ``digits / (2^exponent divisor one)``, where ``one`` is a positive whole number for each vertex:
points have rational coordinates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from splineviz.deadline import check_time
from splineviz.exact.carries import carried
from splineviz.exact.pieces import BASE, BITS, OneByOne, pieces_of

__all__ = ["ExactTensor", "InexactError", "even", "from_integers", "whole"]

_ROOM = 1 << 53 - 2 * BITS  # products of two digits that a sum may have


class InexactError(Exception):
    """A node has no exact form, or too many terms for one."""


@dataclass(frozen=True, eq=False)
class ExactTensor:
    """A tensor at some vertices, exactly."""

    digits: Tensor
    """(L, V, *shape), from the lowest; all but the last in [0, 2^16), the last carries the sign"""
    exponent: int
    divisor: int
    one: Tensor
    """(W, V) digits of the whole number that stands for 1 at each vertex"""

    def map(self, move: Callable[[Tensor], Tensor]) -> ExactTensor:
        """Tensor whose entries have been moved; ``move`` takes (batch, *shape)."""
        return replace(self, digits=_by_digit(move, self.digits))

    def weighted(
        self,
        apply: Callable[[Tensor, Tensor], Tensor],
        weights: Tensor,
        terms: int,
        constants: Tensor | None = None,
    ) -> ExactTensor:
        """``apply(x, weights)`` for float64 weights, where an entry is a sum of so many products, plus
        constants if given."""
        pieces, exponent = pieces_of(weights)
        if terms * len(pieces) > _ROOM:
            raise InexactError(f"{terms} products in one sum")
        result = replace(
            self, digits=_products(self.digits, pieces, apply), exponent=self.exponent + exponent
        )
        if constants is None:
            return result.normal()
        own, least = pieces_of(constants)
        together = terms * len(pieces) + (
            len(own) << (BITS - 1)
        )  # products of two digits that a digit of the sum holds
        if self.divisor != 1 or least > result.exponent or together > _ROOM:
            return result.normal().plus_constants(constants)
        places, rest = divmod(result.exponent - least, BITS)
        one = self.one * 2.0**rest
        added = _products(one.reshape(*one.shape, *(1,) * (result.digits.dim() - 2)), own, torch.mul)
        digits = result.digits.new_zeros(
            max(len(result.digits), places + len(added)), *result.digits.shape[1:]
        )
        digits[: len(result.digits)] = result.digits
        digits[places : places + len(added)] += added
        return replace(result, digits=digits).normal()

    def normal(self) -> ExactTensor:
        """Equal numbers with digits that are in their range again."""
        return replace(self, digits=_normal(self.digits))

    def scaled(self, factors: np.ndarray) -> ExactTensor:
        """Times whole numbers, Python's own in an array that broadcasts against one vertex."""
        return replace(self, digits=_convolved(self.digits, whole(factors), torch.mul))

    def plus_constants(self, constants: Tensor) -> ExactTensor:
        """Plus float64 constants, broadcastable to one vertex."""
        pieces, exponent = pieces_of(constants)
        x = self.with_exponent(max(self.exponent, exponent))
        one = (
            self.one
            if x.divisor == 1
            else _convolved(self.one, whole(np.array(x.divisor, dtype=object)), torch.mul)
        )
        one = _raised(one, x.exponent - exponent)
        one = one.reshape(*one.shape, *(1,) * (x.digits.dim() - 2))
        return replace(x, digits=_added(x.digits, _convolved(one, pieces, torch.mul)))

    def plus(self, other: ExactTensor, sign: float = 1.0) -> ExactTensor:
        """The sum, or the difference, of two tensors at the same vertices."""
        divisor, exponent = math.lcm(self.divisor, other.divisor), max(self.exponent, other.exponent)
        a, b = (x.with_divisor(divisor).with_exponent(exponent) for x in (self, other))
        return replace(a, digits=_added(a.digits, sign * b.digits))

    def with_exponent(self, exponent: int) -> ExactTensor:
        """Equal numbers over a larger power of two."""
        return replace(self, digits=_raised(self.digits, exponent - self.exponent), exponent=exponent)

    def with_divisor(self, divisor: int) -> ExactTensor:
        """Equal numbers over a multiple of their divisor."""
        factor = divisor // self.divisor
        return self if factor == 1 else replace(self.scaled(np.array(factor, dtype=object)), divisor=divisor)

    def signs(self) -> Tensor:
        """(V, *shape) -1, 0 or 1."""
        top = self.digits[-1]
        return torch.where(top < 0, -1.0, (self.digits != 0).any(0).to(torch.float64))

    def where(self, mask: Tensor, other: ExactTensor) -> ExactTensor:
        """Entries of this tensor where the mask (V, *shape) holds, of the other one elsewhere."""
        divisor, exponent = math.lcm(self.divisor, other.divisor), max(self.exponent, other.exponent)
        a, b = (x.with_divisor(divisor).with_exponent(exponent) for x in (self, other))
        mine, others = even(a.digits, b.digits)
        return replace(a, digits=torch.where(mask, mine, others))

    def masked(self, mask: Tensor) -> ExactTensor:
        """The entries where the mask (V, *shape) holds, zero elsewhere."""
        return replace(self, digits=torch.where(mask, self.digits, 0.0))

    def integers(self, vertices: np.ndarray, entries: np.ndarray) -> list[int]:
        """Integers: some numbers of the flattened tensor, each times 2^exponent and the divisor."""
        digits = self.digits.reshape(*self.digits.shape[:2], -1)[:, vertices, entries].numpy()
        whole = carried(digits, BASE, len(digits) + 1)  # with a digit more, the last is small
        raw = np.ascontiguousarray(whole.T).astype(np.int64).astype("<u2")
        return [int.from_bytes(row, "little", signed=True) for row in raw]

    def joined(self, others: Sequence[ExactTensor], join: Callable[..., Tensor]) -> ExactTensor:
        """Put together with others by ``join``, which takes one (batch, *shape) tensor for each."""
        every = (self, *others)
        divisor, exponent = math.lcm(*(x.divisor for x in every)), max(x.exponent for x in every)
        digits = even(*(x.with_divisor(divisor).with_exponent(exponent).digits for x in every))
        result = join(*(x.flatten(0, 1) for x in digits))
        result = result.reshape(*digits[0].shape[:2], *result.shape[1:])
        return replace(self, digits=result, exponent=exponent, divisor=divisor)


def from_integers(numbers: Sequence[Sequence[int]]) -> Tensor:
    """(L, V, n) digits of V rows of n whole numbers."""
    size = max(1, max((x.bit_length() for row in numbers for x in row), default=1) // 8 + 1)
    size += size % 2
    raw = b"".join(x.to_bytes(size, "little", signed=True) for row in numbers for x in row)
    words = np.frombuffer(raw, "<u2").reshape(len(numbers), -1, size // 2).astype(np.float64)
    words[..., -1] -= np.where(words[..., -1] >= BASE / 2, BASE, 0.0)
    return torch.from_numpy(np.ascontiguousarray(words.transpose(2, 0, 1)))


def whole(numbers: np.ndarray) -> Tensor:
    """(L, *shape) digits with their sign of Python's whole numbers."""
    flat = numbers.reshape(-1).tolist()
    signs = torch.tensor([-1.0 if x < 0 else 1.0 for x in flat], dtype=torch.float64)
    digits = from_integers([[abs(x) for x in flat]])[:, 0]
    return (digits * signs).reshape(len(digits), *numbers.shape)


def _by_digit(apply: Callable[[Tensor], Tensor], digits: Tensor) -> Tensor:
    result = apply(digits.flatten(0, 1))
    return result.reshape(*digits.shape[:2], *result.shape[1:])


def _convolved(
    digits: Tensor, pieces: Tensor | OneByOne, apply: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """Products of numbers of digits with numbers in pieces, summed as ``apply`` does."""
    return _normal(_products(digits, pieces, apply))


def _products(digits: Tensor, pieces: Tensor | OneByOne, apply: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Tensor with sums of digits in place of digits."""
    result = torch.zeros(0)
    for first, piece in enumerate(pieces):
        check_time()
        part = _by_digit(partial(_swapped, apply, piece), digits)
        if first == 0:
            result = torch.zeros(len(digits) + len(pieces) - 1, *part.shape[1:], dtype=torch.float64)
        result[first : first + len(digits)] += part
    return result


def _raised(digits: Tensor, shift: int) -> Tensor:
    """Numbers of digits times 2^shift, shift >= 0."""
    if shift == 0:
        return digits
    places, rest = divmod(shift, BITS)
    result = digits.new_zeros(places + len(digits), *digits.shape[1:])
    result[places:] = digits * 2.0**rest
    return _normal(result)


def _swapped(apply: Callable[[Tensor, Tensor], Tensor], piece: Tensor, x: Tensor) -> Tensor:
    return apply(x, piece)


def _added(a: Tensor, b: Tensor) -> Tensor:
    a, b = even(a, b)
    return _normal(a + b)


def even(*numbers: Tensor) -> list[Tensor]:
    """Tensors of one number of digits."""
    length = max(len(x) for x in numbers)
    return [x if len(x) == length else _longer(x, length) for x in numbers]


def _longer(digits: Tensor, length: int) -> Tensor:
    return _normal(torch.cat([digits, digits.new_zeros(length - len(digits), *digits.shape[1:])]), length)


def _normal(digits: Tensor, length: int = 1) -> Tensor:
    """Equal numbers with all digits but the last in [0, 2^16), as few as they need but at least
    ``length``."""
    flat = digits.reshape(len(digits), -1).numpy()
    return torch.from_numpy(carried(flat, BASE, length)).reshape(-1, *digits.shape[1:])
