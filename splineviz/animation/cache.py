"""What was computed before, in a folder, under the digest of what it was computed from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import splineviz
from splineviz.errors import InputError
from splineviz.files import atomic_path

__all__ = ["Cache", "digest_of", "engine"]


class Cache:
    """A folder of files named by digests; made on first use, and safe to delete at any time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"cannot make the folder {folder} for what is computed: {error.strerror}"
            ) from error

    def path(self, key: str, suffix: str) -> Path:
        return self.folder / f"{key}{suffix}"

    def numbers(self, key: str, compute: Callable[[], dict[str, Any]]) -> tuple[dict[str, Any], bool]:
        """The numbers under a key, and whether they had to be computed."""
        path = self.path(key, ".json")
        if path.is_file():
            found: dict[str, Any] = json.loads(path.read_text())
            return found, False
        made = compute()
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(made))
        return made, True


def digest_of(*parts: Any) -> str:
    """A name for what these determine together: arrays by their content, lists by their entries, all else by
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
def engine(*folders: str) -> str:
    """The version, and the code in these parts of the package: what other code made is not taken for this
    code's."""
    root = Path(splineviz.__file__).parent
    files = sorted(path for folder in folders for path in (root / folder).rglob("*.py"))
    return f"{splineviz.__version__}-{hashlib.sha256(b''.join(path.read_bytes() for path in files)).hexdigest()[:16]}"
