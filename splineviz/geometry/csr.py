"""Rows of unequal length, stored flat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

__all__ = ["Csr", "runs"]


@dataclass(frozen=True, eq=False)
class Csr:
    """Row ``i`` is ``values[offsets[i]:offsets[i + 1]]``."""

    offsets: np.ndarray
    """(rows + 1,) int64"""
    values: np.ndarray
    """(total, ...)"""

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> np.ndarray:
        if not -len(self) <= row < len(self):
            raise IndexError(f"row {row} of {len(self)}")
        row %= len(self)
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[row] for row in range(len(self)))

    def take(self, rows: np.ndarray) -> Csr:
        """Some of its rows, in the order asked for."""
        places = self.places(rows)
        return Csr(places.offsets, self.values[places.values])

    def places(self, rows: np.ndarray) -> Csr:
        """Indices into ``values`` of some of its rows, in the order asked for."""
        lengths = self.lengths[rows]
        return Csr(np.concatenate([[0], np.cumsum(lengths)]), runs(self.offsets[:-1][rows], lengths))

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.offsets)

    @property
    def row_of(self) -> np.ndarray:
        """(total,) the row that each value belongs to."""
        return np.repeat(np.arange(len(self)), self.lengths)


def runs(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The indices from each start on, as many as its length, one run after the other."""
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))
