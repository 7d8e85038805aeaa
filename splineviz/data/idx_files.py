"""IDX files, as MNIST and its kin are published: big-endian numbers behind a head of their type and shape."""

from __future__ import annotations

import gzip
import math
import re
import struct
from io import BufferedIOBase
from pathlib import Path

import numpy as np

from splineviz.ceilings import check_growth
from splineviz.errors import InputError
from splineviz.sizes import ensure_fits

__all__ = ["array_of", "is_idx", "labels_beside"]

_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_NAME = re.compile(r"(^|[-._])idx\d?(-?u?byte)?(\.gz)?$", re.IGNORECASE)


def is_idx(name: str) -> bool:
    """Tell an IDX file by its name.

    Examples
    --------
    >>> [is_idx(n) for n in ("train-images-idx3-ubyte.gz", "t10k-labels.idx1-ubyte", "a.idx", "idx.npy")]
    [True, True, True, False]
    """
    return _NAME.search(name) is not None


def array_of(path: Path) -> np.ndarray:
    """The array of a file, compressed or not, in the byte order of this machine.

    Raises
    ------
    InputError
        If it is no such file, is cut short, or holds more than its head says.
    """
    with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
        shape, kind = _head(file, path)
        ensure_fits(shape, kind.itemsize, str(path), hint="a part of it, saved as .npy")
        size = math.prod(shape) * kind.itemsize
        if path.suffix.lower() == ".gz":
            check_growth(path, size - path.stat().st_size)
        content = file.read(size + 1)
    if len(content) != size:
        found = "more" if len(content) > size else f"{len(content):,}"
        raise InputError(
            f"cannot read {path}: its head tells {' x '.join(map(str, shape))} numbers, {size:,} bytes, and "
            f"there are {found}",
            hint="the file may be cut short: copy it again",
        )
    return np.frombuffer(content, dtype=kind).reshape(shape).astype(kind.newbyteorder("="))


def _head(file: BufferedIOBase, path: Path) -> tuple[tuple[int, ...], np.dtype]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES or not magic[3]:
        raise InputError(
            f"cannot read {path}: it begins with {magic.hex(' ') or 'nothing'}, and an IDX file with 00 00, "
            f"its type ({', '.join(f'{code:02x}' for code in _TYPES)}) and the number of axes"
        )
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise InputError(
            f"cannot read {path}: it is cut short within its head", hint="write or copy it again"
        )
    return struct.unpack(f">{magic[3]}I", sizes), np.dtype(_TYPES[magic[2]])


def labels_beside(path: Path) -> Path | None:
    """The file of classes as it is published beside one of images: ``train-labels-idx1-ubyte``."""
    name = path.name.replace("images", "labels").replace("idx3", "idx1")
    other = path.with_name(name)
    return other if name != path.name and other.is_file() else None
