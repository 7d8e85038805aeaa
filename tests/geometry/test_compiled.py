"""The cache of compiled kernels is valid for one version of all their files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core import caching, config

import splineviz
from splineviz.geometry import compiled, refine
from splineviz.geometry.compiled import FOLDERS, stamp_of
from splineviz.values import extension
from tests.io.faults import SOME

PACKAGE = Path(splineviz.__file__).parent


def with_kernels() -> list[Path]:
    """All files that define compiled functions, relative to the package."""
    files = (path for path in PACKAGE.rglob("*.py") if "geometry.compiled import" in path.read_text())
    return [path.relative_to(PACKAGE) for path in files]


def test_a_change_in_any_file_makes_all_caches_invalid(tmp_path: Path) -> None:
    copy = shutil.copytree(PACKAGE, tmp_path / "splineviz", ignore=shutil.ignore_patterns("__pycache__"))
    before = stamp_of(copy)
    for kernel in (extension.extend_values, refine._refine):
        assert kernel._cache._cache_file._source_stamp == before
    for name in (*with_kernels(), Path("geometry/records.py")):
        text = (copy / name).read_text()
        (copy / name).write_text(text + "\n")
        assert stamp_of(copy) != before, name
        (copy / name).write_text(text)
    assert stamp_of(copy) == before


def double(x: int) -> int:
    return 2 * x


def triple(x: int) -> int:
    return 3 * x


def test_what_is_kept_is_loaded_and_what_is_damaged_is_compiled_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))

    def hits() -> int:
        found = 0
        for function, factor in ((double, 2), (triple, 3)):
            dispatcher = compiled.kernel(function)
            assert dispatcher(5) == 5 * factor
            found += sum(dispatcher.stats.cache_hits.values())
        return found

    assert (hits(), hits()) == (0, 2)
    for suffix in (".nbi", ".nbc"):
        one, other = sorted(tmp_path.rglob(f"*{suffix}"))
        for name, fault in SOME.items():
            fault(one, other)
            assert hits() == (0 if name == "swapped" else 1), (name, suffix)
            if name == "a folder":
                assert hits() == 1, "nothing can be kept there"
                one.rmdir()
                assert hits() == 1
            assert hits() == 2, (name, suffix)


def test_what_others_may_have_compiled_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compiled.kernel(double).stats.cache_path is not None
    monkeypatch.setattr(compiled, "is_exposed", lambda _: True)
    dispatcher = compiled.kernel(double)
    assert dispatcher.stats.cache_path is None and dispatcher(3) == 6


def test_the_current_folder_does_not_say_whose_kernels_are_run(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    (tmp_path / ".numba_config.yaml").write_text("cache_dir: planted\n")
    code = "from splineviz.geometry.subdivision import _drawn; print(_drawn.stats.cache_path)"
    command = [sys.executable, "-c", code]
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert "planted" not in done.stdout and not (tmp_path / "planted").exists()


def test_without_any_folder_to_write_to_kernels_are_compiled_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    dispatcher = compiled.kernel(double)
    assert dispatcher.stats.cache_path is None and dispatcher(3) == 6


def test_all_kernels_lie_in_folders_that_are_looked_at() -> None:
    assert {path.parts[0] for path in with_kernels()} == set(FOLDERS)
