"""Data sets and loaders of a program: anything with a length and items, batches, or arrays."""

from __future__ import annotations

import random
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeGuard

import numpy as np

from splineviz.data.asked import Asked
from splineviz.data.classes import Classes, as_classes, classes_found
from splineviz.data.collection import Arrays, Collection
from splineviz.data.named import collection_of
from splineviz.data.values import as_array, is_tensor
from splineviz.errors import InputError, InputWarning

__all__ = ["Items", "read_object"]

ENOUGH = 10_000
"""Points that are read of something endless, or to look for classes, unless a limit is given"""


class Indexed(Protocol):
    """A data set with a length, and an item for each index."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> object: ...


def read_object(content: object, asked: Asked, source: str) -> Collection:
    """Points of an array, a pair (points, classes), a dict of arrays, a data set, or an iterable of batches.

    Raises
    ------
    InputError
        If it is none of these.
    """
    if isinstance(content, Collection):
        return content
    if isinstance(content, np.ndarray) or is_tensor(content):
        return collection_of({"": as_array(content)}, asked, source)
    if isinstance(content, Mapping):
        arrays = {str(name): value for name, value in content.items()}
        return collection_of({name: as_array(value) for name, value in arrays.items()}, asked, source)
    if isinstance(content, tuple) and len(content) == 2 and all(_is_array(part) for part in content):
        return collection_of(dict(zip("xy", map(as_array, content), strict=True)), asked, source)
    if _is_indexed(content):
        return Items(items=content, asked=asked, source=source, limit=asked.limit)
    if isinstance(content, Iterable):
        return _stream(content, asked, source)
    raise InputError(
        f"{source} gives {type(content).__name__}, and neither arrays, a data set nor an iterable of batches",
        hint="a function that returns one of these",
    )


def _is_array(value: object) -> bool:
    return isinstance(value, np.ndarray) or is_tensor(value)


def _is_indexed(value: object) -> TypeGuard[Indexed]:
    return hasattr(value, "__len__") and hasattr(value, "__getitem__")


@dataclass(frozen=True, eq=False, kw_only=True)
class Items(Collection):
    """A data set whose items are points, pairs of a point and its class, or dicts of both."""

    items: Indexed
    asked: Asked

    @property
    def count(self) -> int:
        return len(self.items)

    @cached_property
    def _read(self) -> dict[int, tuple[np.ndarray, object]]:
        """Items that were read, by index: what a data set draws by chance stays what it was."""
        return {}

    def fetch(self, rows: Sequence[int]) -> Sequence[np.ndarray]:
        return [self._item(row)[0] for row in rows]

    def labels_of(self, rows: Sequence[int]) -> tuple[np.ndarray | None, Mapping[int, str]]:
        if self.known is not None:
            return super().labels_of(rows)
        names = self._names()
        labels = [self._item(row)[1] for row in rows]
        if any(label is None for label in labels) or not labels:
            return None, {}
        if names is None and any(isinstance(label, str) for label in labels):
            return super().labels_of(rows)  # their numbers depend on all names
        read = as_classes if self.asked.labels_key is not None else classes_found
        known = read(_labels(labels), len(rows), self.source, names)
        return (None, {}) if known is None else (known.numbers, known.names)

    @property
    def classes(self) -> Classes | None:
        return self._found if self.known is None else self.known

    @cached_property
    def _found(self) -> Classes | None:
        told = getattr(self.items, "targets", None)
        if told is not None and len(told) == self.count:
            labels = as_array(told)[: len(self)]
        else:
            if len(self) > ENOUGH and self.limit is None:
                raise InputError(
                    f"{self.source} has {self.count:,} points, and the class of each is found by reading it",
                    hint="--limit N for fewer",
                )
            labels = _labels([self._item(row)[1] for row in range(len(self))])
        if labels.dtype.kind == "O":
            return None
        return classes_found(labels, len(self), self.source, self._names())

    def _names(self) -> Sequence[str] | None:
        told = self.asked.class_names or getattr(self.items, "classes", None)
        listed = isinstance(told, list | tuple) and all(isinstance(name, str) for name in told)
        return list(told) if listed and told is not None else None

    def _item(self, row: int) -> tuple[np.ndarray, object]:
        if row not in self._read:
            try:
                with _seeded(self.asked.seed + row):
                    item = self.items[row]
            except Exception as error:
                raise InputError(
                    f"{self.source}: reading point {row} failed: {type(error).__name__}: {error}"
                ) from error
            self._read[row] = _parts(item, self.asked, f"{self.source}, point {row}")
        return self._read[row]


def _parts(item: object, asked: Asked, where: str) -> tuple[np.ndarray, object]:
    """Point and class of an item."""
    if isinstance(item, Mapping):
        named = {str(name): value for name, value in item.items()}
        point = asked.points_in(named, where)
        label = asked.labels_in(named, point, where)
        return as_array(named[point]), None if label is None else named[label]
    if isinstance(item, tuple | list) and not all(isinstance(part, int | float) for part in item):
        if not 1 <= len(item) <= 2:
            raise InputError(f"{where} has {len(item)} parts, expected x or (x, y)", hint="return (x, y)")
        return as_array(item[0]), item[1] if len(item) == 2 else None
    return as_array(item), None


def _labels(labels: Sequence[object]) -> np.ndarray:
    if all(isinstance(label, str) for label in labels):
        return np.array(labels)
    return np.array([None if label is None else as_array(label) for label in labels])


def _stream(content: Iterable[object], asked: Asked, source: str) -> Arrays:
    """The first points of an iterable of batches, or of single points, as far as the limit."""
    most, points, labels = asked.limit or ENOUGH, list[np.ndarray](), list[object]()
    with _seeded(asked.seed):
        for number, batch in enumerate(content):
            x, y = _parts(batch, asked, f"{source}, batch {number}")
            single = x.ndim < 2 or (y is not None and as_array(y).ndim == 0)
            points += [x] if single else list(x)
            if y is not None:
                labels += [y] if single else list(as_array(y)) if not isinstance(y, list | tuple) else list(y)
            if len(points) >= most:
                break
    if not points:
        raise InputError(f"{source} gives no point")
    if asked.limit is None and len(points) >= most:
        warnings.warn(
            f"{source}: the first {most:,} points are read; --limit N for more", InputWarning, stacklevel=3
        )
    points, labels = points[:most], labels[:most]
    known = None
    if labels:
        known = classes_found(_labels(labels), len(points), source, asked.class_names)
    return Arrays(points=points, known=known, source=source, limit=asked.limit)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Random numbers of Python, NumPy and torch from a seed, and then those that would have come."""
    torch = sys.modules.get("torch")
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002 data sets draw from it
    state = None if torch is None else torch.get_rng_state()
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    if torch is not None:
        torch.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002
        if torch is not None:
            torch.set_rng_state(state)
