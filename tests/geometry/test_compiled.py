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
from splineviz.geometry import compiled, kernel_files, refine
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


REDUCE = """
import sys
from pathlib import Path
import numpy as np
from splineviz.geometry import kernel_files
kernel_files.CARRIED = Path(sys.argv[1])
if sys.argv[2] == "other processor":
    kernel_files._NEEDED = [*kernel_files._NEEDED, "a feature that none has"]
from splineviz.exact.fields import _reduce
from splineviz.geometry.compiled import is_carried
x = np.array([[7.0, 12.0], [8.0, 3.0]])
_reduce(x, np.array([5.0, 3.0]))
assert x.tolist() == [[2.0, 2.0], [2.0, 0.0]]
print(sum(_reduce.stats.cache_hits.values()), is_carried(_reduce))
"""


@pytest.mark.skipif(not kernel_files._runs_baseline(), reason="runs on processors of the baseline alone")
def test_kernels_that_came_with_the_package_are_run_where_they_can_be(tmp_path: Path) -> None:
    carried = tmp_path / "carried"

    def run(folder: str, processor: str = "this one", **environment: str) -> str:
        command = [sys.executable, "-c", REDUCE, str(carried), processor]
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / folder), **environment}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    made = run("built", NUMBA_CPU_NAME=kernel_files.BASELINE, NUMBA_CPU_FEATURES="")
    assert made.split() == ["0", "False"]
    carried.mkdir()
    for path in (tmp_path / "built").rglob("*.nb?"):
        shutil.copy(path, carried)
    assert run("empty").split() == ["1", "True"]
    assert not list((tmp_path / "empty").rglob("*.nb?"))
    assert run("another", "other processor").split() == ["0", "False"]
    (code,) = carried.glob("*.nbc")
    code.write_bytes(code.read_bytes()[:-1] + b"?")
    assert run("damaged").split() == ["0", "True"]
    assert list((tmp_path / "damaged").rglob("*.nbc")), "what is compiled here is kept here"


def test_the_wheel_is_built_for_the_processors_that_are_asked_for() -> None:
    makefile = (PACKAGE.parent / "Makefile").read_text(encoding="utf-8")
    assert f"NUMBA_CPU_NAME={kernel_files.BASELINE} NUMBA_CPU_FEATURES= " in makefile
    assert f"splineviz/{kernel_files.CARRIED.name}" in makefile
