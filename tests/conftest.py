"""What all tests share: signatures are checked, one thread, a marker for accelerators, and Hypothesis' profiles.

The default profile is quick and always the same; HYPOTHESIS_PROFILE=fuzz searches at random for a long time.
"""

from __future__ import annotations

import os

import pytest
import torch
from hypothesis import HealthCheck, settings
from jaxtyping import install_import_hook

import tests.shapes  # noqa: F401 the hook finds the checker by its name

torch.set_num_threads(1)

_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("ci", max_examples=25, derandomize=True, deadline=None, database=None, suppress_health_check=_QUIET)
settings.register_profile("fuzz", max_examples=20_000, deadline=None, print_blob=True, suppress_health_check=_QUIET)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# Not geometry: its kernels are compiled from their source, where a wrapper cannot stand.
_CHECKED = ("api", "arrangement", "comparison", "demo", "io", "plane", "program", "render", "report", "stage", "validation")
install_import_hook([f"splineviz.{name}" for name in _CHECKED], "tests.shapes.check")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if torch.cuda.is_available():
        return
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.skip(reason="there is no GPU on this machine"))
