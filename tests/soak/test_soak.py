"""Trials of fixed seeds, and a harness that finds what it is there to find; ``make soak`` runs thousands."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from tests.soak.__main__ import Store, main
from tests.soak.contents import UnreadableError, digest
from tests.soak.damage import damage_a_store, is_store, is_temporary
from tests.soak.faults import FAULTS, Fault, disturbed
from tests.soak.judge import of_ending, of_files, of_repeat
from tests.soak.materials import Materials
from tests.soak.page import DOCS, with_tables
from tests.soak.processes import Ending, Running, run_here
from tests.soak.promises import PROMISES, Promise
from tests.soak.requests import COMMANDS, Request, draw_request
from tests.soak.trial import Trial, run_trial


@pytest.mark.parametrize("seed", [30, 40, 45, 51])
def test_a_trial_in_one_process_has_nothing_to_complain_of(seed: int, tmp_path: Path) -> None:
    trial = run_trial(seed, tmp_path, no_mounts="not in a test", many=0.0)
    assert trial.complaints == []
    assert trial.skipped or (trial.runs == 3 and trial.command)


def test_a_seed_draws_the_same_again(tmp_path: Path) -> None:
    drawn = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        drawn.append(draw_request(Materials(tmp_path / name, np.random.default_rng(3))))
    assert drawn[0] == drawn[1]
    assert drawn[0].command in COMMANDS


def test_a_process_is_killed_right_before_it_changes_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    request, fault = Request(("slice", "demo", "-o", "out/a.npz")), Fault("SIGKILL at a file", 0.0, 1, 0, 0.0)
    ending = Running(request, tmp_path, fault, tmp_path / "logs").end()
    assert (ending.code, ending.left, list((tmp_path / "out").iterdir())) == (-signal.SIGKILL, 0, [])


def test_a_disk_is_full_from_a_moment_on(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with disturbed(Fault("no room at a file", 0.0, 2, 0, 0.0), tmp_path / "out"):
        (tmp_path / "beside").write_text("not watched")
        (tmp_path / "out/first").write_text("whole")
        for name in ("second", "third"):
            with pytest.raises(OSError, match="No space left"):
                (tmp_path / "out" / name).write_text("never")
        (tmp_path / "out/first").unlink()  # for which there is always room
    (tmp_path / "out/second").write_text("room again")


def test_the_clock_jumps_and_comes_back(tmp_path: Path) -> None:
    before = time.time()
    with disturbed(Fault("clock jump", 0.0, 0, 0, -1e6), tmp_path):
        asked = [time.time() for _ in range(4)]
    assert [moment < before for moment in asked] == [False, False, True, True]
    assert time.time() >= before


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Outputs of a slice, of each kind."""
    folder = tmp_path_factory.mktemp("outputs")
    kinds = ("png", "svg", "pdf", "npz", "geojson", "parquet")
    words = [word for kind in kinds for word in ("-o", f"out/a.{kind}")]
    (folder / "out").mkdir()
    assert run_here(Request(("slice", "demo", "--stage", "0", "--dpi", "30", *words)), folder).code == 0
    return {path.name: path.read_bytes() for path in sorted((folder / "out").iterdir())}


