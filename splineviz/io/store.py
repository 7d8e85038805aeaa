"""Results kept in a folder under the digest of all that they were computed from."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import splineviz
from splineviz.errors import InputError
from splineviz.files import atomic_path

__all__ = ["Store", "code_version", "digest_of"]


class Store:
    """A folder of files named by digests; made at once, and safe to delete at any time.

    Parameters
    ----------
    folder
        Where the files are.
    content
        A word for what they hold, as errors say it.

    Raises
    ------
    InputError
        If the folder cannot be made.
    """

    def __init__(self, folder: Path, content: str) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot make the folder {folder} for {content}: {error.strerror}") from error

    def path(self, key: str, suffix: str) -> Path:
        """Path of the file of a key."""
        return self.folder / f"{key}{suffix}"

    def numbers(self, key: str, compute: Callable[[], dict[str, Any]]) -> tuple[dict[str, Any], bool]:
        """Numbers under a key, and whether they had to be computed."""
        path = self.path(key, ".json")
        if path.is_file():
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return found, False
        made = compute()
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(made), encoding="utf-8")
        return made, True

    def arrays(self, key: str) -> dict[str, np.ndarray] | None:
        """Arrays under a key; None where there are none, or the file is damaged."""
        path = self.path(key, ".npz")
        if not path.is_file():
            return None
        try:
            with np.load(path, allow_pickle=False) as content:
                return dict(content)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return None

    def keep_arrays(self, key: str, arrays: Mapping[str, np.ndarray], *, compress: bool) -> None:
        """Write arrays under a key.

        Raises
        ------
        OSError, InputError
            If they cannot be written.
        """
        save: Callable[..., None] = np.savez_compressed if compress else np.savez
        with atomic_path(self.path(key, ".npz")) as temporary:
            save(temporary, allow_pickle=False, **arrays)


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
