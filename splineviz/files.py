"""Files appear whole or not at all; and the suffixes by which their kinds are told."""

from __future__ import annotations

import errno
import os
import shlex
import stat
import sys
import tempfile
import threading
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from splineviz.errors import InputError, SplinevizError
from splineviz.shared_folders import is_foreign_link
from splineviz.showing import in_unicode
from splineviz.unfinished import remove_leftovers, temporary_beside

__all__ = [
    "ARRANGEMENTS",
    "PAGE",
    "PICTURES",
    "REPORTS",
    "TABLES",
    "atomic_path",
    "check_writable",
    "discard_unfinished",
    "figures_beside",
    "utf8_path",
]

PAGE = ".html"
"""Suffix of the page to look closely at"""
PICTURES = (".png", ".svg", ".pdf")
ARRANGEMENTS = (".npz", ".geojson", ".parquet")
REPORTS = (".html", ".md", ".json")
TABLES = (".csv", ".parquet")

_PLACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.ESTALE)
"""Errors of writing that come from the place, and not from the code that writes"""

_unfinished: set[Path] = set()
_names = threading.RLock()
"""Held while a file appears or takes its place; for good once the process ends"""


def figures_beside(report: Path) -> Path:
    """Folder of the figures of a report in Markdown.

    Examples
    --------
    >>> figures_beside(Path("results/lc.md")).name
    'lc-figures'
    """
    return report.with_name(f"{report.stem}-figures")


def check_writable(path: str | os.PathLike[str]) -> None:
    """Refuse, before any work is done, a path that cannot be written.

    Raises
    ------
    InputError
        If the folder does not exist, or is not writable; or if the path is a folder itself, a pipe, a device,
        or write-protected.
    """
    target = Path(path)
    try:
        found = _real(target).stat()
    except (FileNotFoundError, NotADirectoryError):
        found = None
    except (OSError, ValueError) as error:
        raise _refused(target, error) from error
    folder = _real(target).parent if target.is_symlink() else target.parent
    if not folder.is_dir():
        raise InputError(
            f"cannot write {target}: the folder {folder} does not exist",
            hint=f"mkdir -p {shlex.quote(str(folder))}",
        )
    if is_foreign_link(target):
        raise InputError(
            f"cannot write {target}: it is a link that another user has put there", hint="give another name"
        )
    if found is not None and stat.S_ISDIR(found.st_mode):
        raise InputError(f"cannot write {target}: it is a folder", hint="name a file inside it")
    if found is not None and not stat.S_ISREG(found.st_mode):
        raise InputError(
            f"cannot write {target}: it is a pipe or a device, no file", hint="name a plain file"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(
            f"cannot write {target}: no permission to write into {folder}", hint="name a folder of your own"
        )
    if found is not None and not os.access(target, os.W_OK):
        raise InputError(f"cannot write {target}: it is write-protected", hint="give another name")


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside ``path``, with its suffix, that takes its place when the block ends without an
    error; ``path`` itself where that is one already.

    On an error, or Ctrl-C, what was written is removed and a file that stood at ``path`` before is left as it
    was. A power cut leaves one of the two: what was written is on the disk before it takes its place. It has
    the permissions of the file that it replaces; where ``path`` is a link, what that points to is replaced.

    Raises
    ------
    InputError
        If the path cannot be written, or there is no room.

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
    if target in _unfinished:  # handed on by an outer block, which finishes it
        yield target
        return
    check_writable(target)
    real = _real(target)
    remove_leftovers(real.parent)
    with ExitStack() as until_done:
        with _refusing(target):
            temporary = until_done.enter_context(_begun(real))
        with _refusing(target, only=_PLACE):
            yield temporary
        with _refusing(target):
            _settle(temporary, real)


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
    """Remove what all open blocks of `atomic_path` have written, where the process ends without leaving them;
    from here on no block begins or ends well."""
    _names.acquire(timeout=1)  # a thread may hold it for as long as a disk does not answer
    for temporary in list(_unfinished):
        temporary.unlink(missing_ok=True)


@contextmanager
def _begun(real: Path) -> Iterator[Path]:
    """A temporary file that is not left behind."""
    with ExitStack() as until_done:
        with _names:
            temporary = until_done.enter_context(temporary_beside(real))
            _unfinished.add(temporary)
        try:
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)
            _unfinished.discard(temporary)


def _settle(temporary: Path, real: Path) -> None:
    """Have a file take its place, so that a power cut at any moment leaves either it or what was there."""
    _flush(temporary, os.O_RDWR)
    with _names:
        temporary.replace(real)
    if sys.platform != "win32":
        with suppress(OSError):  # some file systems have no such thing
            _flush(real.parent, os.O_RDONLY)


def _flush(path: Path, how: int) -> None:
    descriptor = os.open(path, how)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _real(path: Path) -> Path:
    """The file itself, where a path is a link."""
    return Path(os.path.realpath(path))


@contextmanager
def _refusing(target: Path, only: Collection[int] | None = None) -> Iterator[None]:
    """Say of an error of writing what could not be written; of those of some numbers only, if they are
    given. Libraries that stumble over one while they clean up count, too."""
    try:
        yield
    except SplinevizError:
        raise
    except Exception as error:
        met = _met(error)
        if met is None or (only is not None and met.errno not in only):
            raise
        raise _refused(target, met) from error


def _met(error: BaseException | None) -> OSError | None:
    """The error of the system that another came of, or that it is."""
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__ or error.__context__
    return error


def _refused(target: Path, error: OSError | ValueError) -> InputError:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return InputError(
        f"cannot write {target}: {reason}",
        hint="make room and run it again; what is kept for that stays" if full else None,
    )
