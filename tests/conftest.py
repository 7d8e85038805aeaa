"""What all tests share: signatures are checked, one thread, and a marker for accelerators."""

from __future__ import annotations

import pytest
import torch
from jaxtyping import install_import_hook

import tests.shapes  # noqa: F401 the hook finds the checker by its name

torch.set_num_threads(1)

# Not geometry: its kernels are compiled from their source, where a wrapper cannot stand.
_CHECKED = ("api", "arrangement", "demo", "io", "plane", "program", "render", "stage")
install_import_hook([f"splineviz.{name}" for name in _CHECKED], "tests.shapes.check")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if torch.cuda.is_available():
        return
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.skip(reason="there is no GPU on this machine"))
