"""Classes of points: numbers, one-hot rows, or names, brought to numbers with their names kept."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from splineviz.errors import InputError, SplinevizWarning

__all__ = ["LABEL_NAMES", "Classes", "as_classes", "classes_found", "one_hot"]

LABEL_NAMES = ("y", "label", "labels", "class", "target", "targets")
"""Names under which sources keep classes, the first choice first"""


@dataclass(frozen=True, eq=False)
class Classes:
    """Class of each point, (n,) whole numbers, and the names by number where there are any."""

    numbers: np.ndarray
    names: Mapping[int, str]


def as_classes(values: np.ndarray, count: int, source: str, names: Sequence[str] | None = None) -> Classes:
    """Classes of ``count`` points from whole numbers, one-hot rows or words.

    Words that are whole numbers are those numbers; other words are numbered as in ``names``, and where these
    are none of them, or there are none, in alphabetical order.

    Raises
    ------
    InputError
        If there is not one for each point, or they are no classes.
    """
    if values.shape == (count, 1):
        values = values.ravel()
    elif one_hot(values):
        values = values.argmax(1)
    if values.shape != (count,):
        raise InputError(
            f"the labels must have shape ({count},), one for each point of {source}, got {values.shape}"
        )
    if values.dtype.kind in "SUO" and all(isinstance(value, str | bytes) for value in values.tolist()):
        words = [value.decode() if isinstance(value, bytes) else value for value in values.tolist()]
        return _of_words(words, source, names)
    if not _whole(values):
        raise InputError(f"the labels must be class numbers or names, got {values.dtype}{_example(values)}")
    return Classes(values.astype(np.int64), {} if names is None else dict(enumerate(names)))


def classes_found(
    values: np.ndarray, count: int, source: str, names: Sequence[str] | None = None
) -> Classes | None:
    """Classes that nobody named, but that lie beside the points; left out, with a warning, where they are
    none."""
    try:
        return as_classes(values, count, source, names)
    except InputError as error:
        warnings.warn(f"{source}: no classes are read, since {error.message}", SplinevizWarning, stacklevel=2)
        return None


def one_hot(values: np.ndarray) -> bool:
    """Tell rows (n, class) of which each is 0 but for one 1."""
    if values.ndim != 2 or values.dtype.kind not in "iufb":
        return False
    return bool(np.isin(values, (0, 1)).all() and (values.sum(1) == 1).all())


def _whole(values: np.ndarray) -> bool:
    return values.dtype.kind in "iub" or (
        values.dtype.kind == "f" and bool(np.isfinite(values).all() and (values == np.floor(values)).all())
    )


def _example(values: np.ndarray) -> str:
    if values.dtype.kind != "f":
        return ""
    return f" such as {next(value for value in values.tolist() if not float(value).is_integer())}"


def _of_words(words: Sequence[str], source: str, names: Sequence[str] | None) -> Classes:
    missing = [place for place, word in enumerate(words) if not word.strip()]
    if missing:
        raise InputError(
            f"{source}: the label of point {missing[0]} is missing",
            hint="give every point a label, or leave out those that have none",
        )
    if names is None and all(_is_number(word) for word in words):
        return Classes(np.array([int(word) for word in words], dtype=np.int64), {})
    known = set(names or ()) & set(words)
    order = list(names) if names and known else sorted(set(words))
    if strange := sorted(set(words) - set(order)):
        raise InputError(
            f"{source} has the class {strange[0]!r}, which is not among {', '.join(order)}",
            hint="name all classes, by number",
        )
    number = {word: place for place, word in enumerate(order)}
    return Classes(
        np.array([number[word] for word in words], dtype=np.int64), dict(enumerate(names or order))
    )


def _is_number(word: str) -> bool:
    return word.strip().removeprefix("-").isdecimal()
