"""Compile a kernel once per version of all files that hold kernels."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit
from numba.core import config
from numba.core.caching import NullCache
from numba.types import unliteral

from splineviz.geometry.kernel_compiler import KernelCompiler, PartCompiler
from splineviz.geometry.kernel_files import KernelFiles
from splineviz.shared_folders import is_exposed

__all__ = ["FOLDERS", "is_carried", "kernel", "part", "stamp_of"]

F = TypeVar("F", bound=Callable[..., Any])

FOLDERS = ("arrangement", "exact", "geometry", "measures", "pages", "values")
"""Below the package: all that hold kernels. A test sees to it that there are no others."""


def stamp_of(package: Path) -> str:
    """Digest of all files below a package's folder that kernels are compiled from."""
    digest = hashlib.sha256()
    for folder in FOLDERS:
        for path in sorted((package / folder).glob("*.py")):
            text = path.read_bytes()
            if folder == "geometry" or b"geometry.compiled" in text:
                digest.update(text)
    return digest.hexdigest()


# Numba also reads a file .numba_config.yaml of the current folder, which must not say whose kernels are run.
config.CACHE_DIR = os.environ.get("NUMBA_CACHE_DIR", "")

_PACKAGE = Path(__file__).parent.parent
_STAMP = stamp_of(_PACKAGE)


def kernel(function: F) -> F:
    """``numba.njit`` for what Python calls, with a cache on disk that is valid for these very sources.

    Numba looks at a kernel's own file only, but kernels contain those that they call. After an update of some
    of the files, old and new ones would work on tables of different layout. What is read from the cache is
    run: without a folder that nobody else can write to, each process compiles for itself.
    """
    dispatcher = njit(nogil=True, no_cfunc_wrapper=True, pipeline_class=KernelCompiler)(function)
    try:
        dispatcher.enable_caching()
    except RuntimeError:  # neither the package's folder nor one of the user's can be written
        return cast("F", dispatcher)
    cache = dispatcher._cache
    where = Path(cache.cache_path)
    if where.is_relative_to(_PACKAGE) or not is_exposed(where):
        cache._cache_file = KernelFiles(cache.cache_path, cache._impl.filename_base, _STAMP)
    else:
        dispatcher._cache = NullCache()
    return cast("F", dispatcher)


def is_carried(function: Callable[..., Any]) -> bool:
    """Whether the package came with a kernel, so that it need not be compiled."""
    files = getattr(getattr(function, "_cache", None), "_cache_file", None)
    return files is not None and bool(files.is_carried)


def part(*, forceinline: bool = False, fastmath: bool | set[str] = False) -> Callable[[F], F]:
    """``numba.njit`` for what only kernels call: without what Python needs to call it, it compiles faster."""
    compiled = njit(
        nogil=True,
        pipeline_class=PartCompiler,
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
        forceinline=forceinline,
        fastmath=fastmath,
    )

    def decorate(function: F) -> F:
        dispatcher = compiled(function)
        template = dispatcher.get_call_template
        # Else it is compiled for int64, and before that for each of the constants that an argument begins
        # with.
        dispatcher.get_call_template = lambda args, kws: template([unliteral(arg) for arg in args], kws)
        return cast("F", dispatcher)

    return decorate
