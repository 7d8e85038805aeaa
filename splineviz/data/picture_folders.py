"""Folders of pictures, with a sub-folder for each class or without, and pictures by a pattern of names."""

from __future__ import annotations

import glob
import os
import shlex
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from splineviz.data.asked import Asked
from splineviz.data.classes import as_classes
from splineviz.data.pictures import SUFFIXES, Pictures
from splineviz.errors import InputError, SplinevizWarning

__all__ = ["read_folder", "read_matching"]


def read_folder(folder: Path, asked: Asked) -> Pictures:
    """Pictures in a folder, by name; where they lie in sub-folders, those are the classes.

    Raises
    ------
    InputError
        If there are none, it cannot be told which folders are classes, or arrays are asked for by name.
    """
    asked.check_nameless(str(folder))
    files = _files(folder)
    pictures = [path for path in files if path.suffix.lower() in SUFFIXES]
    if not pictures:
        raise InputError(
            f"the folder {folder} holds no picture, {', '.join(SUFFIXES)}"
            + (f"; it holds {', '.join(map(str, files[:3]))}" if files else ", and nothing else"),
            hint=None if files else "name the folder that they lie in",
        )
    if others := [path for path in files if path.suffix.lower() not in SUFFIXES]:
        warnings.warn(
            f"{folder}: files of other kinds are left out, {len(others)} such as {others[0]}",
            SplinevizWarning,
            stacklevel=2,
        )
    flat = [path for path in pictures if len(path.parts) == 1]
    if flat and len(flat) < len(pictures):
        inner = next(path for path in pictures if len(path.parts) > 1)
        raise InputError(
            f"of the pictures in {folder} some lie in sub-folders, as {inner}, and some do not, as {flat[0]}",
            hint="classes are sub-folders: move the others out, or name one folder",
        )
    known = None
    if not flat and asked.inside:
        _check_depth(folder, pictures)
        words = np.array([path.parts[0] for path in pictures])
        known = as_classes(words, len(words), str(folder), asked.class_names)
    paths = [folder / path for path in pictures]
    return Pictures(paths=paths, known=known, source=str(folder), limit=asked.limit)


def read_matching(pattern: str, asked: Asked) -> Pictures:
    """Pictures whose names match a pattern, ``*`` and ``?``, in the order of their names.

    Raises
    ------
    InputError
        If there are none.
    """
    asked.check_nameless(pattern)
    matching = [Path(name) for name in sorted(glob.glob(pattern, recursive=True))]
    paths = [path for path in matching if path.suffix.lower() in SUFFIXES and path.is_file()]
    if not paths:
        raise InputError(
            f"no picture, {', '.join(SUFFIXES)}, is called {pattern}",
            hint="is the path relative to the current folder?",
        )
    return Pictures(paths=paths, source=pattern, limit=asked.limit)


def _files(folder: Path) -> list[Path]:
    """Paths of files below a folder, relative to it, by name; hidden ones are left out, and links followed,
    into each folder once."""
    found, entered = list[Path](), {folder.resolve()}
    for place, inner, names in os.walk(folder, followlinks=True):
        paths = {name: Path(place, name).resolve() for name in sorted(inner) if not name.startswith(".")}
        inner[:] = [name for name, path in paths.items() if path not in entered]
        entered.update(paths.values())
        found += [Path(place, name) for name in names if not name.startswith(".")]
    return sorted(path.relative_to(folder) for path in found if path.is_file())


def _check_depth(folder: Path, pictures: Sequence[Path]) -> None:
    """Refuse a folder of folders of classes, such as one of train and test."""
    inner: dict[str, set[str]] = {}
    for path in pictures:
        inner.setdefault(path.parts[0], set()).add(path.parent.as_posix())
    if several := next((name for name, folders in inner.items() if len(folders) > 1), None):
        one, other = sorted(inner[several])[:2]
        raise InputError(
            f"in {folder} the folder {several} has sub-folders itself, {one} and {other}: which are classes?",
            hint=f"'{folder / several}'",
            command_hint=f"--data {shlex.quote(str(folder / several))}",
        )
