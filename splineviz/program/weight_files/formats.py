"""Formats of files that hold weights, told by their first bytes and not by their names."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Literal

from splineviz.ceilings import check_archive
from splineviz.errors import InputError

__all__ = ["KNOWN", "SUFFIXES", "Format", "recognised", "unreadable"]

Format = Literal["torch", "pickle", "safetensors", "npz", "npy", "index"]

SUFFIXES = (".pt", ".pth", ".th", ".ckpt", ".bin", ".tar", ".safetensors", ".npz", ".npy", ".pkl")
"""Suffixes that files of weights usually have; nothing is told by them but what a name may stand for."""
KNOWN = "torch.save (.pt, .pth, .ckpt, .bin, ...), .safetensors, .npz, .npy, or a folder of Hugging Face"

_OF_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""Beginning of what torch.save wrote before it wrote zip archives: its magic number, pickled"""
_OTHERS = {
    b"\x89HDF": ("an HDF5 file (of Keras, perhaps)", "np.savez('weights.npz', **{name: array, ...})"),
    b"GGUF": ("a GGUF file", "take the file that it was converted from"),
    b"\x1f\x8b": ("compressed by gzip", "gunzip it"),
    b"\x28\xb5\x2f\xfd": ("compressed by zstd", "unzstd it"),
    b"version https://git-lfs": ("a pointer of Git LFS in place of the file", "git lfs pull"),
    b"<!doctype": ("a web page", "download the file itself"),
    b"<html": ("a web page", "download the file itself"),
}
_HEAD = 512


def recognised(path: Path) -> Format:
    """The format of a file.

    Raises
    ------
    InputError
        If it is none that is read, with what it is where that can be told.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise InputError(f"'{path}' cannot be read: {error.strerror}") from error
    if not head:
        raise InputError(f"'{path}' is empty", hint="write or copy it again")
    for magic, (what, remedy) in _OTHERS.items():
        if head.lower().startswith(magic.lower()):
            raise InputError(f"'{path}' is {what}, no file of weights", hint=remedy)
    if head.startswith(b"PK"):
        return _archive(path)
    if head.startswith(b"\x93NUMPY"):
        return "npy"
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < path.stat().st_size:
        return "safetensors"
    if head.startswith(_OF_TORCH):
        return "torch"
    if head.startswith(b"\x80"):
        return "pickle"
    if head.lstrip().startswith(b"{"):
        return "index"
    if head[257:262] == b"ustar":
        raise InputError(
            f"'{path}' is a tar archive, which torch wrote before its version 0.1.10, and which is not read",
            hint=f"torch.save(torch.load({str(path)!r}, weights_only=False), 'weights.pt'), if you trust it; "
            "or unpack it, if it is an ordinary archive",
        )
    raise InputError(
        f"'{path}' cannot be read: it is no file of weights, or damaged", hint=f"weights come from {KNOWN}"
    )


def unreadable(path: Path, kind: str, error: Exception) -> InputError:
    """The error for a file that breaks off, claims too much, or is damaged otherwise."""
    if isinstance(error, MemoryError):
        return InputError(
            f"'{path}' cannot be read as a {kind} file: it claims more numbers than there is memory for",
            hint="if it is no larger than it should be, it is damaged: write or copy it again",
        )
    return InputError(
        f"'{path}' cannot be read as a {kind} file: {type(error).__name__}",
        hint="the file may be cut short: write or copy it again",
    )


def _archive(path: Path) -> Format:
    """The format of a zip archive, by the names in it."""
    try:
        check_archive(path)
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError) as error:
        raise unreadable(path, "torch", error) from error
    inner = {name.partition("/")[2] for name in names}
    if "constants.pkl" in inner:
        raise InputError(
            f"'{path}' is a TorchScript archive, which holds code",
            hint=f"torch.save(torch.jit.load({str(path)!r}).state_dict(), 'weights.pt'), if you trust it",
        )
    if "archive_format" in inner:
        raise InputError(
            f"'{path}' is an exported program, which is a model with its weights",
            hint="name it net.pt2, and give it as the model",
        )
    if "data.pkl" in inner:
        return "torch"
    if names and all(name.endswith(".npy") for name in names):
        return "npz"
    raise InputError(
        f"'{path}' is a zip archive, and none of weights", hint=f"weights come from {KNOWN}; unpack it first"
    )
