"""`make bench`, on a network so small that it takes seconds."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

import splineviz as sv

BENCH = Path(__file__).parents[2] / "bench"
NETWORK = "5-8-8-3"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bench")
    command = [sys.executable, str(BENCH / "run.py"), "--networks", NETWORK, "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def report(folder: Path) -> dict[str, Any]:
    loaded = json.loads((folder / "bench.json").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def test_schema(report: dict[str, Any]) -> None:
    assert report["schema"] == "splineviz.bench/1"
    sections = {"workloads", "small", "scaling", "roofline", "pictures", "cold_start", "boundaries"}
    assert set(report) == {"schema", "machine", "bars"} | sections
    assert {"cpu", "cores", "versions", "threads"} <= set(report["machine"])
    (workload,) = report["workloads"]
    assert (workload["name"], workload["widths"]) == (NETWORK, [5, 8, 8, 3])
    ours = workload["splineviz"]
    assert ours["seconds"]["repetitions"] >= 5
    assert 0 < ours["seconds"]["min"] <= ours["seconds"]["median"]
    for forward in (ours["forward"], ours["forward_batched"], ours["uncertified"]):
        assert forward["ratio"] == pytest.approx(ours["seconds"]["median"] / forward["seconds"]["median"])
        assert forward["ratio_pairwise"] > 0
    assert 0 < ours["affine_share"] < 1
    assert ours["memory"]["last_hidden_bytes"] == 8 * 8 * ours["vertices"]
    assert ours["seconds_affine_maps"]["median"] > 0
    assert ours["seconds_linear_regions"]["median"] > 0


def test_the_arrangement_is_whole(report: dict[str, Any]) -> None:
    ours = report["workloads"][0]["splineviz"]
    assert ours["vertices"] - ours["edges"] + ours["cells"] == 1
    assert ours["cells"] == ours["cells_per_stage"][-1] > 8
    assert ours["linear_regions"] <= ours["cells"]
    assert ours["undecided"] == 0 and ours["certified"]


def test_patterns_are_those_of_the_network(report: dict[str, Any]) -> None:
    ours = report["workloads"][0]["splineviz"]
    assert ours["patterns"]["distinct"] == ours["cells"]
    assert ours["patterns"]["not_met_at_own_points"] == 0


def test_patterns_agree_with_regioncam(report: dict[str, Any]) -> None:
    if importlib.util.find_spec("regioncam") is None:
        assert "not installed" in report["workloads"][0]["regioncam"]["reason"]
        pytest.skip("regioncam is not installed (pip install -e '.[bench]')")
    patterns = report["workloads"][0]["splineviz"]["patterns"]["regioncam"]
    assert (patterns["only_splineviz"], patterns["only_regioncam"]) == (0, 0)
    assert patterns["distinct"] == report["workloads"][0]["regioncam"]["cells"]


def test_page_shows_what_was_measured(folder: Path, report: dict[str, Any]) -> None:
    page = (folder / "bench.md").read_text(encoding="utf-8")
    assert f"| {NETWORK} | {report['workloads'][0]['splineviz']['cells']} |" in page
    tables = [block.splitlines() for block in page.split("\n\n") if block.startswith("|")]
    assert len(tables) >= 4
    for lines in tables:
        assert len({line.count("|") for line in lines}) == 1


def test_bars(report: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    from bars import check_bars
    from workloads import Workload

    ours = report["workloads"][0]["splineviz"] | {"seconds": {"median": 2.0}}
    ratios = dict.fromkeys(("affine_maps", "jacobian_norms", "decision_boundary", "save"), 0.2)
    looks = {
        "ratios": ratios | {"linear_regions": 0.1},
        "seconds": {"locate": {"median": 0.3}, "distance": {"median": 1.9}},
        "points": 100_000,
        "cells": 10,
        "file_bytes": 599,
    }
    theirs = {"cells": 9, "seconds": {"median": 13.0}}
    result = {"name": NETWORK, "splineviz": ours, "regioncam": theirs, "second_looks": looks}
    pictures = [
        {"name": "x", "cells": 200_000, "seconds": {"first": 1.9, "norm": 2.1}},
        {"name": "y", "cells": 1_500_000, "seconds": {"first": 9.5, "norm": 8.5}},
    ]
    cold = {"help": {"median": 0.2}, "demo": {"median": 8.5}, "demo_first_time": {"median": 14.0}}

    def verdicts(workload: Workload, result: dict[str, Any]) -> dict[str, bool | None]:
        return {bar["what"]: bar["passed"] for bar in check_bars([workload], [result], pictures, cold)}

    reached = verdicts(Workload(NETWORK, (5, 8, 8, 3), cells=ours["cells"], speedup=6.5), result)
    assert reached["cells"] is True
    assert reached["times faster than regioncam"] is True
    assert reached["splineviz slice demo in a new process, seconds"] is False
    assert reached["splineviz slice demo the very first time, seconds"] is True
    assert reached["linear regions, over arranging"] is True
    assert reached["decision boundary, over arranging"] is False
    assert reached["locate, microseconds a point"] is False
    drawn = [
        reached[f"PNG of {n} cells, {how}, processor seconds"]
        for n in ("100,000", "1,000,000")
        for how in ("first", "norm")
    ]
    assert drawn == [True, False, False, True]
    assert reached["distance, microseconds a point"] is True
    assert reached["saved, bytes a cell"] is True
    assert (
        verdicts(Workload(NETWORK, (5, 8, 8, 3), speedup=6.6), result)["times faster than regioncam"] is False
    )
    absent = verdicts(
        Workload(NETWORK, (5, 8, 8, 3), speedup=1.0), result | {"regioncam": {"reason": "not installed"}}
    )
    assert absent["times faster than regioncam"] is None


def test_second_looks_are_taken_of_the_whole_slice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    from second_looks import looks
    from workloads import Workload, make_network, make_slice

    workload = Workload(NETWORK, (5, 8, 8, 3))
    network, plane, window = make_slice(workload)
    arr = sv.arrange(sv.load_program(network), plane, window)
    folded = sv.arrange(
        sv.load_program(make_network(workload)), sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1)
    )
    assert arr.n_cells == folded.n_cells
    found = {name: look() for name, look in looks(arr, str(tmp_path)).items()}
    assert found["jacobian_norms"].shape == (arr.n_cells,) and (found["locate"] >= -1).all()
    assert (tmp_path / "cells.npz").exists() and (tmp_path / "cells.png").exists()


def test_pictures_are_drawn_in_every_style(
    report: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    from pictures import STYLES, drawn
    from table import to_markdown

    model = nn.Sequential(nn.Linear(2, 9), nn.ReLU(), nn.Linear(9, 3))
    arr = sv.arrange(sv.load_program(model), sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1))
    found = drawn(arr, tmp_path / "x.png")
    assert found["cells"] == arr.n_cells and found["peak_bytes"] >= 0
    assert set(found["seconds"]) == set(STYLES) and min(found["seconds"].values()) > 0
    page = to_markdown(report | {"pictures": [{"name": "x"} | found]})
    assert f"| PNG of {arr.n_cells} cells, the first, with its decision boundary |" in page


def test_small_networks_and_roofline(report: dict[str, Any]) -> None:
    small = report["small"]
    assert small["ratio_each"] == pytest.approx(small["each"]["median"] / small["forward"]["median"])
    assert small["cells"] > small["networks"] > 1
    roofline = report["roofline"]
    assert min(roofline["machine"].values()) > 0
    assert roofline["phases"]["products"]["operations"] > 0
    assert all(phase["bytes"] > 0 and phase["seconds"] > 0 for phase in roofline["phases"].values())


def test_bytes_are_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    from roofline import bytes_of

    row = np.zeros(5)
    assert bytes_of([row, (row, np.zeros((2, 3), np.int32)), "no array"]) == 40 + 24


def test_phases_add_up_to_all_processor_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    from scaling import amdahl, measured
    from workloads import Workload, make_network

    program = sv.load_program(make_network(Workload(NETWORK, (5, 30, 30, 3))))
    plane, window = sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1)
    found = measured(lambda jobs: sv.arrange(program, plane, window, jobs=jobs, max_memory=1 << 18), 1)
    assert found["batches"] > 1
    for run in found["workers"].values():
        assert sum(run["phases"].values()) == pytest.approx(run["processor"]["median"])
        assert {"first stages", "excerpts", "batches", "joins", "last joins", "result"} <= set(run["phases"])
        assert min(run["phases"].values()) >= 0
    assert 0 < found["serial_share"] < 1
    assert amdahl(0.0, 16) == 16 and amdahl(1.0, 16) == 1
    assert found["expected"]["16"] == pytest.approx(amdahl(found["serial_share"], 16))