def test_files_that_are_cut_off_or_empty_are_not_whole(outputs: dict[str, bytes], tmp_path: Path) -> None:
    assert len(outputs) == 6
    for name, held in outputs.items():
        path = tmp_path / name
        path.write_bytes(held)
        assert digest(path)
        for length in (0, len(held) // 2, len(held) - 9):
            path.write_bytes(held[:length])
            with pytest.raises(UnreadableError):
                digest(path)


def test_times_do_not_count_and_numbers_do(tmp_path: Path) -> None:
    def of(name: str, text: str) -> str:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return digest(tmp_path / name)

    assert of("a.json", '{"cells": 3, "seconds": 1.5}') == of("b.json", '{"seconds": 2, "cells": 3}')
    assert of("a.json", '{"cells": 3}') != of("b.json", '{"cells": 4}')
    assert of("a.json", '{"exact": [1, 2]}') != of("b.json", '{"exact": [1, 3]}')
    assert of("a.md", "took 1.1e+04 ms.\n") == of("b.md", "took 7 ms.\n") != of("c.md", "took 7 s.\n")
    for name, seconds, cells in (("a.npz", 1.0, 3), ("b.npz", 2.0, 3), ("c.npz", 1.0, 4)):
        np.savez(
            tmp_path / name,
            cells=[cells],
            meta=json.dumps({"seconds": seconds}),
            **{"seconds/exact": seconds},
        )
    assert digest(tmp_path / "a.npz") == digest(tmp_path / "b.npz") != digest(tmp_path / "c.npz")


def test_what_is_wrong_with_an_ending_is_told() -> None:
    good = Ending(0, "", "", 1.0)
    assert of_ending("disturbed", good, good) == []
    assert of_ending("disturbed", Ending(4, "", "", 1.0), good, FAULTS["disk full"].codes) == []
    assert of_ending("disturbed", Ending(5, "", "", 1.0), good, timed=True) == []
    (wrong,) = of_ending("disturbed", Ending(1, "", "error: no\n  try: that", 1.0), good)
    assert wrong == "exit code: disturbed, 1, expected 0: error: no"
    (hung,) = of_ending("repeated", Ending(None, "", "", 240.0), good)
    assert hung == "hung: repeated, 240 s"
    shown = Ending(0, "", "Traceback (most recent call last)\nOSError: no", 1.0, left=2)
    assert of_ending("repeated", shown, good) == [
        "traceback: repeated: OSError: no",
        "processes left: repeated, 2",
    ]


def test_what_is_wrong_with_files_is_told(tmp_path: Path) -> None:
    for name, text in (
        ("a.json", "{}"),
        ("old.json", "earlier a"),
        (".a-0123abcd.json", ""),
        ("half.json", "{"),
    ):
        (tmp_path / name).write_text(text)
    (tmp_path / "other.json").write_text("[]")
    known = of_files("undisturbed", tmp_path, None, ended=False, old={"old.json"})
    (half,) = known.complaints
    assert half.startswith("not whole: undisturbed, half.json: JSONDecodeError: ")
    (tmp_path / "half.json").unlink()
    (tmp_path / "a.json").write_text("[1]")
    (tmp_path / "new.json").write_text("[]")
    (tmp_path / "a.json.partial").write_text("half a li")
    met = of_files("disturbed", tmp_path, known, ended=True, old={"old.json"})
    assert met.complaints == [
        "left over: disturbed, .a-0123abcd.json",
        "not the same: disturbed, a.json",
        "not the same: disturbed, new.json",
    ]
    last = of_files("repeated", tmp_path, None, ended=False, old={"old.json"})
    good, request = Ending(0, "", "", 1.0), Request(("slice", "-o", "a.json"))
    assert of_repeat(request, (good, known), (good, last)) == [
        "left over: repeated, a.json.partial",
        "left over: repeated, new.json",
        "not the same: repeated, a.json",
    ]
    assert of_repeat(Request(("slice",), timed=True), (good, known), (good, last)) == []


def test_a_store_is_damaged_and_outputs_are_not(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    assert damage_a_store(tmp_path, np.random.default_rng(0)) == ""
    (tmp_path / "work").mkdir()
    kinds = set()
    for seed in range(40):
        path = tmp_path / "work/job.npz"
        path.write_bytes(b"finished work")
        os.utime(path, (1e9, 1e9))
        kinds.add(damage_a_store(tmp_path, np.random.default_rng(seed)))
        assert not path.is_file() or path.stat().st_mtime > 1e9
        if path.is_dir():
            path.rmdir()
    assert len(kinds) == 7
    assert (tmp_path / "a.json").read_text() == "{}"
    assert is_store("a.csv.partial") and is_store(".splineviz-cache/a.npz") and not is_store("a.csv")
    assert is_temporary("shards/.cells-0123abcd.unfinished.npz") and not is_temporary(
        ".splineviz-cache/a.npz"
    )


def test_a_run_goes_on_where_it_ended_and_tells_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(DOCS / "reliability.md", tmp_path)
    for name in DOCS.glob("*.json"):
        shutil.copy(name, tmp_path)
    store = Store(tmp_path)
    fault = ("slice", "demo"), "SIGKILL", "many", ("data torn",), True, "a.partial empty", (0, -9, 0), 3, 6
    store.add(Trial(0, *fault, 1.0, 2**28))
    store.add(Trial(1, *fault, 1.0, 2**28, "", ["missing: repeated, a.png | b.png"]))
    store.add(Trial(2, ("inspect", "demo"), "disk full", "one process", skipped="no mounts"))
    with store.path.open("a") as file:
        file.write('{"code": "other", "trial": {}}\n{"code": "half')
    assert main(["--trials", "3", "-o", str(tmp_path), "--docs", str(tmp_path)]) == 1
    assert "2 trials, 1 failures" in capsys.readouterr().out
    figures = json.loads((tmp_path / "soak.json").read_text())
    told = {
        name: figures[name]
        for name in ("trials", "runs", "killed", "files", "damaged", "failures", "skipped")
    }
    assert told == {
        "trials": 2, "runs": 6, "killed": 2, "files": 12, "damaged": 2, "failures": 1, "skipped": {"no mounts": 1}
    }  # fmt: skip
    assert figures["wrong"] == {"missing": 1} and figures["damaged_failures"] == 1
    assert figures["hostile"] == {"data torn": 2}
    assert figures["faults"]["SIGKILL"] == {"trials": 2, "struck": 2, "failures": 1}
    page = (tmp_path / "reliability.md").read_text()
    assert "**2 trials, 6 runs, 2 of them killed, 2 damaged stores" in page
    assert "| 1 | `slice demo` | missing: repeated, a.png \\| b.png |" in page


@pytest.mark.parametrize("row", PROMISES, ids=lambda row: row.promise)
def test_every_promise_names_tests_that_are_there(row: Promise) -> None:
    names = re.findall(r"`(tests/[^`]+)`", row.tested)
    targets = re.findall(r"`make ([^`]+)`", row.tested)
    assert names or targets
    assert all((DOCS.parent / name).exists() for name in names)
    makefile = (DOCS.parent / "Makefile").read_text(encoding="utf-8")
    assert all(f"\n{target}:" in makefile for target in targets)


def test_the_page_is_that_of_the_figures_beside_it() -> None:
    text = (DOCS / "reliability.md").read_text(encoding="utf-8")
    assert with_tables(text, DOCS) == text, "run make reliability"
    with pytest.raises(ValueError, match="expected marks for promises, run"):
        with_tables("no marks here", DOCS)
