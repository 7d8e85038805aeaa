"""Carries of numbers that are kept in digits."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from splineviz.geometry.compiled import kernel

__all__ = ["carried"]


@kernel
def carried(
    digits: Float64[np.ndarray, "digit number"], base: float, length: int
) -> Float64[np.ndarray, "carried number"]:
    """Digits, from the lowest, of the numbers with digits of any size, all but the last in [0, base).

    The last carries the sign, and is smaller than ``base``; there are as few as all the numbers need, but at
    least ``length``.
    """
    n_digits, n = digits.shape
    # Digits are below 2^53 before, so carries are below 2^53 / base, and base is at least 2^13.
    room = n_digits + 5
    out = np.empty((room, n))
    carry, needed = np.zeros(n), length
    for i in range(room):
        for k in range(n):
            total = carry[k] + digits[i, k] if i < n_digits else carry[k]
            carry[k] = np.floor(total / base)
            out[i, k] = total - carry[k] * base
    for k in range(n):
        # What is left of a carry is 0 or -1; the digits above the number are as that carry would make them.
        sign, top = carry[k], room
        above = base - 1.0 if sign < 0 else 0.0
        while top > needed and out[top - 1, k] == above:
            top -= 1
        needed = max(needed, top)
    for k in range(n):
        out[needed - 1, k] += carry[k] * base
    return out[:needed]
