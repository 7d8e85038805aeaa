"""A result in doubt ends every command that arranges with 5, unless estimates were asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import splineviz as sv
from splineviz.arrangement.consistency import marked

from .conftest import Result
from .test_validate import ASKED

Command = Callable[..., Result]

POINTS = ("--data", "data.npz", "--points", "3,1,4")
REQUESTS: dict[str, tuple[object, ...]] = {
    "slice": ("slice", "nets:small", *POINTS, "--json"),
    "count": ("slice", "nets:small", *POINTS, "--json", "--count"),
    "compare": ("compare", "nets:small", "nets:other", *POINTS, "--json"),
    "animate": ("animate", "step-*.pt", "--model", "nets:small", *POINTS, "-o", "a.webp", "--json"),
    "validate": ("validate", "nets:small", *ASKED, "-o", "a.npz"),
}


@pytest.fixture
def doubt(nets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is arranged, its first cell is in doubt."""
    monkeypatch.setattr("splineviz.engine.arrange.marked", lambda arr, _: marked(arr, np.arange(1)))
    monkeypatch.syspath_prepend(nets)
    import nets as module  # type: ignore[import-not-found]

    torch.save(module.small().state_dict(), "step-1.pt")


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize(("certify", "code"), [("fast", 5), ("full", 5), ("off", 0)])
def test_exit_codes(doubt: None, splineviz: Command, request_: str, certify: str, code: int) -> None:
    done = splineviz(*REQUESTS[request_], "--certify", certify, "--quiet")
    assert done.code == code, done.err


def test_it_is_said_in_tables_files_and_pictures(doubt: None, splineviz: Command) -> None:
    files = [part for name in ("x.npz", "x.svg", "x.geojson", "cells/") for part in ("-o", name)]
    table = splineviz("slice", "nets:small", *POINTS, *files).out
    assert "in doubt: the whole window is arranged" in table and "1 cell (" in table
    assert "in doubt" in Path("x.svg").read_text() and sv.load("x.npz").in_doubt.tolist() == [0]
    index: dict[str, Any] = json.loads(Path("cells/index.json").read_text())
    assert index["status"] == "in_doubt" and index["exact"]["in_doubt"] == index["shards"][0]["in_doubt"] == 1
    features = json.loads(Path("x.geojson").read_text())["features"]
    assert [f["properties"]["in_doubt"] for f in features[:2]] == [True, False]


def test_the_checker_leaves_open_what_the_file_puts_in_doubt(doubt: None, splineviz: Command) -> None:
    assert splineviz("slice", "nets:small", *POINTS, "-o", "x.npz").code == 5
    done = splineviz("check", "x.npz", "--model", "nets:small", "--json")
    rows = {row["name"]: row for row in json.loads(done.out)["checks"]}
    assert done.code == 5, "nothing fails, since only the mark is false"
    assert rows["doubt"]["verdict"] == "open" and rows["doubt"]["offenders"] == [0]


def test_a_study_counts_neighbourhoods_in_doubt(doubt: None, splineviz: Command) -> None:
    done = splineviz(*REQUESTS["validate"], "--quiet")
    study = sv.Study.load("a.npz")
    assert study.in_doubt.min() >= 1 and not study.undecided.any()
    assert f"cells of {study.in_doubt.sum():,} contradict each other" in done.out
