"""Whole numbers as bytes that compress well, and that a browser reads in a few lines."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64, Integer, UInt8

__all__ = ["planes", "varints", "zigzag"]


def zigzag(numbers: Int64[np.ndarray, "..."]) -> Int64[np.ndarray, "..."]:
    """Numbers of either sign as numbers >= 0: 0, -1, 1, -2, ... become 0, 1, 2, 3, ...

    Examples
    --------
    >>> zigzag(np.array([0, -1, 1, -2])).tolist()
    [0, 1, 2, 3]
    """
    return (numbers << 1) ^ (numbers >> 63)


def varints(numbers: Integer[np.ndarray, "number"]) -> UInt8[np.ndarray, "byte"]:
    """Numbers >= 0, seven bits a byte, the lowest first; the eighth bit says that more follow.

    Examples
    --------
    >>> varints(np.array([1, 300])).tolist()
    [1, 172, 2]
    """
    rest = np.asarray(numbers, dtype=np.uint64)
    lengths = np.ones(len(rest), dtype=np.int64)
    for k in range(1, 10):
        lengths += rest >> np.uint64(7 * k) > 0
    starts = np.cumsum(lengths) - lengths
    found = np.empty(int(lengths.sum()), dtype=np.uint8)
    for k in range(int(lengths.max(initial=0))):
        longer = lengths > k
        low = (rest[longer] >> np.uint64(7 * k)).astype(np.uint8) & 0x7F
        found[starts[longer] + k] = low | ((lengths[longer] > k + 1).astype(np.uint8) << 7)
    return found


def planes(numbers: Integer[np.ndarray, "number"], n_bytes: int) -> UInt8[np.ndarray, "byte"]:
    """Numbers >= 0 of so many bytes: the lowest byte of all, then the next."""
    rest = np.asarray(numbers, dtype=np.uint64)
    parts = [(rest >> np.uint64(8 * k)).astype(np.uint8) for k in range(n_bytes)]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint8)
