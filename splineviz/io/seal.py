"""Seals at the end of files, digests of their content and their name, by which one that was damaged, cut
short or swapped with another is found out before it is read."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

__all__ = ["append_seal", "bears_seal", "seal_of", "unsealed"]

# A comment of XML, behind the end of an image or an archive, or a last line: no reader minds it.
_FORM = "\n<!-- splineviz sha256 {} -->\n"
_LENGTH = len(_FORM.format("0" * 64))
_BLOCK = 1 << 20


def seal_of(name: str, content: bytes) -> str:
    """Digest of a content under a name.

    Examples
    --------
    >>> len(seal_of("a", b"content")), seal_of("a", b"content") == seal_of("b", b"content")
    (64, False)
    """
    return hashlib.sha256(name.encode() + b"\0" + content).hexdigest()


def append_seal(path: Path, name: str) -> None:
    """Seal a file under a name."""
    with path.open("r+b") as file:
        length = file.seek(0, 2)
        file.seek(0)
        digest = _digest(file, name, length)
        file.write(_FORM.format(digest).encode())


def bears_seal(path: Path, name: str) -> bool:
    """Whether a file is what was sealed under this name, to the last bit.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with path.open("rb") as file:
        length = file.seek(0, 2) - _LENGTH
        if length < 0:
            return False
        file.seek(0)
        digest = _digest(file, name, length)
        return file.read() == _FORM.format(digest).encode()


def unsealed(path: Path) -> bytes:
    """Content of a sealed file."""
    return path.read_bytes()[:-_LENGTH]


def _digest(file: BinaryIO, name: str, length: int) -> str:
    """Digest of the next so many bytes, read block by block."""
    digest = hashlib.sha256(name.encode() + b"\0")
    while length > 0 and (block := file.read(min(_BLOCK, length))):
        digest.update(block)
        length -= len(block)
    return digest.hexdigest()
