"""Faults: what happens to a process or its disk, when, and with which exit codes it may then end."""

from __future__ import annotations

import errno
import os
import resource
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np

from tests.soak.events import before_changes
from tests.soak.requests import Request

__all__ = ["FAULTS", "UNDISTURBED", "Fault", "Kind", "disturbed", "draw_fault"]

_KILLED = frozenset({-signal.SIGKILL})
_INTERRUPTED = frozenset({130})
_TERMINATED = frozenset({143})
_HUNG_UP = frozenset({129})
_REFUSED = frozenset({4})


@dataclass(frozen=True)
class Kind:
    """One kind of fault."""

    codes: frozenset[int] = frozenset()
    """Exit codes with which a run may end, beside that of a run that nothing disturbed"""
    signal: int = 0
    """Sent at the fault's moment"""
    at_files: bool = False
    """The moment is one of a change of files, and not a time"""
    error: int = 0
    """Raised from the fault's moment on by everything that makes files"""
    limit: bool = False
    """No file may be larger than the fault's size"""
    mount: str = ""
    """How the outputs or the inputs are mounted"""
    alone: bool = False
    """Only for a run in a process of its own"""
    weight: float = 1.0


FAULTS = {
    "nothing": Kind(),
    "SIGKILL": Kind(_KILLED, signal=signal.SIGKILL, alone=True, weight=2),
    "SIGKILL at a file": Kind(_KILLED, signal=signal.SIGKILL, at_files=True, alone=True, weight=3),
    "SIGKILL within a write": Kind(
        frozenset({-signal.SIGXFSZ}), signal=signal.SIGXFSZ, limit=True, alone=True
    ),
    "SIGTERM": Kind(_TERMINATED, signal=signal.SIGTERM, alone=True),
    "SIGHUP": Kind(_HUNG_UP, signal=signal.SIGHUP, alone=True, weight=0.5),
    "SIGTERM at a file": Kind(_TERMINATED, signal=signal.SIGTERM, at_files=True, alone=True),
    "SIGINT": Kind(_INTERRUPTED, signal=signal.SIGINT, alone=True),
    "SIGINT at a file": Kind(_INTERRUPTED, signal=signal.SIGINT, at_files=True),
    "disk full": Kind(_REFUSED, mount="full outputs"),
    "no room at a file": Kind(_REFUSED, error=errno.ENOSPC, at_files=True),
    "device error at a file": Kind(_REFUSED, error=errno.EIO, at_files=True),
    "file too large": Kind(_REFUSED, limit=True),
    "stdout full": Kind(_REFUSED, alone=True),
    "read-only outputs": Kind(_REFUSED, mount="read-only outputs"),
    "read-only inputs": Kind(mount="read-only inputs"),
    "clock jump": Kind(),
    "two at once": Kind(_REFUSED, alone=True),
}


@dataclass(frozen=True)
class Fault:
    """A fault with its moment."""

    name: str
    share: float
    """Of the time that a run is expected to take"""
    count: int
    """Of changes of files"""
    size: int
    """In bytes"""
    jump: float
    """In seconds"""

    @property
    def kind(self) -> Kind:
        return FAULTS[self.name]

    def codes(self, request: Request) -> frozenset[int]:
        """Exit codes with which a run may end, beside that of a run that nothing disturbed."""
        if request.command != "python":
            return self.kind.codes
        # A script ends on a signal as Python does, and where the disk is full training goes on without
        return self.kind.codes | ({-self.kind.signal} if self.kind.signal else {5})


UNDISTURBED = Fault("nothing", 0.0, 0, 0, 0.0)


def draw_fault(rng: np.random.Generator, request: Request, *, in_process: bool) -> Fault:
    """A fault that can happen to a request there, with a moment."""
    names = [name for name, kind in FAULTS.items() if _can_happen(name, kind, request, in_process)]
    weights = np.array([FAULTS[name].weight for name in names])
    return Fault(
        str(rng.choice(names, p=weights / weights.sum())),
        float(rng.random()),
        int(rng.geometric(0.35)),
        int(10 ** rng.uniform(1, 5)),
        float(rng.choice([-1.0, 1.0]) * 10 ** rng.uniform(0, 9)),
    )


def _can_happen(name: str, kind: Kind, request: Request, in_process: bool) -> bool:
    if request.command == "python" and name == "SIGINT":
        return False  # within an import it is Python's own affair: the command sees to it, a script does not
    if (kind.at_files or kind.limit or kind.mount) and not request.writes:
        return False
    return not (in_process and kind.alone)


@contextmanager
def disturbed(fault: Fault, folder: Path) -> Iterator[None]:
    """What of a fault happens within the process itself; ``folder`` is where its outputs lie."""
    with ExitStack() as during:
        if fault.kind.at_files:
            during.enter_context(before_changes(folder, _AtFile(fault)))
        if fault.kind.limit:
            during.enter_context(_limit_of_files(fault.size))
        if fault.name == "clock jump":
            during.enter_context(mock.patch("time.time", _Clock(fault.jump)))
        yield


@contextmanager
def _limit_of_files(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class _AtFile:
    """Counts changes of files, and sends the signal or raises the error when it is time."""

    def __init__(self, fault: Fault) -> None:
        self.left, self.kind = fault.count, fault.kind

    def __call__(self, event: str) -> None:
        self.left -= 1
        if self.kind.error and self.left <= 0 and event in ("open", "os.mkdir", "os.rename"):
            raise OSError(self.kind.error, os.strerror(self.kind.error))
        if self.kind.signal and self.left == 0:
            os.kill(os.getpid(), self.kind.signal)  # to the process: a thread of its own may wait for it


class _Clock:
    """The time of day, which jumps at the third time that it is asked for."""

    def __init__(self, jump: float) -> None:
        self.left, self.jump, self.time = 2, jump, time.time

    def __call__(self) -> float:
        self.left -= 1
        return self.time() + (self.jump if self.left < 0 else 0.0)
