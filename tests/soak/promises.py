"""Promises, how each is tested, and where its last result is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.soak.figures import Figures

__all__ = ["PROMISES", "Promise"]


@dataclass(frozen=True)
class Promise:
    """One promise."""

    promise: str
    tested: str
    """Files of tests and runs, as Markdown"""
    result: Callable[[Path], str]
    """The last result, from the figures in a folder"""


def _faults(*names: str) -> Callable[[Path], str]:
    """What came of trials with these faults."""

    def result(docs: Path) -> str:
        soak = _soak(docs)
        groups = [soak["faults"][name] for name in names]
        trials, met, failed = (
            sum(group[key] for group in groups) for key in ("trials", "struck", "failures")
        )
        return f"{trials:,} trials, {met:,} met the fault; {failed:,} failures ({soak['date']})"

    return result


def _soaked(tell: Callable[[Figures], str], *wrong: str) -> Callable[[Path], str]:
    """What was soaked, and in how many trials something of these kinds was wrong."""

    def result(docs: Path) -> str:
        soak = _soak(docs)
        failed = sum(soak["wrong"].get(kind, 0) for kind in wrong)
        return f"{tell(soak)}; {failed:,} failures ({soak['date']})"

    return result


def _damage(docs: Path) -> str:
    soak = _soak(docs)
    return f"{soak['damaged']:,} stores damaged; {soak['damaged_failures']:,} failures ({soak['date']})"


def _fuzz(docs: Path) -> str:
    found = _read(docs / "fuzz.json")
    return f"{found['cases']:,} networks, {found['cells']:,} cells; {found['failures']:,} failures ({found['date']})"


def _bars(name: str) -> Callable[[Path], str]:
    def result(docs: Path) -> str:
        bars = _read(docs / f"{name}.json")["bars"]
        return f"{sum(bar['passed'] for bar in bars)} of {len(bars)} bars met ([{name}.md]({name}.md))"

    return result


def _limits(docs: Path) -> str:
    rows = _read(docs / "bench-limits.json")["rows"].values()
    memory = [row for row in rows if "peak" in row]
    within = sum(row["peak"] <= row["asked"] + 2 * (row["result"] or 0) for row in memory)
    later = max(row["told"] - row["asked_seconds"] for row in rows if "told" in row)
    return (
        f"{within} of {len(memory)} kinds of work within the memory asked for and twice their result, slices told at "
        f"most {later:.1f} s after their time ([bench-limits.md](bench-limits.md))"
    )


def _soak(docs: Path) -> Figures:
    figures: Figures = json.loads((docs / "soak.json").read_text(encoding="utf-8"))
    return figures


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _each_time(docs: Path) -> str:
    return "held on each `make test`"


PROMISES = (
    Promise(
        "Cells are those of the network in exact arithmetic, whatever its coincidences",
        "`make fuzz`, `tests/oracles`, `tests/properties`",
        _fuzz,
    ),
    Promise(
        "A saved result can be verified without the code that made it, and false ones are found",
        "`tests/checking`",
        _each_time,
    ),
    Promise(
        "What is not continuous piecewise affine, or not supported, is refused with its place",
        "`tests/program/test_refusal.py`, `tests/cli/test_bad_input.py`, `make soak`",
        _soaked(
            lambda soak: (
                f"held on each `make test`; {sum(soak['hostile'].values()):,} hostile or damaged inputs"
            ),
            "exit code",
            "traceback",
        ),
    ),
    Promise(
        "A file appears whole or not at all, and an earlier one stays until then",
        "`make soak`, `tests/test_files.py`",
        _soaked(lambda soak: f"{soak['files']:,} files read back", "not whole", "left over"),
    ),
    Promise(
        "A killed run loses nothing: the same command again comes to what it would have come to",
        "`make soak`, `tests/validation/test_run.py`",
        _faults("SIGKILL", "SIGKILL at a file", "SIGKILL within a write", "SIGTERM", "SIGTERM at a file"),
    ),
    Promise(
        "Ctrl-C ends a command with 130",
        "`make soak`, `tests/cli/test_ending.py`",
        _faults("SIGINT", "SIGINT at a file"),
    ),
    Promise(
        "A full or failing disk ends a command with 4 and one line, and spoils no file",
        "`make soak`",
        _faults("disk full", "no room at a file", "device error at a file", "file too large", "stdout full"),
    ),
    Promise(
        "A folder that cannot be written is refused with 4; inputs need not be writable",
        "`make soak`, `tests/test_files.py`",
        _faults("read-only outputs", "read-only inputs"),
    ),
    Promise("The clock may jump, and times of files may lie", "`make soak`", _faults("clock jump")),
    Promise("Two runs of one command at once come to one result", "`make soak`", _faults("two at once")),
    Promise("A damaged store of finished work is noticed, and its work done again", "`make soak`", _damage),
    Promise(
        "Every run ends, with a documented exit code, without a traceback and with all that it began",
        "`make soak`, `tests/cli`",
        _soaked(
            lambda soak: f"{soak['runs']:,} runs", "exit code", "traceback", "hung", "died", "processes left"
        ),
    ),
    Promise(
        "No file can make the process run code",
        "`make soak` (pickles among the weights), `tests/program/test_weight_files.py`",
        _soaked(
            lambda soak: f"{soak['hostile'].get('weights a pickle that runs code', 0):,} such files",
            "code run",
        ),
    ),
    Promise("Speed of the engine and of the command line", "`make bench`, `tests/bench`", _bars("bench")),
    Promise("Size: large and real networks", "`make bench-networks`", _bars("bench-networks")),
    Promise("`max_memory` and `seconds` bound the work", "`make bench-limits`, `tests/bench`", _limits),
    Promise(
        "Decisions of large and real networks are proven",
        "`make bench-networks`",
        _bars("bench-networks-proofs"),
    ),
)
