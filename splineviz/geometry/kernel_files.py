"""Files of compiled kernels that are run only if they are, to the last bit, what was written; those of this
machine, and those that came with the package."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
from numba.core.caching import IndexDataCacheFile

from splineviz.errors import InputError
from splineviz.files import atomic_path

__all__ = ["BASELINE", "CARRIED", "KernelFiles"]

_LENGTH = hashlib.sha256().digest_size

CARRIED = Path(__file__).parent.parent / "kernels"
"""Where a wheel has the kernels that it carries; a source tree has none"""
BASELINE = "x86-64-v3"
"""Kind of processors that they are compiled for, in LLVM's words"""
_NEEDED = "avx avx2 bmi bmi2 cmov cx16 f16c fma lzcnt movbe popcnt sse4.2 xsave".split()
"""Features of a processor of that kind, as the ABI of x86-64 lists them"""


class KernelFiles(IndexDataCacheFile):  # type: ignore[misc] # of a library without types
    """Index and machine code of one kernel, each behind a digest of it, of its file's name, and of the
    versions of numba and of our own sources. A file that does not bear its digest counts as missing.

    Numba takes its own files as they are: damaged ones end every later run, or are run. Where nothing can be
    written, each process compiles for itself.
    """

    def load(self, key: tuple[Any, ...]) -> Any:
        """What is kept for a signature, a processor and the code of a function, or else what is carried."""
        found = super().load(key)
        if found is None and (carried := self._carried()):
            signature, (triple, _, _), code = key
            name = carried.get((signature, (triple, BASELINE, ""), code))
            content = None if name is None else self._read(name, CARRIED)
            found = None if content is None else pickle.loads(content)
        return found

    @property
    def is_carried(self) -> bool:
        """Whether the package came with this kernel, for processors as this one."""
        return bool(self._carried())

    def _carried(self) -> dict[Any, str]:
        """Index of what came with the package, if this processor runs it."""
        content = self._read(self._index_name, CARRIED) if _runs_baseline() else None
        found: dict[Any, str] = {} if content is None else pickle.loads(content)
        return found

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

    def _read(self, name: str, folder: Path | None = None) -> bytes | None:
        try:
            sealed = Path(folder or self._cache_path, name).read_bytes()
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


@cache
def _runs_baseline() -> bool:
    """Whether this processor has all features of `BASELINE`."""
    features = llvm.get_host_cpu_features()
    return all(features.get(name, False) for name in _NEEDED)
