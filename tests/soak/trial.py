"""One trial: a command line that runs three times, undisturbed, disturbed by a fault, and undisturbed again
where the disturbed run was."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from tests.soak.damage import damage_a_store
from tests.soak.faults import UNDISTURBED, Fault, draw_fault
from tests.soak.judge import of_ending, of_files, of_repeat
from tests.soak.materials import Materials
from tests.soak.mounts import full_disk, read_only
from tests.soak.processes import Ending, Running, run_here
from tests.soak.requests import OUT, Request, draw_request

__all__ = ["PLACES", "Trial", "run_trial"]

PLACES = ("one process", "many")
_SOONEST, _START = 0.5, 3.0
"""Seconds until a process of its own heeds signals, and until it has imported what it needs, about"""


@dataclass
class Trial:
    """What was run, what happened to it, and what was wrong then; complaints are empty where nothing was."""

    seed: int
    command: tuple[str, ...] = ()
    fault: str = ""
    place: str = ""
    """``"one process"``, the one that runs trial after trial, or ``"many"``"""
    hostile: tuple[str, ...] = ()
    """Inputs that were hostile or damaged from the start"""
    struck: bool = False
    """The disturbed run met the fault before it ended"""
    damage: str = ""
    """Done to a store before the repeat"""
    codes: tuple[int | None, ...] = ()
    """Exit codes: of the reference, of the disturbed runs, of the repeat"""
    runs: int = 0
    files: int = 0
    """Judged, over all runs"""
    seconds: float = 0.0
    memory: int = 0
    """In bytes, of the process that runs trial after trial"""
    skipped: str = ""
    """Why nothing was run"""
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("command", "hostile", "codes"):
            setattr(self, name, tuple(getattr(self, name)))  # JSON knows lists only


def run_trial(seed: int, folder: Path, *, no_mounts: str = "", many: float = 0.5) -> Trial:
    """Run the trial of a seed in an empty folder, which is left as it is.

    ``no_mounts`` is the reason why there can be no mounts, if there is one; ``many`` is the share of trials
    that are disturbed in processes of their own.
    """
    began = time.monotonic()
    rng = np.random.default_rng(seed)
    place = "many" if rng.random() < many else "one process"
    here, fresh = folder / "here", folder / "fresh"
    (fresh / OUT).mkdir(parents=True)
    materials = Materials(fresh, rng)
    request = draw_request(materials)
    fault = draw_fault(rng, request, in_process=place == "one process")
    trial = Trial(seed, request.arguments, fault.name, place, hostile=tuple(materials.spoilt))
    if fault.kind.mount and no_mounts:
        trial.skipped = no_mounts
        return trial
    if rng.random() < 0.5:
        _age(fresh, request)
    old = {path.name for path in (fresh / OUT).iterdir()}

    shutil.copytree(fresh, here)
    reference = run_here(request, here)
    trial.complaints += of_ending("undisturbed", reference)
    known = of_files("undisturbed", here / OUT, None, ended=True, old=old)
    trial.complaints += known.complaints
    here.rename(folder / "undisturbed")  # all runs are in one place: some outputs name it

    codes = fault.codes(request)
    shutil.copytree(fresh, here)
    with _mounted(fault, here):
        endings = _disturbed(request, here, fault, place, reference, folder / "logs")
        killed = bool(fault.kind.signal) and any(ending.code in codes for ending in endings)
        met = of_files("disturbed", here / OUT, None if request.timed else known, ended=not killed, old=old)
    for ending in endings:
        trial.complaints += of_ending("disturbed", ending, reference, codes, timed=request.timed)
    trial.complaints += met.complaints
    trial.struck = fault.name in _ALWAYS or any(ending.code != reference.code for ending in endings)

    if rng.random() < 0.9:
        trial.damage = damage_a_store(here / OUT, rng)
    repeated = _over(request)
    if not killed and rng.random() < 0.7:
        last = run_here(repeated, here)
    else:  # what a killed process leaves is for a new one to remove
        last = Running(repeated, here, UNDISTURBED, folder / "logs/repeat").end()
    trial.complaints += of_ending("repeated", last, reference, timed=request.timed)
    end = of_files("repeated", here / OUT, None, ended=True, old=old)
    trial.complaints += end.complaints
    trial.complaints += of_repeat(request, (reference, known), (last, end))
    trial.complaints += _ran_code(folder)
    trial.codes = (reference.code, *(ending.code for ending in endings), last.code)
    trial.runs = len(trial.codes)
    trial.files = len(known.digests) + len(met.digests) + len(end.digests)
    trial.memory = psutil.Process().memory_info().rss
    trial.seconds = round(time.monotonic() - began, 2)
    return trial


_ALWAYS = ("clock jump", "two at once", "read-only inputs")
"""Faults that need not change how a run ends"""


def _age(folder: Path, request: Request) -> None:
    """An earlier output where a run will write, which it may replace and may not spoil."""
    for name in request.outputs:
        if name.startswith(f"{OUT}/") and not name.endswith("/") and "%" not in name:
            (folder / name).write_text(f"earlier {name}", encoding="utf-8")


def _over(request: Request) -> Request:
    """The request for the repeat: shards of a run that was killed are replaced by a word of the user's only."""
    if request.command == "slice" and any(name.endswith("/") for name in request.outputs):
        return Request((*request.arguments, "--overwrite"), request.timed)
    return request


@contextmanager
def _mounted(fault: Fault, folder: Path) -> Iterator[None]:
    mount = fault.kind.mount
    if mount == "full outputs":
        with full_disk(folder / OUT, fault.size):
            yield
    elif mount == "read-only outputs":
        with read_only(folder / OUT):
            yield
    elif mount == "read-only inputs":
        with read_only(folder, but=folder / OUT):
            yield
    else:
        yield


def _disturbed(
    request: Request, folder: Path, fault: Fault, place: str, reference: Ending, logs: Path
) -> list[Ending]:
    """Endings of the run that a fault disturbs, or of two at once."""
    if fault.name == "clock jump":
        for path in folder.rglob("*"):
            os.utime(path, (max(0.0, time.time() + fault.jump),) * 2)
    if place == "one process":
        return [run_here(request, folder, fault)]
    both = range(2 if fault.name == "two at once" else 1)
    running = [Running(request, folder, fault, logs / f"disturbed-{k}") for k in both]
    if fault.kind.signal and not fault.kind.at_files and not fault.kind.limit:
        expected = reference.seconds + _START
        running[0].signal_after(fault.kind.signal, _SOONEST + fault.share * expected)
    return [process.end() for process in running]


def _ran_code(folder: Path) -> list[str]:
    """A complaint where the pickle among the materials was obeyed."""
    return ["code run: that of a pickle"] if list(folder.rglob("ran-code")) else []
