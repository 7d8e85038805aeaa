"""One run of a command line: in this process, or in one of its own that can be killed."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from contextlib import ExitStack, redirect_stderr, redirect_stdout, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from tests.soak.faults import UNDISTURBED, Fault, disturbed
from tests.soak.requests import OUT, Request

__all__ = ["Ending", "Running", "run_here"]

ROOT = Path(__file__).parents[2]
PATIENCE = 240.0
"""Seconds after which a run hangs"""


@dataclass(frozen=True)
class Ending:
    """How a run ended."""

    code: int | None
    """None where it hung"""
    out: str
    err: str
    seconds: float
    left: int = 0
    """Processes that outlived it"""

    @property
    def last_words(self) -> str:
        """The last error, or the last line."""
        lines = self.err.strip().splitlines() or [""]
        return next((line for line in reversed(lines) if "rror: " in line), lines[-1])[:300]


def run_here(request: Request, folder: Path, fault: Fault = UNDISTURBED) -> Ending:
    """Run a command line in this process, as a notebook that calls it again and again."""
    from splineviz_cli.commands import run
    from tests.soak.scripts import run_script

    out, err, before = io.StringIO(), io.StringIO(), (Path.cwd(), sys.argv)
    began = time.monotonic()
    os.chdir(folder)
    sys.argv = ["splineviz", *request.arguments]
    sys.modules.pop("nets", None)
    try:
        with ExitStack() as during:
            during.enter_context(redirect_stdout(out))
            during.enter_context(redirect_stderr(err))
            during.enter_context(disturbed(fault, Path(OUT)))
            script = request.command == "python"
            code = run_script(*request.arguments[1:]) if script else run(list(request.arguments))
    except BaseException:  # a user would see this
        code = 1
        err.write(traceback.format_exc())
    finally:
        os.chdir(before[0])
        sys.argv = before[1]
    return Ending(code, out.getvalue(), err.getvalue(), time.monotonic() - began)


class Running:
    """A process that was begun, with all that it begins in a session of its own."""

    def __init__(self, request: Request, folder: Path, fault: Fault, logs: Path) -> None:
        self._logs = logs
        self._begun = logs / "begun"
        logs.mkdir(parents=True)
        self._began = time.monotonic()
        out = "/dev/full" if fault.name == "stdout full" else logs / "out"
        with open(out, "wb") as stdout, (logs / "err").open("wb") as stderr:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.soak.launcher", str(self._begun)),
                    *(json.dumps(asdict(fault)), *request.arguments),
                ],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": _path(), "OMP_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )

    def signal_after(self, number: int, seconds: float) -> None:
        """Send a signal so long after the command began; Ctrl-C goes to all its processes, as in a terminal."""
        while not self._begun.exists() and self._process.poll() is None:
            time.sleep(0.01)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        if self._process.poll() is None:
            send = os.killpg if number == signal.SIGINT else os.kill
            send(self._process.pid, number)

    def end(self) -> Ending:
        """Wait for the end of it and of all that it began."""
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            code = None
        seconds = time.monotonic() - self._began
        left = _outlived(self._process.pid) if code is not None else 0
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        out = self._logs / "out"
        said = [
            path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
            for path in (out, self._logs / "err")
        ]
        return Ending(code, said[0], said[1], seconds, left)


def _path() -> str:
    return os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])


def _outlived(session: int, patience: float = 15.0) -> int:
    """Processes of a session that are still there some seconds after the one that began it has ended."""
    deadline = time.monotonic() + patience
    while (count := len(_members(session))) and time.monotonic() < deadline:
        time.sleep(0.2)
    return count


def _members(session: int) -> list[int]:
    found = []
    for pid in psutil.pids():
        with suppress(ProcessLookupError, psutil.Error):
            if os.getsid(pid) == session and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
    return found
