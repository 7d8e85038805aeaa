"""Collections of points, which are read when they are taken, and the points that were taken."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from splineviz.data.classes import Classes
from splineviz.errors import InputError
from splineviz.sizes import FEWER, ensure_fits

__all__ = ["Arrays", "Collection", "Data"]


@dataclass(frozen=True, eq=False)
class Data:
    """Points as they lie in their source, and their classes where known.

    Attributes
    ----------
    points
        An array for each point; of several shapes where the source has several.
    names
        File of each point, or its place in the source, ``#3``.
    rows
        (n,) indices in the source.
    labels
        (n,) class numbers.
    class_names
        Names by class number, where the source has names.
    source
        Where they are from.
    pictures
        Whether they were read from image files: integers, (height, width) or (height, width, 3).
    """

    points: Sequence[np.ndarray]
    names: Sequence[str]
    rows: np.ndarray
    labels: np.ndarray | None
    class_names: Mapping[int, str]
    source: str
    pictures: bool = False

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True, eq=False, kw_only=True)
class Collection(ABC):
    """Points of one source that are read when they are taken."""

    source: str
    known: Classes | None = None
    """Classes, where they were read with the points"""
    limit: int | None = None
    """Only the first so many points count"""
    pictures: bool = False

    def __len__(self) -> int:
        return self.count if self.limit is None else min(self.limit, self.count)

    @property
    @abstractmethod
    def count(self) -> int:
        """Number of points in the source."""

    @abstractmethod
    def fetch(self, rows: Sequence[int]) -> Sequence[np.ndarray]:
        """Read the points of these indices, from 0."""

    @property
    def classes(self) -> Classes | None:
        """Classes of all points, where they are known."""
        return self.known

    def with_classes(self, known: Classes) -> Self:
        """A copy with other classes."""
        return replace(self, known=known)

    def labels_of(self, rows: Sequence[int]) -> tuple[np.ndarray | None, Mapping[int, str]]:
        """Class numbers of some points, and the names of classes."""
        return (None, {}) if self.classes is None else (self.classes.numbers[list(rows)], self.classes.names)

    def name(self, row: int) -> str:
        """Name of a point in messages."""
        return f"#{row}"

    def take(self, rows: Sequence[int]) -> Data:
        """Read some points; indices below 0 count from the end.

        Raises
        ------
        InputError
            If an index lies outside, a point cannot be read, or they do not fit into memory.
        """
        number = len(self)
        if outside := [row for row in rows if not -number <= row < number]:
            held = f"{number} points, 0 to {number - 1}" if number else "no point"
            listed = ", ".join(map(str, outside))
            raise InputError(f"{self.source} holds {held}; there is no {listed}")
        rows, points = [row % number for row in rows], list[np.ndarray]()
        if rows:
            first = self.fetch(rows[:1])
            ensure_fits((len(rows), *first[0].shape), 8, f"the points of {self.source}", **FEWER)
            points = [*first, *self.fetch(rows[1:])]
        labels, names = self.labels_of(rows)
        chosen = np.asarray(rows, dtype=np.int64)
        called = [self.name(row) for row in rows]
        return Data(points, called, chosen, labels, names, self.source, self.pictures)


@dataclass(frozen=True, eq=False, kw_only=True)
class Arrays(Collection):
    """Points that lie in an array, in memory or mapped from a file, or one array each."""

    points: Sequence[np.ndarray] | np.ndarray
    called: Sequence[str] = ()

    @property
    def count(self) -> int:
        return len(self.points)

    def fetch(self, rows: Sequence[int]) -> Sequence[np.ndarray]:
        if isinstance(self.points, np.ndarray):
            return list(np.asarray(self.points[list(rows)]))
        return [self.points[row] for row in rows]

    def name(self, row: int) -> str:
        return self.called[row] if self.called else super().name(row)
