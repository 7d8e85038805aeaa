"""Sizes up to which files are read, and the environment variables that raise them."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

from splineviz.errors import InputError

__all__ = ["NODES", "NUMBERS", "UNPACKED", "Ceiling", "check_archive", "check_growth"]


@dataclass(frozen=True)
class Ceiling:
    """A largest size, which who knows a file may raise."""

    variable: str
    """The environment variable that says another"""
    default: int

    @property
    def most(self) -> int:
        """The largest size that is read.

        Raises
        ------
        InputError
            If the variable is set to something else than a whole number above zero.
        """
        told = os.environ.get(self.variable, "")
        if told and not (told.isdecimal() and int(told) > 0):
            raise InputError(f"{self.variable} must be a whole number above zero, got {told!r}")
        return int(told) if told else self.default

    def hint(self, size: int) -> str:
        """Advice on how to have a file of this size read."""
        return f"if the file is one that you trust, set the environment variable {self.variable}={size}"


NUMBERS = Ceiling("SPLINEVIZ_ONNX_NUMBERS", 2**26)
"""Numbers in one activation, and in all constants that nodes make beyond what they are made of: half a GiB"""

NODES = Ceiling("SPLINEVIZ_ONNX_NODES", 100_000)
"""Nodes of a graph, with its functions and the rounds of its loops written out"""

UNPACKED = Ceiling("SPLINEVIZ_UNPACKED_BYTES", 2**30)
"""Bytes by which the contents of a compressed file, be it of weights, points or a model, may exceed it"""


def check_growth(path: Path, grown: int) -> None:
    """Refuse a compressed file whose contents exceed it by so many bytes, if they are too many.

    Raises
    ------
    InputError
        Which names both numbers, and what raises the limit.
    """
    if grown > UNPACKED.most:
        raise InputError(
            f"'{path}' would become {grown:,} bytes larger when it is unpacked; "
            f"the limit is {UNPACKED.most:,}",
            hint=UNPACKED.hint(grown),
        )


def check_archive(path: Path) -> None:
    """Refuse a zip archive that grows too much when all of it is unpacked, by what its directory tells:
    nothing reads more of a member.

    Raises
    ------
    InputError
        If it does; `zipfile.BadZipFile` if it is none.
    """
    with zipfile.ZipFile(path) as archive:
        check_growth(path, sum(member.file_size - member.compress_size for member in archive.infolist()))
