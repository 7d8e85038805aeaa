"""The cache of compiled kernels is valid for one version of all their files."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

from splineviz.geometry import compiled, extend, refine


def _stamp_of(folder: Path) -> str:
    return str(runpy.run_path(str(folder / "compiled.py"))["_STAMP"])


def test_a_change_in_any_file_makes_all_caches_invalid(tmp_path: Path) -> None:
    folder = shutil.copytree(Path(compiled.__file__).parent, tmp_path / "geometry")
    before = _stamp_of(folder)
    for kernel in (extend.extend_values, refine._refine):
        assert kernel._cache._cache_file._source_stamp == before
    (folder / "records.py").write_text((folder / "records.py").read_text() + "\n")
    assert _stamp_of(folder) != before
