"""Folders that are full or read-only, also to the superuser: mounts that only this process and its children
see."""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["full_disk", "have_own_mounts", "read_only"]

_NEW_NAMESPACE, _PRIVATE, _RECURSIVE = 0x00020000, 1 << 18, 1 << 14
_READ_ONLY, _REMOUNT, _BIND = 1, 32, 4096
_DETACH = 2
_libc = ctypes.CDLL(None, use_errno=True)


def have_own_mounts() -> str:
    """Let this process have mounts of its own; the reason where it may not, else nothing.

    They go when the last of its processes ends, so that none is left behind however that comes. To be called
    before there are threads: those would stay where they were.
    """
    try:
        _call("unshare", ctypes.c_int(_NEW_NAMESPACE))
        _mount(None, "/", None, _RECURSIVE | _PRIVATE)
    except (OSError, AttributeError) as error:
        return f"no mounts of its own: {error}"
    return ""


@contextmanager
def read_only(folder: Path, but: Path | None = None) -> Iterator[None]:
    """Within the block nothing in a folder can be written, but what is in a folder below it."""
    _mount(str(folder), str(folder), None, _BIND)
    try:
        if but is not None:
            _mount(str(but), str(but), None, _BIND)
        _mount(None, str(folder), None, _READ_ONLY | _REMOUNT | _BIND)
        yield
    finally:
        _unmount(folder)


@contextmanager
def full_disk(folder: Path, room: int) -> Iterator[None]:
    """Within the block what is in the folder lies on a disk with so many bytes of room, or a page more."""
    used = sum(path.stat().st_size + 4096 for path in folder.rglob("*"))
    with tempfile.TemporaryDirectory() as aside:
        shutil.copytree(folder, aside, dirs_exist_ok=True)
        _mount("tmpfs", str(folder), "tmpfs", 0, f"size={used + room}")
        try:
            shutil.copytree(aside, folder, dirs_exist_ok=True)
            yield
        finally:
            shutil.rmtree(aside)
            shutil.copytree(folder, aside)
            _unmount(folder)
            shutil.rmtree(folder)
            shutil.copytree(aside, folder)


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    words = [None if word is None else os.fsencode(word) for word in (source, target, kind, data)]
    _call("mount", *words[:3], ctypes.c_ulong(flags), words[3])


def _unmount(folder: Path) -> None:
    _call("umount2", os.fsencode(folder), ctypes.c_int(_DETACH))


def _call(name: str, *arguments: ctypes.c_int | ctypes.c_ulong | bytes | None) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
