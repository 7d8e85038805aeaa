"""Float64 numbers as pieces of 16 bits, each a float64 with the sign of the number: the digits of weights."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from splineviz.deadline import check_time

__all__ = ["BASE", "BITS", "OneByOne", "pieces_of", "split"]

BITS = 16
BASE = float(1 << BITS)
_KEPT = 1 << 20  # numbers of a tensor that is split once only, or of part of a larger one at a time
_SPLIT = WeakIdKeyDictionary()
_LOWEST = -4096  # below any power


def split(values: Tensor) -> tuple[Tensor, int]:
    """(pieces, exponent): float64 numbers as digits (L, *shape) with their sign, over 2^exponent."""
    pieces, exponent = pieces_of(values)
    return pieces if isinstance(pieces, Tensor) else torch.stack(list(pieces)), exponent


def pieces_of(values: Tensor) -> tuple[Tensor | OneByOne, int]:
    """`split`, but of many numbers one digit is there at a time."""
    if values.numel() > _KEPT:
        pieces = OneByOne(values.detach().numpy())
        return pieces, pieces.exponent
    if values not in _SPLIT:
        pieces = OneByOne(values.detach().numpy())
        _SPLIT[values] = torch.stack(list(pieces)), pieces.exponent
    result: tuple[Tensor, int] = _SPLIT[values]
    return result


class OneByOne:
    """Digits of float64 numbers, each of them made when its turn comes: together they take several times as
    much as the numbers."""

    def __init__(self, values: Float64[np.ndarray, "*shape"]) -> None:
        self._values, self.exponent, top = np.asarray(values, order="C"), _LOWEST, _LOWEST
        for _, block in self._blocks():
            mantissa, power = np.frexp(block)
            odd = np.abs(mantissa * 2.0**53).astype(np.int64)
            there = odd > 0
            if there.any():
                trailing = np.frexp((odd & -odd).astype(np.float64))[1] - 1
                self.exponent = max(self.exponent, int((53 - power - trailing)[there].max()))
                top = max(top, int(power[there].max()))
        if top == _LOWEST:
            self.exponent = 0  # of zeros, with one digit
        self._firsts = range(0, max(1, top + self.exponent), BITS)

    def __len__(self) -> int:
        return len(self._firsts)

    def __iter__(self) -> Iterator[Tensor]:
        for first in self._firsts:
            piece = np.empty_like(self._values)
            for place, block in self._blocks():
                check_time()  # the weights of a wide layer take seconds
                mantissa, power = np.frexp(block)
                # From 2^80 on, a float64 has no digits left in this place, and must not overflow.
                shift = np.minimum(power + (self.exponent - first), 80)
                np.fmod(np.trunc(np.ldexp(mantissa, shift)), BASE, out=piece.reshape(-1)[place])
            yield torch.from_numpy(piece)

    def _blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        flat = self._values.reshape(-1)
        for start in range(0, len(flat), _KEPT):
            place = slice(start, start + _KEPT)
            yield place, flat[place]
