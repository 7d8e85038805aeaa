"""Faults of files on a disk: what flipped bits, power cuts, and people who move files about leave."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

__all__ = ["FAULTS", "SOME"]

Fault = Callable[[Path, Path], None]


def _flipped(share: float) -> Fault:
    def damage(path: Path, _other: Path) -> None:
        content = bytearray(path.read_bytes())
        content[min(len(content) - 1, int(share * len(content)))] ^= 0x10
        path.write_bytes(content)

    return damage


def _cut(share: float) -> Fault:
    return lambda path, _other: (
        path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)]) and None
    )


def _one_byte_short(path: Path, _other: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def _longer(path: Path, _other: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def _zeros(path: Path, _other: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def _swapped(path: Path, other: Path) -> None:
    mine, theirs = path.read_bytes(), other.read_bytes()
    path.write_bytes(theirs)
    other.write_bytes(mine)


def _folder(path: Path, _other: Path) -> None:
    path.unlink()
    path.mkdir()


def _link(path: Path, _other: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/null")


def _dangling(path: Path, _other: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere/at/all")


def _unreadable(path: Path, _other: Path) -> None:
    _flipped(0.5)(path, _other)  # root reads it all the same
    path.chmod(0)


FAULTS: dict[str, Fault] = {
    **{f"a bit flipped at {share:.0%}": _flipped(share) for share in (0.0, 0.03, 0.3, 0.6, 0.97, 1.0)},
    **{f"cut at {share:.0%}": _cut(share) for share in (0.0, 0.1, 0.5, 0.9)},
    "one byte short": _one_byte_short,
    "one byte longer": _longer,
    "only zeros": _zeros,
    "swapped": _swapped,
    "a folder": _folder,
    "a link to a device": _link,
    "a link to nothing": _dangling,
    "unreadable": _unreadable,
}
"""Damages to a file by name, each given the file and another one of its kind"""

SOME = {name: FAULTS[name] for name in ("a bit flipped at 60%", "cut at 50%", "swapped", "a folder")}
"""One of each sort, where a test takes long"""
