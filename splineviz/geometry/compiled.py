"""Compile a kernel once per version of the whole package of kernels."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit

__all__ = ["kernel"]


def _stamp() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


_STAMP = _stamp()


def kernel(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """``numba.njit`` with a cache on disk that is valid for these very sources.

    Numba looks at the date of a kernel's own file only, but kernels contain those that they call. After an update of some of the
    files, old and new ones would work on tables of different layout.
    """

    def compiled(function: Callable[..., Any]) -> Any:
        dispatcher = njit(cache=True, nogil=True, **options)(function)
        dispatcher._cache._cache_file._source_stamp = _STAMP
        return dispatcher

    return compiled
