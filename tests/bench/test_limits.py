"""`make bench-limits`, on small networks."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "limits.py"


def test_memory_and_seconds_of_each_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row in a process of its own; what starts them is this one, which has torch already."""
    monkeypatch.syspath_prepend(str(BENCH.parent))
    files = ["a file, .geojson", "a file, .parquet", "a file, .npz", "a file, .svg"]
    rows = ["dense, 784-500x3-10", *files, "seconds: one layer of 20,000 units"]
    runpy.run_path(str(BENCH))["main"](["--quick", "--only", *rows, "-o", str(tmp_path)])
    report = json.loads((tmp_path / "bench-limits.json").read_text(encoding="utf-8"))
    assert report["schema"] == "splineviz.bench-limits/1" and list(report["rows"]) == rows
    memory, *written, seconds = report["rows"].values()
    assert all(0 <= row["peak"] < row["asked"] and row["cells"] == memory["cells"] for row in written)
    assert memory["result"] > 0 and 0 < memory["peak"] < memory["asked"] and memory["cells"] > 1
    assert seconds["asked_seconds"] <= seconds["arranged"] <= seconds["told"] < seconds["asked_seconds"] + 10
    page = (tmp_path / "bench-limits.md").read_text(encoding="utf-8")
    assert all(f"| {name.removeprefix('seconds: ')} |" in page for name in rows)
