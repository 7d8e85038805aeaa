"""Arrays of NPZ files of ours, each held against its checksum before anything in it is believed."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from numpy.lib.format import read_array

from splineviz.errors import InputError
from splineviz.readable import check_readable
from splineviz.sizes import ensure_fits

__all__ = ["sound_arrays"]


def sound_arrays(path: Path, writer: str) -> dict[str, np.ndarray]:
    """All arrays of a file that ``writer`` wrote; none where it holds no schema, and so is not ours.

    `numpy.load` believes the head of an array before its checksum is known: with one bit of it flipped, half
    of the numbers are read, and no error is raised.

    Raises
    ------
    InputError
        If there is no such file, or it is damaged, of another kind, or larger than the memory that is free
        when it is unpacked.
    """
    check_readable(path)
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if "schema.npy" not in names:
                return {}
            size = sum(member.file_size for member in archive.infolist())
            ensure_fits((size,), 1, f"what {path} holds", hint="read it where there is more")
            return {
                name.removesuffix(".npy"): read_array(io.BytesIO(archive.read(name)), allow_pickle=False)
                for name in names
            }
    except InputError:
        raise
    except Exception as error:  # of several libraries, on whatever the bytes are
        raise InputError(
            f"{path} cannot be read as an NPZ file: {error}", hint=f"a file written by {writer}"
        ) from error
