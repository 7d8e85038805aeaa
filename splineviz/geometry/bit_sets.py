"""Bit sets of units on faces, read: states that are on or off, and places of winners."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int64, UInt64

__all__ = ["bits_of", "numbers_of"]


def bits_of(words: UInt64[np.ndarray, "row word"], n_units: int) -> Bool[np.ndarray, "row unit"]:
    """Which units are in each of the bit sets."""
    raw = np.ascontiguousarray(words).view(np.uint8)
    bits: np.ndarray = np.unpackbits(raw, axis=1, bitorder="little")[:, :n_units].astype(bool)
    return bits


def numbers_of(
    words: UInt64[np.ndarray, "row word"], n_units: int, most: int
) -> Int64[np.ndarray, "row unit"]:
    """Numbers below ``most`` of all units: bit b of them is in the b-th of equal groups of words."""
    result = np.zeros((len(words), n_units), dtype=np.int64)
    for b, plane in enumerate(np.split(words, max(1, (most - 1).bit_length()), axis=1)):
        result |= bits_of(plane, n_units).astype(np.int64) << b
    return result
