"""`make bench-accelerator`, on small networks, with the CPU for a device."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

BENCH = Path(__file__).parents[2] / "bench" / "accelerator.py"


def test_the_same_cells_and_their_times(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCH), "--quick", "--device", "cpu", "-o", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "bench-accelerator.json").read_text(encoding="utf-8"))
    assert report["schema"] == "splineviz.bench-accelerator/1"
    assert all(
        found["same_patterns"] and found["undecided"] == {"cpu": 0, "device": 0}
        for found in report["arrangements"]
    )
    assert all(min(found["seconds"].values()) > 0 for found in report["arrangements"])
    assert all(min(found["points_a_second"].values()) > 0 for found in report["proxies"])
    page = (tmp_path / "bench-accelerator.md").read_text(encoding="utf-8")
    assert all(found["name"] in page for found in report["arrangements"] + report["proxies"])


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU on this machine")
def test_without_one_it_says_so() -> None:
    done = subprocess.run([sys.executable, str(BENCH)], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "torch sees no CUDA device here" in done.stderr
