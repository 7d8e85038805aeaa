"""What all tests share: signatures are checked, one thread, and a marker for accelerators."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from jaxtyping import install_import_hook

import tests.shapes  # noqa: F401 the hook finds the checker by its name

torch.set_num_threads(1)

# A compiled kernel is cached by the time stamp of its own file, but holds what it calls from others: one stamp for all.
_KERNELS = sorted((Path(__file__).parents[1] / "splineviz" / "geometry").glob("*.py"))
_NEWEST = max(path.stat().st_mtime_ns for path in _KERNELS)
for _path in _KERNELS:
    os.utime(_path, ns=(_NEWEST, _NEWEST))

# Not geometry: its kernels are compiled from their source, where a wrapper cannot stand.
_CHECKED = ("api", "arrangement", "demo", "io", "plane", "program", "render", "stage")
install_import_hook([f"splineviz.{name}" for name in _CHECKED], "tests.shapes.check")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if torch.cuda.is_available():
        return
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.skip(reason="there is no GPU on this machine"))
