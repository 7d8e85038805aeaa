"""The cache of compiled kernels must notice a change in any of their files."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import splineviz.geometry


def test_all_kernels_carry_the_stamp_of_the_newest() -> None:
    files = sorted(Path(splineviz.geometry.__file__).parent.glob("*.py"))
    newest = max(path.stat().st_mtime_ns for path in files)
    os.utime(files[0], ns=(newest - 10**9, newest - 10**9))
    importlib.reload(splineviz.geometry)
    assert {path.stat().st_mtime_ns for path in files} == {newest}
