"""Files appear whole or not at all; and the suffixes by which their kinds are told."""

from __future__ import annotations

import os
import secrets
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from splineviz.errors import InputError
from splineviz.showing import in_unicode

__all__ = [
    "ARRANGEMENTS",
    "PICTURES",
    "REPORTS",
    "TABLES",
    "atomic_path",
    "check_writable",
    "discard_unfinished",
    "utf8_path",
]

PICTURES = (".png", ".svg", ".pdf")
ARRANGEMENTS = (".npz", ".geojson", ".parquet")
REPORTS = (".html", ".md", ".json")
TABLES = (".csv", ".parquet")

_unfinished: set[Path] = set()


def check_writable(path: str | os.PathLike[str]) -> None:
    """Refuse, before any work is done, a path that cannot be written.

    Raises
    ------
    InputError
        If the folder does not exist, is not writable, or the path is a folder itself.
    """
    target = Path(path)
    folder = target.parent
    if not folder.is_dir():
        raise InputError(
            f"cannot write {target}: the folder {folder} does not exist",
            hint=f"mkdir -p {shlex.quote(str(folder))}",
        )
    if target.is_dir():
        raise InputError(f"cannot write {target}: it is a folder", hint="name a file inside it")
    if not os.access(folder, os.W_OK):
        raise InputError(
            f"cannot write {target}: no permission to write into {folder}", hint="name a folder of your own"
        )


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside ``path``, with its suffix, that takes its place when the block ends without an
    error.

    On an error, or Ctrl-C, what was written is removed and a file that stood at ``path`` before is left as it
    was.

    Raises
    ------
    InputError
        If the path cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_path(folder / "note.txt") as temporary:
    ...     _ = temporary.write_text("whole")
    >>> [file.name for file in folder.iterdir()]
    ['note.txt']
    """
    target = Path(path)
    check_writable(target)
    real = target.resolve()  # a link stays a link: what it points to is replaced
    temporary = real.with_name(f".{real.stem}-{secrets.token_hex(4)}{real.suffix}")
    _unfinished.add(temporary)
    try:
        yield temporary
        os.replace(temporary, real)
    finally:
        temporary.unlink(missing_ok=True)
        _unfinished.discard(temporary)


@contextmanager
def utf8_path(path: Path) -> Iterator[Path]:
    """A path for readers that take names in UTF-8 only: the file's own, or that of a link to it."""
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError:
        with tempfile.TemporaryDirectory() as folder:
            link = Path(folder, f"link{in_unicode(path.suffix)}")
            link.symlink_to(path.absolute())
            yield link
    else:
        yield path


def discard_unfinished() -> None:
    """Remove what all open blocks of `atomic_path` have written, where the process ends without leaving
    them."""
    for temporary in list(_unfinished):
        temporary.unlink(missing_ok=True)
