"""Temporary files beside those that they become: each is locked by the process that writes it, so that what a
killed one leaves is told from what is being written."""

from __future__ import annotations

import math
import os
import re
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["is_unfinished", "remove_leftovers", "temporary_beside"]

_NAME = re.compile(r"\..*-[0-9a-f]{8}\.unfinished(\.[^.]*)?", re.DOTALL)
_STEM = 40
"""Letters of a file's name that its temporary one begins with: few, since names may have 255 bytes"""

_AGAIN = 60.0
"""Seconds from which on a folder is looked through once more: a process may live for days"""
_looked: dict[Path, float] = {}


def is_unfinished(name: str) -> bool:
    """Whether a file name is that of a temporary file of ours.

    Examples
    --------
    >>> is_unfinished(".cells-0123abcd.unfinished.npz"), is_unfinished(".cells.npz")
    (True, False)
    """
    return _NAME.fullmatch(name) is not None


@contextmanager
def temporary_beside(path: Path) -> Iterator[Path]:
    """A new, empty file beside ``path``, locked until the block ends, and with the permissions that a file at
    ``path`` has.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    while True:
        name = f".{path.stem[:_STEM]}-{secrets.token_hex(4)}.unfinished{path.suffix}"
        temporary = path.with_name(name)
        try:
            descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            continue
        if _locked(descriptor, without_locks=True) and temporary.exists():
            break
        os.close(descriptor)  # another process took it for a leftover just before it was locked
    try:
        if path.exists():
            _take_permissions(temporary, path.stat())
        if sys.platform == "win32":
            os.close(descriptor)  # where an open file cannot be renamed
        yield temporary
    finally:
        if sys.platform != "win32":
            os.close(descriptor)


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files whose process has ended without doing so, as a killed one does; in each folder
    as early as it is written to, and at most once a minute."""
    now = time.monotonic()
    if sys.platform == "win32" or now - _looked.get(folder, -math.inf) < _AGAIN:
        return
    _looked[folder] = now
    with suppress(OSError):
        for path in [path for path in folder.iterdir() if is_unfinished(path.name)]:
            with suppress(OSError):
                descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
                try:
                    if _locked(descriptor, without_locks=False):
                        path.unlink()
                finally:
                    os.close(descriptor)


def _locked(descriptor: int, *, without_locks: bool) -> bool:
    """Lock a file for this process; False if another has it. ``without_locks`` is the answer on a file system
    that has none."""
    if sys.platform == "win32":
        return without_locks
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return without_locks
    return True


def _take_permissions(path: Path, of: os.stat_result) -> None:
    if sys.platform != "win32" and (of.st_uid, of.st_gid) != (os.geteuid(), os.getegid()):
        with suppress(PermissionError):
            os.chown(path, of.st_uid, of.st_gid)
    path.chmod(stat.S_IMODE(of.st_mode))
