"""Folders that everybody on a machine can put files into, as ``/tmp``: what lies there is not trusted."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from splineviz.errors import InputError

__all__ = ["check_private", "is_exposed", "is_foreign_link"]


def check_private(path: Path, content: str) -> None:
    """Refuse a place for what is kept between runs where somebody else may have put it.

    Raises
    ------
    InputError
        If it is a shared temporary folder, or something in one that another user has made.
    """
    real = Path(os.path.realpath(path))
    if _is_shared(real):
        what = "is a shared temporary folder"
    elif _is_put_by_another(real):
        what = "was put into a shared folder by another user"
    else:
        return
    raise InputError(f"{path} {what}, so no {content} are kept there", hint="name a folder of your own")


def is_exposed(path: Path) -> bool:
    """Whether another user may have put there what is at a path, by having made it, or a folder on the way to
    it, in a shared folder."""
    real = Path(os.path.realpath(path))
    return _is_shared(real) or any(map(_is_put_by_another, [real, *real.parents]))


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


def _is_put_by_another(path: Path) -> bool:
    return _is_shared(path.parent) and path.exists() and _of_another(path.stat())


def _of_another(found: os.stat_result) -> bool:
    return sys.platform != "win32" and found.st_uid not in (0, os.geteuid())
