"""The figures of a run."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TypedDict

import splineviz
from tests.soak.faults import FAULTS
from tests.soak.requests import COMMANDS
from tests.soak.trial import PLACES, Trial

__all__ = ["Figures", "Group", "summary"]

SCHEMA = "splineviz.soak/1"
SHOWN = 20


class Group(TypedDict):
    """Trials of one kind."""

    trials: int
    struck: int
    """Whose disturbed run met the fault"""
    failures: int


class Figures(TypedDict):
    """What docs/soak.json holds."""

    schema: str
    date: str
    cores: int | None
    jobs: int
    versions: dict[str, str]
    minutes: float
    """Over all workers"""
    trials: int
    runs: int
    killed: int
    """Runs that a signal ended"""
    files: int
    """Judged, over all runs"""
    refused: int
    """Trials whose undisturbed run ended with 2, 3 or 4"""
    incomplete: int
    """Trials whose undisturbed run ended with 5"""
    damaged: int
    """Trials with a damaged store before the repeat"""
    hostile: dict[str, int]
    """Trials with an input of each hostile or damaged kind"""
    skipped: dict[str, int]
    memory: dict[str, int]
    """In MB, of the processes that run trial after trial: the median early, late, and the most"""
    failures: int
    wrong: dict[str, int]
    """Trials with a complaint of each kind"""
    damaged_failures: int
    """Failures among those with a damaged store"""
    places: dict[str, Group]
    commands: dict[str, Group]
    faults: dict[str, Group]
    failed: list[dict[str, int | str]]
    """The first of them"""


def summary(trials: Iterable[Trial], jobs: int) -> Figures:
    """The figures of trials, in whatever order they were run."""
    every = sorted(trials, key=lambda trial: trial.seed)
    run = [trial for trial in every if not trial.skipped]
    failed = [trial for trial in run if trial.complaints]
    first = [trial.codes[0] for trial in run if trial.codes]
    return {
        "schema": SCHEMA,
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "jobs": jobs,
        "versions": {"splineviz": splineviz.__version__, "Python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in ("numpy", "torch")},
        "minutes": round(sum(trial.seconds for trial in run) / 60, 1),
        "trials": len(run),
        "runs": sum(trial.runs for trial in run),
        "killed": sum(
            code is not None and (code < 0 or code >= 128) for trial in run for code in trial.codes
        ),
        "files": sum(trial.files for trial in run),
        "refused": sum(code in (2, 3, 4) for code in first),
        "incomplete": sum(code == 5 for code in first),
        "damaged": sum(bool(trial.damage) for trial in run),
        "hostile": dict(sorted(Counter(kind for trial in run for kind in trial.hostile).items())),
        "skipped": {
            reason: sum(trial.skipped == reason for trial in every)
            for reason in sorted({trial.skipped for trial in every} - {""})
        },
        "memory": _memory([trial.memory for trial in run if trial.memory]),
        "failures": len(failed),
        "wrong": dict(sorted(Counter(kind for trial in failed for kind in _kinds(trial)).items())),
        "damaged_failures": sum(bool(trial.damage) for trial in failed),
        "places": {name: _group(trial for trial in run if trial.place == name) for name in PLACES},
        "commands": {name: _group(trial for trial in run if name in trial.command[:1]) for name in COMMANDS},
        "faults": {name: _group(trial for trial in run if trial.fault == name) for name in FAULTS},
        "failed": [
            {"seed": trial.seed, "command": " ".join(trial.command), "what": trial.complaints[0]}
            for trial in failed[:SHOWN]
        ],
    }


def _kinds(trial: Trial) -> set[str]:
    return {complaint.partition(":")[0] for complaint in trial.complaints}


def _group(trials: Iterable[Trial]) -> Group:
    own = list(trials)
    return {
        "trials": len(own),
        "struck": sum(trial.struck for trial in own),
        "failures": sum(bool(trial.complaints) for trial in own),
    }


def _memory(found: list[int]) -> dict[str, int]:
    """Median of the first and of the last tenth, and the most."""
    if not found:
        return {}
    tenth = max(1, len(found) // 10)
    middle = {
        name: sorted(part)[len(part) // 2]
        for name, part in (("early", found[:tenth]), ("late", found[-tenth:]))
    }
    return {name: size // 2**20 for name, size in (middle | {"most": max(found)}).items()}
