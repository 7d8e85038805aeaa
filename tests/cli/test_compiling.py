from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import splineviz as sv
from splineviz.engine import warm_up as uncut
from splineviz.geometry.refine import _refine
from splineviz.values import extension as extend
from splineviz_cli import compiling


class Other:
    def __init__(self, command: list[str], **_: Any) -> None:
        self.command, self.waited_for = command, False

    def wait(self) -> None:
        self.waited_for = True

    def poll(self) -> int | None:
        return 0 if self.waited_for else None

    def kill(self) -> None: ...


@pytest.mark.parametrize(
    ("cached", "cores", "quiet"), [(False, 2, False), (False, 1, False), (False, 2, True), (True, 2, False)]
)
def test_the_first_time_is_announced_and_shared(
    cached: bool,
    cores: int,
    quiet: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    started: list[Other] = []
    own: list[int] = []
    if cached:
        (tmp_path / "kernel.nbi").touch()
    monkeypatch.setattr(
        extend, "extend_values", SimpleNamespace(stats=SimpleNamespace(cache_path=str(tmp_path)))
    )
    monkeypatch.setattr(uncut, "compile_others", lambda: own.append(1))
    monkeypatch.setattr(
        compiling.subprocess,
        "Popen",
        lambda *arguments, **options: started.append(Other(*arguments)) or started[0],
    )
    monkeypatch.setattr(compiling.os, "cpu_count", lambda: cores)
    finish = compiling.begin_compiling(quiet)
    assert capsys.readouterr().err == "" and not own, "a mistake in the request is the first thing to be said"
    finish()
    assert ("compiling the geometry kernels" in capsys.readouterr().err) == (not cached and not quiet)
    shared = not cached and cores > 1
    assert (len(started), len(own)) == (shared, shared) and all(other.waited_for for other in started)


def test_what_cannot_be_kept_is_compiled_here_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(extend, "extend_values", SimpleNamespace(stats=SimpleNamespace(cache_path=None)))
    monkeypatch.setattr(compiling.subprocess, "Popen", None)
    compiling.begin_compiling(quiet=False)()
    assert "each time: you have no folder to keep them" in capsys.readouterr().err


def test_the_other_process_compiles_what_is_met_here() -> None:
    command = [
        sys.executable,
        "-c",
        f"{compiling._REFINE}; from splineviz.geometry.refine import _refine; print(_refine.signatures)",
    ]
    signature = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    arr = sv.slice("demo", sv.demo.load_points(), certify="fast")
    assert arr.stats.certified and signature.strip() in {str([one]) for one in _refine.signatures}


def test_the_other_process_runs_nothing_of_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numba.py").write_text("open('ran', 'w').close()", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        extend, "extend_values", SimpleNamespace(stats=SimpleNamespace(cache_path=str(tmp_path)))
    )
    monkeypatch.setattr(uncut, "compile_others", lambda: None)
    monkeypatch.setattr(compiling.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(compiling, "_REFINE", "import numba")
    compiling.begin_compiling(quiet=True)()
    assert not (tmp_path / "ran").exists()


def test_the_other_process_ends_with_this_one_where_the_request_is_refused(tmp_path: Path) -> None:
    script = f"""
from types import SimpleNamespace
from splineviz.values import extension
from splineviz_cli import compiling
extension.extend_values = SimpleNamespace(stats=SimpleNamespace(cache_path={str(tmp_path)!r}))
compiling._REFINE = "import time; time.sleep(600)"
compiling.os.cpu_count = lambda: 2
run = compiling.subprocess.Popen
compiling.subprocess.Popen = lambda *given, **options: started.append(run(*given, **options)) or started[0]
started = []
compiling.begin_compiling(quiet=True)
print(started[0].pid, flush=True)
raise SystemExit(4)
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.returncode == 4, ended.stderr
    assert not Path("/proc", ended.stdout.strip()).exists()
