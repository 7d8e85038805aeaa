"""Formats of files that hold points: how each is told by its name, and what reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from splineviz.data import array_files, csv_files, idx_files, parquet_files, pictures, tensor_files
from splineviz.data.asked import Asked
from splineviz.data.collection import Collection
from splineviz.data.named import collection_of, labels_among
from splineviz.data.picture_folders import read_folder
from splineviz.errors import InputError

__all__ = ["Format", "format_of"]

ArraysOf = Callable[[Path], Mapping[str, np.ndarray]]


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Attributes
    ----------
    suffixes
        Ends of its names, in lower case.
    read
        Makes a collection of its points.
    labels
        Reads the classes, from a file of them alone and the name of an array or column.
    point
        Reads a file that is one point.
    pictures
        Whether it is an image.
    """

    suffixes: tuple[str, ...]
    read: Callable[[Path, Asked], Collection]
    labels: Callable[[Path, str | None], np.ndarray] | None = None
    point: Callable[[Path], np.ndarray] | None = None
    pictures: bool = False


def _of_arrays(arrays_of: ArraysOf, *suffixes: str) -> Format:
    """Format of a file that holds arrays by name."""

    def read(path: Path, asked: Asked) -> Collection:
        return collection_of(arrays_of(path), asked, str(path))

    def labels(path: Path, key: str | None) -> np.ndarray:
        return labels_among(arrays_of(path), key, str(path))

    def point(path: Path) -> np.ndarray:
        arrays = arrays_of(path)
        return np.asarray(arrays[Asked().points_in(arrays, str(path))])

    return Format(suffixes, read, labels, point)


def _read_idx(path: Path, asked: Asked) -> Collection:
    found = collection_of({"": idx_files.array_of(path)}, asked, str(path))
    beside = idx_files.labels_beside(path)
    if beside is None or not asked.inside:
        return found
    known = asked.classes(idx_files.array_of(beside), found.count, str(path))
    return found if known is None else found.with_classes(known)


def _idx_labels(path: Path, _key: str | None) -> np.ndarray:
    return idx_files.array_of(path)


def _read_picture(path: Path, asked: Asked) -> Collection:
    asked.check_nameless(str(path))
    return pictures.Pictures(paths=[path], source=str(path), limit=asked.limit)


_FOLDER = Format((), read_folder)
_IDX = Format((".idx",), _read_idx, _idx_labels, idx_files.array_of)
_FORMATS = (
    _of_arrays(array_files.arrays_of, ".npy", ".npz"),
    _of_arrays(tensor_files.tensors_of, ".pt", ".pth"),
    _of_arrays(tensor_files.safetensors_of, ".safetensors"),
    Format((".csv", ".tsv", ".csv.gz", ".tsv.gz"), csv_files.read_csv, csv_files.labels_of),
    Format((".parquet",), parquet_files.read_parquet, parquet_files.labels_of),
    Format(pictures.SUFFIXES, _read_picture, point=pictures.read_picture, pictures=True),
)
_PICKLES = (".pkl", ".pickle", ".p")


def format_of(path: Path) -> Format:
    """The format of a file by its name, or of a folder.

    Raises
    ------
    InputError
        If there is none of this name.
    """
    if path.is_dir():
        return _FOLDER
    name = path.name.lower()
    if idx_files.is_idx(name):
        return _IDX
    for one in _FORMATS:
        if name.endswith(one.suffixes):
            return one
    if name.endswith(_PICKLES):
        raise InputError(
            f"cannot read {path}: a pickle is not read, since it can run code",
            hint="numpy.savez of its arrays, or give what a function of yours reads from it",
            command_hint="numpy.savez of its arrays, or --data module:function, of yours, that reads it",
        )
    known = ", ".join(suffix for one in _FORMATS for suffix in one.suffixes)
    raise InputError(
        f"cannot read {path}: expected a file {known} or IDX (name-idx3-ubyte), a folder of pictures, or "
        "module:function",
        hint="give the points as an array or a data set for any other",
        command_hint="--data module:function, a function of yours that returns the points, for any other",
    )
