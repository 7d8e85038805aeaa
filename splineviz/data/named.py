"""Arrays by name, as archives, dicts of tensors and items of data sets hold them: points and classes among
them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from splineviz.data.asked import Asked
from splineviz.data.collection import Arrays
from splineviz.errors import InputError

__all__ = ["collection_of", "labels_among"]


def collection_of(arrays: Mapping[str, np.ndarray], asked: Asked, source: str) -> Arrays:
    """Points, and the classes beside them, of arrays by name; the name is empty where there is one without.

    Raises
    ------
    InputError
        If what was asked for is not there, or is no array of points.
    """
    name = asked.points_in(arrays, source)
    points = arrays[name]
    if points.ndim < 2 or len(points) == 0:
        raise InputError(f"{source} must hold an array of points, (n, ...), got shape {points.shape}")
    label = asked.labels_in(arrays, name, source)
    known = None if label is None else asked.classes(np.asarray(arrays[label]), len(points), source)
    return Arrays(points=points, known=known, source=source, limit=asked.limit)


def labels_among(arrays: Mapping[str, np.ndarray], key: str | None, source: str) -> np.ndarray:
    """Labels in a file of their own: the array ``key``, or one with a usual name, or the only one.

    Raises
    ------
    InputError
        If there is no such.
    """
    if key is not None or len(arrays) != 1:
        key = Asked(labels_key=key).labels_in(arrays, "", source)
    else:
        (key,) = arrays
    if key is None:
        raise InputError(
            f"{source} holds no labels; it has {', '.join(arrays)}",
            hint="labels_key=NAME",
            command_hint="--labels-key NAME",
        )
    return np.asarray(arrays[key])
