"""Paths that can be read as files: neither missing, nor folders, nor pipes, which would be waited for."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from splineviz.errors import InputError

__all__ = ["check_readable"]


def check_readable(path: str | os.PathLike[str], *, folders: bool = False) -> os.stat_result:
    """Refuse, before it is opened, a path that is no file; returns what the file system tells of it.

    Raises
    ------
    InputError
        If it does not exist or cannot be looked at, or is a pipe, a socket or a device; a folder too, unless
        ``folders`` may be read.

    Examples
    --------
    >>> check_readable("/nowhere")
    Traceback (most recent call last):
    splineviz.errors.InputError: no such file: '/nowhere'
      try: is the path relative to the current folder?
    """
    try:
        found = Path(path).stat()
    except (OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError):
            raise InputError(
                f"no such file: '{path}'", hint="is the path relative to the current folder?"
            ) from error
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"cannot read {path}: {reason}") from error
    if stat.S_ISDIR(found.st_mode):
        if folders:
            return found
        raise InputError(f"cannot read {path}: it is a folder", hint="name a file inside it")
    if not stat.S_ISREG(found.st_mode):
        raise InputError(
            f"cannot read {path}: it is a pipe or a device, no file", hint="write it to a file first"
        )
    return found
