"""Rows that are worked on at a time, so that what is made of them takes a bounded amount of memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

__all__ = ["blocks", "by_blocks"]

_ROWS = 1 << 15


def blocks(n_rows: int, size: int) -> Iterator[slice]:
    """Runs of ``size`` rows, the last one shorter, that cover all of them.

    Examples
    --------
    >>> list(blocks(5, 2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    return (slice(first, min(first + size, n_rows)) for first in range(0, n_rows, size))


def by_blocks(values: Callable[[slice], np.ndarray], n_rows: int) -> np.ndarray:
    """(n_rows, ...) what a function makes of each run of rows, one below the other.

    Examples
    --------
    >>> squares = np.arange(4) ** 2
    >>> by_blocks(lambda part: squares[part] + 1, 4).tolist()
    [1, 2, 5, 10]
    """
    first = values(slice(0, min(n_rows, _ROWS)))
    found = np.empty((n_rows, *first.shape[1:]), dtype=first.dtype)
    found[: len(first)] = first
    for part in blocks(n_rows, _ROWS):
        if part.start:
            found[part] = values(part)
    return found
