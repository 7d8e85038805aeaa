"""`bench/proofs.py`, on networks so small that it takes seconds."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

import splineviz as sv

BENCH = Path(__file__).parents[2] / "bench"
needs_weights = pytest.mark.skipif(
    importlib.util.find_spec("mtcnn") is None, reason="mtcnn is not installed (pip install -e '.[dev]')"
)


@pytest.fixture
def proofs(monkeypatch: pytest.MonkeyPatch) -> Any:
    for folder in ("gallery", "bench"):
        monkeypatch.syspath_prepend(str(BENCH.parent / folder))
    return importlib.import_module("proofs")


def _run(folder: Path, *rows: str) -> dict[str, Any]:
    command = [sys.executable, str(BENCH / "proofs.py"), "--quick", "--only", *rows, "-o", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads((folder / "bench-networks-proofs.json").read_text(encoding="utf-8"))
    assert report["schema"] == "splineviz.bench-networks-proofs/1"
    assert report["bars"] == []
    found = report["rows"]
    assert isinstance(found, dict)
    return found


@needs_weights
def test_a_row_is_measured_and_others_are_kept(tmp_path: Path, proofs: Any) -> None:
    given_up = proofs.measured("earlier", proofs.QUICK["P-Net"], 0.01)
    (tmp_path / "bench-networks-proofs.json").write_text(json.dumps({"rows": {"earlier": given_up}}))
    rows = _run(tmp_path, "P-Net")
    assert list(rows) == ["earlier", "P-Net"]
    row = rows["P-Net"]
    assert {"cpu", "cores", "versions", "load_before"} <= set(row["machine"])
    for certify in ("fast", "full"):
        found = row[certify]
        assert found["ratio"] == pytest.approx(found["seconds"] / found["seconds_off"])
        assert found["cells"] >= 20 and found["check"] is None and found["same_cells_as_off"]
        assert 0 <= found["proven_stages"] <= found["stages"] == 4
        sampled = found["sampled"]
        assert sampled["points"] > 150 and sampled["wrong_patterns"] == sampled["wrong_outputs"] == 0
    assert row["full"]["undecided"] == 0 and row["full"]["certified"]
    page = (tmp_path / "bench-networks-proofs.md").read_text(encoding="utf-8")
    assert "| earlier | full |  | not finished after 0.01 seconds |" in page
    (table,) = [block.splitlines() for block in page.split("\n\n") if block.startswith("|")]
    assert len(table) == 2 + 3 * 2
    assert len({line.count("|") for line in table}) == 1


def _measured(proofs: Any, name: str, folder: Path, certify: str) -> dict[str, Any]:
    """A row in this process: its window looked for, then proven."""
    measure = importlib.import_module("proofs_measure")
    row = proofs.QUICK[name]
    made = measure.SLICES[row.make](row.how, folder)
    programs = [sv.load_program(network, input_shape=made.input_shape) for network in made.networks]
    scale = measure.prepared(made, programs, asdict(row))["scale"]
    found = measure.proven(made, programs, asdict(row) | {"scale": scale, "certify": certify})
    assert isinstance(found, dict)
    return found


def test_an_overlay_counts_the_decisions_of_all(proofs: Any, tmp_path: Path) -> None:
    found = _measured(proofs, "overlay of two checkpoints", tmp_path, "full")
    overlay, *each = found["cells_of_all"]
    assert overlay == found["cells"] > max(each)
    assert sum(each) >= 50
    assert found["undecided"] == 0 and found["sampled"] is None


def test_many_windows_at_once(proofs: Any, tmp_path: Path) -> None:
    """Round digits, with the network trained once and read again."""
    name = "CNN, counts at 20 digits"
    found = _measured(proofs, name, tmp_path, "fast")
    assert found["cells"] > 3 and found["check"] is None and found["sampled"] is None
    assert _measured(proofs, name, tmp_path, "full")["cells"] == found["cells"]


def test_bars(proofs: Any) -> None:
    row = proofs.Row("cnn", {}, cells=100, ratio=1.5)
    sampled = {"points": 10, "wrong_patterns": 1, "wrong_outputs": 0}
    done = {"undecided": 0, "cells": 99, "ratio": 1.4, "displacement_over_window": None, "check": None}
    result = {"full": done | {"sampled": None}, "fast": {"reason": "not finished"}}
    bars = {bar["what"]: bar["passed"] for bar in proofs.check_bars("it", row, result)}
    assert bars == {
        "undecided under full": True,
        "cells": False,
        "full over no proofs": True,
        "complaints of check, fast": False,
        "complaints of check, full": True,
    }
    measured = "largest displacement over the window, full"
    bars = {bar["what"]: bar for bar in proofs.check_bars("it", replace(row, displacement=1e-9), result)}
    assert not bars[measured]["passed"] and bars[measured]["limit"] == 1e-9
    result["fast"] = done | {"check": "the rim is not closed", "sampled": sampled}
    bars = {bar["what"]: bar["measured"] for bar in proofs.check_bars("it", row, result)}
    assert bars["complaints of check, fast"] == bars["wrong of 10 points, fast"] == 1


def test_what_is_not_done_in_time_is_said(proofs: Any) -> None:
    """In the figures and on the page."""
    result = proofs.measured("it", proofs.QUICK["overlay of two checkpoints"], 0.01)
    assert result["fast"] == {"reason": "not finished after 0.01 seconds"}
    report = {
        "rows": {"it": result},
        "limit": 0.01,
        "bars": list(proofs.check_bars("it", proofs.TRAINED, result)),
    }
    assert not any(bar["passed"] for bar in report["bars"])
    assert "| it | full |  | not finished after 0.01 seconds |" in proofs.to_markdown(report)
