"""`make bench-page`, on a small page."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.chromium import NAMES

BENCH = Path(__file__).parents[2] / "bench" / "page.py"


@pytest.mark.skipif(
    not any(map(shutil.which, NAMES)), reason="there is no Chromium: apt-get install chromium"
)
def test_bytes_seconds_and_frames(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCH), "--quick", "-o", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "bench-page.json").read_text(encoding="utf-8"))
    (page,) = report["pages"]
    assert 500 < page["cells"] < 2000
    assert 20 < page["bytes_a_vertex"] < 45
    assert all(
        page[key] > 0 for key in ("seconds_to_write", "seconds_to_open", "frames_panning", "frames_turning")
    )
    assert f"{page['cells']:,}" in (tmp_path / "bench-page.md").read_text(encoding="utf-8")
