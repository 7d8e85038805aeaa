"""Folders that everybody on a machine can put files into, as ``/tmp``: what lies there is not trusted."""

from __future__ import annotations

import os
import stat
import sys
from itertools import pairwise
from pathlib import Path

from splineviz.errors import InputError

__all__ = ["check_private", "is_foreign_link", "shared_part"]


def check_private(path: Path, content: str) -> None:
    """Refuse a place for what is kept between runs where somebody else may have put it.

    Raises
    ------
    InputError
        If it is a shared temporary folder, or another user has made it, or what it lies in, in one.
    """
    shared = shared_part(path)
    if shared is not None:
        what = "is a shared temporary folder" if _is_shared(shared) else "belongs to another user"
        raise InputError(f"{shared} {what}, so no {content} are kept there", hint="name a folder of your own")


def shared_part(path: Path) -> Path | None:
    """The folder on the way to a path, or the path itself, that anybody else may have put there; None if
    there is none.

    These are shared temporary folders themselves, and what other users have made in them.

    Examples
    --------
    >>> shared_part(Path(__file__)) is None
    True
    """
    if sys.platform == "win32":
        return None
    real = Path(os.path.realpath(path))
    if _is_shared(real):
        return real
    for inner, outer in pairwise([real, *real.parents]):
        if _is_shared(outer) and inner.exists() and _of_another(inner.stat()):
            return inner
    return None


def is_foreign_link(path: Path) -> bool:
    """Whether a path is a link that another user has put into a shared folder, to have what it points to
    replaced."""
    return path.is_symlink() and _is_shared(path.parent) and _of_another(path.lstat())


def _is_shared(folder: Path) -> bool:
    """Whether everybody may write into a folder, and remove nothing but what is theirs."""
    try:
        mode = folder.stat().st_mode
    except OSError:
        return False
    return bool(stat.S_ISDIR(mode) and mode & stat.S_ISVTX and mode & stat.S_IWOTH)


def _of_another(found: os.stat_result) -> bool:
    return sys.platform != "win32" and found.st_uid not in (0, os.geteuid())
