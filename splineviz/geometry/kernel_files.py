"""Files of compiled kernels that are run only if they are, to the last bit, what was written."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from numba.core.caching import IndexDataCacheFile

from splineviz.errors import InputError
from splineviz.files import atomic_path

__all__ = ["KernelFiles"]

_LENGTH = hashlib.sha256().digest_size


class KernelFiles(IndexDataCacheFile):  # type: ignore[misc] # of a library without types
    """Index and machine code of one kernel, each behind a digest of it, of its file's name, and of the
    versions of numba and of our own sources. A file that does not bear its digest counts as missing.

    Numba takes its own files as they are: damaged ones end every later run, or are run. Where nothing can be
    written, each process compiles for itself.
    """

    def _load_index(self) -> dict[Any, str]:
        content = self._read(self._index_name)
        found: dict[Any, str] = {} if content is None else pickle.loads(content)
        return found

    def _save_index(self, overloads: Mapping[Any, str]) -> None:
        self._write(self._index_name, self._dump(overloads))

    def _load_data(self, name: str) -> Any:
        content = self._read(name)
        if content is None:
            raise FileNotFoundError(name)  # which numba expects
        return pickle.loads(content)

    def _save_data(self, name: str, data: Any) -> None:
        self._write(name, self._dump(data))

    def _read(self, name: str) -> bytes | None:
        try:
            sealed = Path(self._data_path(name)).read_bytes()
        except OSError:
            return None
        seal, content = sealed[:_LENGTH], sealed[_LENGTH:]
        return content if seal == self._seal(name, content) else None

    def _write(self, name: str, content: bytes) -> None:
        with suppress(OSError, InputError), atomic_path(self._data_path(name)) as temporary:
            temporary.write_bytes(self._seal(name, content) + content)

    def _seal(self, name: str, content: bytes) -> bytes:
        about = repr((self._version, self._source_stamp, name)).encode()
        return hashlib.sha256(about + b"\0" + content).digest()
