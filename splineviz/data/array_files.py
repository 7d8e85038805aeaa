"""NumPy's files: ``.npy`` with one array, mapped and not read; ``.npz`` with several by name."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import numpy as np

from splineviz.ceilings import check_growth
from splineviz.errors import InputError
from splineviz.sizes import ensure_fits

__all__ = ["arrays_of"]

_MAGIC = b"\x93NUMPY"


def arrays_of(path: Path) -> Mapping[str, np.ndarray]:
    """Arrays of a file by name; the name is empty where the file holds one array."""
    return _Archive(path) if path.suffix.lower() == ".npz" else {"": _mapped(path)}


def _mapped(path: Path) -> np.ndarray:
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise InputError(
                f"cannot read {path}: it is damaged, or holds Python objects",
                hint="save numbers: np.save(FILE, np.stack(points))",
            )
        file.seek(0)
        shape, dtype = _header(file)
    if dtype.hasobject:
        raise InputError(
            f"cannot read {path}: it holds Python objects, which are not read since they can run code",
            hint="save numbers: np.save(FILE, np.stack(points))",
        )
    if 0 in shape or not shape:  # nothing to map
        return np.asarray(np.load(path, allow_pickle=False))
    mapped: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    return mapped


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type that the head of an array tells."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype


class _Archive(Mapping[str, np.ndarray]):
    """Arrays of an ``.npz`` file, each read when it is asked for, and its size before."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with zipfile.ZipFile(path) as archive:
            self._names = [name.removesuffix(".npy") for name in archive.namelist()]

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __getitem__(self, name: str) -> np.ndarray:
        with zipfile.ZipFile(self._path) as archive:
            stored = archive.getinfo(f"{name}.npy")
            check_growth(self._path, stored.file_size - stored.compress_size)
            with archive.open(stored) as member:
                shape, dtype = _header(member)
        if dtype.hasobject:
            raise InputError(
                f"cannot read {self._path}: {name!r} holds Python objects, which are not read since they can "
                "run code",
                hint="numpy.savez of arrays of numbers",
            )
        ensure_fits(shape, dtype.itemsize, f"{name!r} of {self._path}", hint="save fewer points in a file")
        with np.load(self._path, allow_pickle=False) as arrays:
            return np.asarray(arrays[name])
