"""Reading points: from a file or a folder by its kind, from ``module:function``, or from an object."""

from __future__ import annotations

import glob
import inspect
import os
import re
import stat
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from splineviz.data.asked import Asked
from splineviz.data.classes import as_classes
from splineviz.data.collection import Arrays, Collection
from splineviz.data.formats import Format, format_of
from splineviz.data.objects import read_object
from splineviz.data.picture_folders import read_matching
from splineviz.errors import InputError, SplinevizError
from splineviz.own_code import current_folder_first, named_object
from splineviz.readable import check_readable
from splineviz.showing import condensed

__all__ = ["read_data", "read_point_files"]

Result = TypeVar("Result")

_REFERENCE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


def read_data(
    source: object,
    *,
    key: str | None = None,
    labels: str | os.PathLike[str] | None = None,
    labels_key: str | None = None,
    class_names: Sequence[str] | None = None,
    limit: int | None = None,
    seed: int = 0,
) -> Collection:
    """Points of any source, which are read when they are taken.

    Parameters
    ----------
    source
        A file: ``.npy``, ``.npz``, ``.pt``, ``.safetensors``, ``.csv``, ``.parquet``, IDX, ``.png``,
        ``.jpg``, ``.webp``. A folder of pictures, whose sub-folders are classes, or a pattern of their names.
        ``module:function``, or an object: a data set, an iterable of batches, arrays, a pair (points,
        classes).
    key
        The points among several arrays, by default ``x`` or the only one; of a table its columns, ``a,b,c``.
    labels
        A file with the classes.
    labels_key
        The classes among several arrays or columns, by default ``y``, ``label``, ``class`` or ``target``.
    class_names
        Names by class number: what number a name has, where classes are names.
    limit
        Only the first so many points.
    seed
        Of the random numbers that a data set or a loader draws.

    Raises
    ------
    InputError
        If it cannot be read, or does not hold what is asked for.

    Examples
    --------
    >>> import numpy as np
    >>> data = read_data((np.eye(3), np.array([0, 1, 1])))
    >>> len(data), data.take([-1]).labels
    (3, array([1]))
    """
    asked = Asked(
        key=key, labels=labels, labels_key=labels_key, class_names=class_names, limit=limit, seed=seed
    )
    inside = asked if labels is None else replace(asked, labels_key=None)  # the key is of the file of labels
    if not isinstance(source, str | os.PathLike):
        found = read_object(source, inside, f"the {type(source).__name__}")
    elif _REFERENCE.fullmatch(str(source)) and not Path(source).exists():
        found = read_object(_imported(str(source)), inside, str(source))
    elif glob.has_magic(str(source)) and not Path(source).exists():
        found = read_matching(str(source), inside)
    else:
        path = Path(source)
        kind = _checked(path)
        found = _guarded(path, partial(kind.read, path, inside))
    if len(found) == 0:
        raise InputError(f"{found.source} holds no point", hint="a file or folder with one at least")
    return found if labels is None else _with_labels(found, Path(labels), asked)


def read_point_files(paths: Sequence[str]) -> Collection:
    """Points given as one file each: a picture, or an array that is the point."""
    points, pictures = [], True
    for name in paths:
        path = Path(name)
        kind = _checked(path)
        point_of = kind.point
        if point_of is None:
            raise InputError(f"{path} is no file of a single point", hint="save the point alone, as .npy")
        points.append(_guarded(path, partial(point_of, path)))
        pictures = pictures and kind.pictures
    return Arrays(points=points, called=paths, source=", ".join(paths), pictures=pictures)


def _checked(path: Path) -> Format:
    """The format of a file or folder that can be read."""
    found = check_readable(path, folders=True)
    kind = format_of(path)
    if stat.S_ISREG(found.st_mode) and not found.st_size:
        raise InputError(f"cannot read {path}: the file is empty", hint="write or copy it again")
    return kind


def _guarded(path: Path, read: Callable[[], Result]) -> Result:
    """The result of reading a file, whose errors name it."""
    try:
        return read()
    except SplinevizError:
        raise
    except MemoryError as error:
        raise InputError(
            f"cannot read {path}: it is too large for the memory",
            hint="a file with fewer points, or a machine with more memory",
        ) from error
    except Exception as error:  # of several libraries, on whatever the bytes are
        reason = getattr(error, "strerror", None) or next(iter(str(error).strip().splitlines()), None)
        raise InputError(
            f"cannot read {path}: {reason or type(error).__name__}",
            hint=None
            if isinstance(error, OSError)
            else "the file may be damaged or cut short: copy it again",
        ) from error


def _imported(reference: str) -> object:
    """The object that ``module:function`` names, or that it makes when called."""
    try:
        with current_folder_first():
            made = named_object(reference)
            ready = any(hasattr(type(made), method) for method in ("__getitem__", "__iter__", "detach"))
            return made() if callable(made) and (inspect.isclass(made) or not ready) else made
    except SplinevizError:
        raise
    except Exception as error:
        raise InputError(
            f"cannot load the data {reference}: {condensed(error)}",
            hint="a function without arguments, in a module that can be imported here",
        ) from error


def _with_labels(found: Collection, path: Path, asked: Asked) -> Collection:
    """A collection with the classes of a file of their own."""
    read = _checked(path).labels
    if read is None:
        raise InputError(
            f"cannot read labels from {path}", hint="a file .npy, .npz, .pt, .csv, .parquet or IDX"
        )
    values = _guarded(path, partial(read, path, asked.labels_key))
    if asked.limit is not None and len(values) > len(found):
        values = values[: len(found)]
    return found.with_classes(as_classes(values, len(found), found.source, asked.class_names))
