"""Objects of a program: arrays, data sets with a length and items, iterables of batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, TypeGuard

import numpy as np

from splineviz.data.asked import Asked
from splineviz.data.classes import Classes, one_hot
from splineviz.data.collection import Collection
from splineviz.data.items import labels_of_items, parts_of, seeded
from splineviz.data.named import collection_of
from splineviz.data.streams import ENOUGH, read_stream
from splineviz.data.values import as_array, is_tensor
from splineviz.errors import InputError
from splineviz.showing import condensed
from splineviz.sizes import FEWER

__all__ = ["Items", "read_object"]


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
    if isinstance(content, np.ndarray) or is_tensor(content):
        return collection_of({"": as_array(content)}, asked, source)
    if isinstance(content, Mapping):
        arrays = {str(name): value for name, value in content.items()}
        return collection_of({name: as_array(value) for name, value in arrays.items()}, asked, source)
    if isinstance(content, tuple) and len(content) == 2 and _is_pair(*content):
        return collection_of(dict(zip("xy", map(as_array, content), strict=True)), asked, source)
    if _is_indexed(content):
        return Items(items=content, asked=asked, source=source, limit=asked.limit)
    if isinstance(content, Iterable):
        return read_stream(content, asked, source)
    raise InputError(
        f"{source} gives {type(content).__name__}, and neither arrays, a data set nor an iterable of batches",
        hint="a function that returns one of these",
    )


def _is_pair(points: object, classes: object) -> bool:
    """Tell points and their classes from two points, which have as many axes."""
    if not all(isinstance(part, np.ndarray | list) or is_tensor(part) for part in (points, classes)):
        return False
    labels = as_array(classes)
    return as_array(points).ndim >= 2 and (labels.ndim == 1 or one_hot(labels))


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
        known = replace(self.asked, class_names=names).classes(
            labels_of_items(labels), len(rows), self.source
        )
        return (None, {}) if known is None else (known.numbers, known.names)

    @property
    def classes(self) -> Classes | None:
        return self._found if self.known is None else self.known

    @cached_property
    def _found(self) -> Classes | None:
        told = getattr(self.items, "targets", None)
        changed = getattr(self.items, "target_transform", None) is not None
        if told is not None and not changed and len(told) == self.count:
            labels = as_array(told)[: len(self)]
        else:
            if len(self) > ENOUGH and self.limit is None:
                raise InputError(
                    f"{self.source} has {self.count:,} points, and the class of each is found by reading it",
                    **FEWER,
                )
            labels = labels_of_items([self._item(row)[1] for row in range(len(self))])
        if labels.dtype.kind == "O":
            return None
        return replace(self.asked, class_names=self._names()).classes(labels, len(self), self.source)

    def _names(self) -> Sequence[str] | None:
        told = self.asked.class_names or getattr(self.items, "classes", None)
        listed = isinstance(told, list | tuple) and all(isinstance(name, str) for name in told)
        return list(told) if listed and told is not None else None

    def _item(self, row: int) -> tuple[np.ndarray, object]:
        if row not in self._read:
            try:
                with seeded(self.asked.seed + row):
                    item = self.items[row]
            except Exception as error:
                raise InputError(
                    f"{self.source}: reading point {row} failed: {condensed(error)}",
                    hint=f"read it in Python, dataset[{row}], to see where it fails",
                ) from error
            self._read[row] = parts_of(item, self.asked, f"{self.source}, point {row}")
        return self._read[row]
