"""`make bench-networks`, on networks so small that it takes seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bench")
    done = subprocess.run(
        [sys.executable, str(BENCH / "networks.py"), "--quick", "-o", str(out)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def found(folder: Path) -> dict[str, Any]:
    report = json.loads((folder / "bench-networks.json").read_text(encoding="utf-8"))
    assert report["schema"] == "splineviz.bench-networks/1"
    assert {"cpu", "cores", "versions", "load_before"} <= set(report["machine"])
    assert report["bars"] == []
    return {name: result["found"] for name, result in report["results"].items()}


def test_everything_is_measured(found: dict[str, Any]) -> None:
    assert set(found) == {"residual", "convolutional", "wide", "wide_counted", "growth", "workers"}
    for name in ("residual", "convolutional", "wide"):
        facts = found[name]
        assert facts["vertices"] - facts["edges"] + facts["cells"] == 1
        assert facts["status"] == "COMPLETE"
        assert facts["forward"]["ratio"] == pytest.approx(facts["seconds"] / facts["forward"]["seconds"])
        assert 0 < facts["forward"]["vertices_run"] <= facts["vertices"]


def test_the_window_is_found(found: dict[str, Any]) -> None:
    facts = found["residual"]
    assert facts["cells"] >= 200
    halves = [half for half, _ in facts["tried"]]
    assert all(b == 2 * a for a, b in pairwise(halves))
    assert facts["checkpoint"] is False


def test_counts_agree(found: dict[str, Any]) -> None:
    assert found["wide"]["cells"] == found["wide_counted"]["cells"]
    assert found["wide"]["undecided"] == found["wide_counted"]["undecided"] == 0


def test_growth(found: dict[str, Any]) -> None:
    cells = [step["cells"] for step in found["growth"]["steps"]]
    assert cells == sorted(cells) and cells[-1] > cells[0]
    assert all(step["seconds"] > 0 for step in found["growth"]["steps"])
    assert -5 < found["growth"]["exponent"] < 5


def test_workers(found: dict[str, Any]) -> None:
    facts = found["workers"]
    assert facts["speedup"] == pytest.approx(facts["seconds_one"] / facts["seconds_two"])


def test_page(folder: Path, found: dict[str, Any]) -> None:
    page = (folder / "bench-networks.md").read_text(encoding="utf-8")
    assert f"| ResNet-20 | {found['residual']['units']:,} | {found['residual']['cells']:,} |" in page
    tables = [block.splitlines() for block in page.split("\n\n") if block.startswith("|")]
    assert len(tables) == 3
    for lines in tables:
        assert len({line.count("|") for line in lines}) == 1


def test_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    from networks import check_bars

    facts = {"cells": 99_999, "forward": {"ratio": 0.9}}
    growth = {"steps": [{"cells": 6_000_000}], "exponent": 1.06}
    results = {
        name: {"found": found}
        for name, found in (("residual", facts), ("growth", growth), ("workers", {"speedup": 1.5}))
    }
    assert [bar["passed"] for bar in check_bars(results)] == [False, True, True, False, True]
