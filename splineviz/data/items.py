"""Items of data sets and batches of loaders: the point and the class in each, and what is drawn by chance."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from splineviz.data.asked import Asked
from splineviz.data.values import as_array
from splineviz.errors import InputError

__all__ = ["labels_of_items", "parts_of", "seeded"]


def parts_of(item: object, asked: Asked, where: str) -> tuple[np.ndarray, object]:
    """Point and class of an item."""
    if isinstance(item, Mapping):
        named = {str(name): value for name, value in item.items()}
        point = asked.points_in(named, where)
        label = asked.labels_in(named, point, where)
        return as_array(named[point]), None if label is None else named[label]
    asked.check_nameless(where)
    if isinstance(item, tuple | list) and not _is_plain(item):
        if not 1 <= len(item) <= 2:
            raise InputError(f"{where} has {len(item)} parts, expected x or (x, y)", hint="return (x, y)")
        return as_array(item[0]), item[1] if len(item) == 2 else None
    return as_array(item), None


def _is_plain(item: Sequence[object]) -> bool:
    """Tell a point as numbers, in lists or nested lists of them, from a point and its class."""
    plain = int | float | list if isinstance(item, list) else int | float
    return all(isinstance(part, plain) for part in item)


def labels_of_items(labels: Sequence[object]) -> np.ndarray:
    """Labels of several items as one array."""
    if all(isinstance(label, str) for label in labels):
        return np.array(labels)
    return np.array([None if label is None else as_array(label) for label in labels])


@contextmanager
def seeded(seed: int) -> Iterator[None]:
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
