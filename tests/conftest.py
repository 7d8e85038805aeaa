"""What all tests share: signatures are checked, one thread, a marker for accelerators, and Hypothesis'
profiles.

The default profile is quick and always the same; HYPOTHESIS_PROFILE=fuzz searches at random for a long time.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings
from jaxtyping import install_import_hook

import tests.shapes  # noqa: F401 the hook finds the checker by its name

torch.set_num_threads(1)

_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile(
    "ci", max_examples=25, derandomize=True, deadline=None, database=None, suppress_health_check=_QUIET
)
settings.register_profile(
    "fuzz", max_examples=20_000, deadline=None, print_blob=True, suppress_health_check=_QUIET
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

_UNCHECKED = ("animation", "checking", "estimators", "geometry")


def _checked() -> list[str]:
    """All modules with shapes in signatures, but those with kernels: these are compiled from their source,
    where a wrapper cannot stand. Every other one would be slower by far, with nothing to check."""
    package = Path(importlib.util.find_spec("splineviz").origin).parent  # type: ignore[union-attr, arg-type]
    names = []
    for path in package.rglob("*.py"):
        place, text = path.relative_to(package).with_suffix("").parts, path.read_text(encoding="utf-8")
        if place[0] not in _UNCHECKED and "jaxtyping" in text and "geometry.compiled import" not in text:
            names.append(".".join(("splineviz", *place)))
    return names


install_import_hook(_checked(), "tests.shapes.check")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """No test leaves torch with another number of threads than it found."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True, scope="module")
def _same_environment() -> Iterator[None]:
    """No file of tests leaves variables to the processes that later ones begin; commands set some for their
    workers."""
    before = {name: os.environ.get(name) for name in ("PYTHONSAFEPATH", "PYTHONWARNINGS")}
    yield
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if torch.cuda.is_available():
        return
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.skip(reason="there is no GPU on this machine"))
