"""Arrays whose rows come bit by bit."""

from __future__ import annotations

import numpy as np

__all__ = ["Growing"]

_SLACK = 8  # one part in so many is set aside for rows to come


class Growing:
    """An array whose rows come bit by bit, with hardly more memory than they take: no pieces wait to be put
    together, which would be all rows twice."""

    def __init__(self, none: np.ndarray) -> None:
        """``none`` is an array of no rows, of the type and the shape that those to come have."""
        self._rows, self._n = np.empty((0, *none.shape[1:]), none.dtype), 0

    def __len__(self) -> int:
        return self._n

    @property
    def rows(self) -> np.ndarray:
        """The rows so far, to be read and changed; not to be held when more are added."""
        return self._rows[: self._n]

    def add(self, rows: np.ndarray) -> None:
        """Add rows at the end."""
        n = self._n + len(rows)
        if n > len(self._rows):
            self._resize(n + n // _SLACK)
        self._rows[self._n : n] = rows
        self._n = n

    def taken(self) -> np.ndarray:
        """All rows; afterwards there are none here."""
        self._resize(self._n)
        rows, self._rows, self._n = self._rows, self._rows[:0].copy(), 0
        return rows

    def _resize(self, n: int) -> None:
        # In place where the allocator can move pages: a fresh array would be there beside the old one.
        self._rows.resize((n, *self._rows.shape[1:]), refcheck=False)
