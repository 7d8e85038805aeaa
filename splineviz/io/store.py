"""Results kept in a folder under the digest of all that they were computed from."""

from __future__ import annotations

import hashlib
import json
import os
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import splineviz
from splineviz.errors import InputError, SplinevizWarning
from splineviz.files import atomic_path
from splineviz.io.seal import append_seal, bears_seal, unsealed
from splineviz.shared_folders import check_private
from splineviz.unfinished import remove_leftovers

__all__ = ["Store", "code_version", "digest_of", "make_way"]

_FILE = re.compile(r"[0-9a-f]{32}\.(json|npz|png|svg)")


class Store:
    """A folder of files named by digests; made at once, and safe to delete at any time.

    A file that is not what was kept under its name, to the last bit, counts as missing: damaged, cut short,
    or swapped with another. A warning tells of the first.

    Parameters
    ----------
    folder
        Where the files are.
    content
        A word for what they hold, as errors say it.

    Raises
    ------
    InputError
        If the folder cannot be made, or anybody else can put files into it.
    """

    def __init__(self, folder: Path, content: str) -> None:
        self.folder, self._content = folder, content
        self._told = False
        try:
            folder.mkdir(0o775, parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"cannot make the folder {folder} for {content}: {error.strerror}",
                hint="name a folder that can be written",
            ) from error
        check_private(folder, content)
        remove_leftovers(folder)

    def path(self, key: str, suffix: str) -> Path:
        """Path of the file of a key, be it there or not."""
        return self.folder / f"{key}{suffix}"

    def find(self, key: str, suffix: str) -> Path | None:
        """The file of a key, whose content is sound; None if there is none."""
        path = self.path(key, suffix)
        try:
            sound = path.is_file() and bears_seal(path, path.name)
        except OSError:
            sound = False
        if not sound and os.path.lexists(path):
            self._tell(path)
        return path if sound else None

    @contextmanager
    def keep(self, key: str, suffix: str) -> Iterator[Path]:
        """A path to write the file of a key to, which is kept when the block ends without an error.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        path = self.path(key, suffix)
        make_way(path)
        with atomic_path(path) as temporary:
            yield temporary
            append_seal(temporary, path.name)

    def numbers(self, key: str) -> dict[str, Any] | None:
        """Numbers under a key; None where there are none."""
        path = self.find(key, ".json")
        if path is None:
            return None
        found: dict[str, Any] = json.loads(unsealed(path))
        return found

    def keep_numbers(self, key: str, numbers: Mapping[str, Any]) -> None:
        """Write numbers under a key."""
        with self.keep(key, ".json") as temporary:
            temporary.write_text(json.dumps(numbers), encoding="utf-8")

    def arrays(self, key: str) -> dict[str, np.ndarray] | None:
        """Arrays under a key; None where there are none."""
        path = self.find(key, ".npz")
        if path is None:
            return None
        with np.load(path, allow_pickle=False) as content:
            return dict(content)

    def keep_arrays(self, key: str, arrays: Mapping[str, np.ndarray], *, compress: bool) -> None:
        """Write arrays under a key."""
        save: Callable[..., None] = np.savez_compressed if compress else np.savez
        with self.keep(key, ".npz") as temporary:
            save(temporary, allow_pickle=False, **arrays)

    def discard(self) -> None:
        """Remove all files of all keys, and the folder if it holds nothing else."""
        with suppress(OSError):
            for path in [path for path in self.folder.iterdir() if _FILE.fullmatch(path.name)]:
                path.unlink()
            self.folder.rmdir()

    def _tell(self, path: Path) -> None:
        if self._told:
            return
        self._told = True
        warnings.warn(
            f"{path} is damaged, or was kept under another name: {self._content} that do not read are made "
            "anew",
            SplinevizWarning,
            stacklevel=3,
        )


def make_way(path: Path) -> None:
    """Remove what stands where a file is to be kept and is none that can be replaced; links are not followed,
    and a folder has to be empty."""
    if path.is_symlink() or (path.is_file() and not os.access(path, os.R_OK | os.W_OK)):
        path.unlink(missing_ok=True)
    elif path.is_dir():
        with suppress(OSError):
            path.rmdir()


def digest_of(*parts: Any) -> str:
    """Name for what these determine together: arrays by their content, lists by their entries, all else by
    representation."""
    made = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            made.update(f"{part.dtype}{part.shape}".encode() + np.ascontiguousarray(part).tobytes())
        else:
            made.update((digest_of(*part) if isinstance(part, (list, tuple)) else repr(part)).encode())
        made.update(b"\0")
    return made.hexdigest()[:32]


@cache
def code_version(*folders: str) -> str:
    """Version of the package, with a digest of the code in these parts of it.

    What other code made is not taken for this code's.
    """
    root = Path(splineviz.__file__).parent
    files = sorted(path for folder in folders for path in (root / folder).rglob("*.py"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    return f"{splineviz.__version__}-{digest[:16]}"
