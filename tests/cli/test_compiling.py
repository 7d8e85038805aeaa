from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from splineviz.geometry import extend
from splineviz_cli import compiling


@pytest.mark.parametrize(("cached", "cores", "quiet"), [(False, 2, False), (False, 1, False), (False, 2, True), (True, 2, False)])
def test_the_first_time_is_announced_and_shared(
    cached: bool, cores: int, quiet: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[list[str]] = []

    def popen(command: list[str], **_: Any) -> None:
        started.append(command)

    if cached:
        (tmp_path / "kernel.nbi").touch()
    monkeypatch.setattr(extend, "extend_values", SimpleNamespace(stats=SimpleNamespace(cache_path=str(tmp_path))))
    monkeypatch.setattr(compiling.subprocess, "Popen", popen)
    monkeypatch.setattr(compiling.os, "cpu_count", lambda: cores)
    compiling.compile_together(quiet)
    said = capsys.readouterr().err
    assert ("compiling the geometry kernels" in said) == (not cached and not quiet)
    assert started == ([[sys.executable, "-m", "splineviz.arrangement.uncut"]] if not cached and cores > 1 else [])
