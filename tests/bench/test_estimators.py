"""`make bench-estimators`, on its first network only."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parents[2] / "bench"


def test_counts_of_all_three_and_their_ratios(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCH / "estimators.py"), "--quick", "-o", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "bench-estimators.json").read_text(encoding="utf-8"))
    (workload,) = report["workloads"]
    assert workload["counts"] == workload["published_counts_hidden"]
    # bars are judged from the committed run, since machines that test are busy with other things
    assert workload["time_over_forward"] > 0 and len(workload["bars"]) == 2
    assert workload["name"] in (tmp_path / "bench-estimators.md").read_text(encoding="utf-8")
