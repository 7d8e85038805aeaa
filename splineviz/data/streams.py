"""Iterables of batches or of single points, read as far as a limit."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator

import numpy as np

from splineviz.data.asked import Asked
from splineviz.data.collection import Arrays
from splineviz.data.items import labels_of_items, parts_of, seeded
from splineviz.data.values import as_array
from splineviz.errors import InputError, SplinevizWarning
from splineviz.showing import condensed

__all__ = ["ENOUGH", "read_stream"]

ENOUGH = 10_000
"""Points that are read of something endless, or to look for classes, unless a limit is given"""


def read_stream(content: Iterable[object], asked: Asked, source: str) -> Arrays:
    """The first points of an iterable of batches, or of single points, as far as the limit."""
    most, points, labels = asked.limit or ENOUGH, list[np.ndarray](), list[object]()
    for number, batch in enumerate(_drawn(content, asked.seed, source)):
        x, y = parts_of(batch, asked, f"{source}, batch {number}")
        single = x.ndim < 2 or (y is not None and as_array(y).ndim == 0)
        points += [x] if single else list(x)
        if y is not None:
            labels += [y] if single else list(as_array(y))
        if len(points) >= most:
            break
    if not points:
        raise InputError(
            f"{source} gives no point", hint="give a loader, or an iterable, of at least one point"
        )
    if asked.limit is None and len(points) >= most:
        warnings.warn(
            f"{source}: the first {most:,} points are read; --limit N for more",
            SplinevizWarning,
            stacklevel=3,
        )
    points, labels = points[:most], labels[:most]
    known = asked.classes(labels_of_items(labels), len(points), source) if labels else None
    return Arrays(points=points, known=known, source=source, limit=asked.limit)


def _drawn(content: Iterable[object], seed: int, source: str) -> Iterator[object]:
    """The batches with the random numbers of a seed."""
    try:
        with seeded(seed):
            yield from content
    except Exception as error:  # whatever the code of the user may raise
        raise InputError(
            f"{source}: reading it failed: {condensed(error)}",
            hint="run it in Python, outside of splineviz, to see where it fails",
        ) from error
