"""`splineviz measure`: tables on stdout and in files, of a network and of a saved arrangement."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path

import pytest

from splineviz.deadline import check_time
from splineviz.measures.registry import measure
from splineviz_cli.commands import run


def test_a_network_is_arranged_and_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [tmp_path / f"regions{suffix}" for suffix in (".csv", ".json", ".parquet")]
    asked = ["measure", "demo", "--metric", "regions", "--quiet"]
    assert run([*asked, *(word for path in paths for word in ("-o", str(path)))]) == 0
    shown = capsys.readouterr().out
    assert "share            class 3  0.316" in shown
    assert "8,282 cells of demo" in shown
    with paths[0].open() as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "measure": "regions",
        "quantity": "regions",
        "of": "",
        "value": "3",
        "error": "0",
        "unit": "",
    }
    card = json.loads(paths[0].with_name("regions.csv.json").read_text())
    assert card["provenance"]["exact"]["certified"] is True
    whole = json.loads(paths[1].read_text())
    assert [row["value"] for row in whole["rows"]] == [float(row["value"]) for row in rows]
    parquet = pytest.importorskip("pyarrow.parquet").read_table(paths[2])
    assert parquet["value"].to_pylist() == [float(row["value"]) for row in rows]
    assert json.loads(parquet.schema.metadata[b"splineviz"])["schema"] == "splineviz.measure/1"


def test_a_saved_arrangement_needs_no_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = str(tmp_path / "cells.npz")
    assert run(["slice", "demo", "-o", saved, "--affine", "--quiet"]) == 0
    capsys.readouterr()
    assert run(["measure", saved, "--metric", "regions", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "splineviz.measure/1"
    first = found["measures"][0]["quantities"][0]
    assert (first["name"], first["value"]) == ("regions", 3)


def test_integrals_over_a_polygon(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--polygon", "0,0,3,0,0,3", "--truth", "3,5,8", "--target", "0," * 9 + "0", "--input-norms"]
    assert run(["measure", "demo", "--metric", "integrals", "--quiet", "--json", *asked]) == 0
    found = json.loads(capsys.readouterr().out)["measures"][0]["quantities"]
    told = {(row["name"], row["of"]): row["value"] for row in found}
    assert told["area", ""] == pytest.approx(4.5, abs=1e-12)
    assert told["accuracy", ""] == pytest.approx(told["share", "class 3"], abs=1e-9)
    assert told["mean squared error", "output 3"] > 0
    assert told["mean Lipschitz constant", "input space"] > told["mean Lipschitz constant", "the slice"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["cells.npz", "--points", "1,2,3"], 2, "so --points has nothing to choose"),
        (["cells.npz"], 4, "no such file"),
        (["demo", "--metric", "nonsense"], 2, "nonsense"),
        (["demo", "--sigma", "1"], 2, "--centre and --sigma go together"),
        (["demo", "--polygon", "0,0,1"], 2, "two numbers for each corner, got 3"),
        (["demo", "--metric", "integrals", "--truth", "10"], 4, "truth, a class, must be in 0 .. 9, got 10"),
        (["demo", "-o", "table.xlsx"], 4, "unknown suffix '.xlsx'"),
    ],
)
def test_bad_requests(arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["measure", *arguments]) == code
    assert said in capsys.readouterr().err


def test_grids_of_chosen_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["measure", "demo", "--metric", "grids", "--grids", "20,40", "--quiet", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["measures"][0]["quantities"]
    told = {(row["name"], row["of"]): row["value"] for row in found}
    assert 1 > told["missed cells", "20 x 20 points"] > told["missed cells", "40 x 40 points"] > 0
    assert ("cells", "50 x 50 points") not in told


def test_thickness_at_chosen_margins(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["measure", "demo", "--metric", "thickness", "--margins", "0.5,2", "--quiet", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["measures"][0]["quantities"]
    told = {(row["name"], row["of"]): row for row in found}
    assert 0 < told["area", "margin below 0.5"]["value"] < told["area", "margin below 2"]["value"]
    assert told["area", "margin below 2"]["error"] < 1e-5


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("saved") / "cells.npz")
    assert run(["slice", "demo", "--stage", "2", "-o", path, "--affine", "--max-cells", "50", "--quiet"]) == 5
    return path


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            ["--metric", "regions", "--truth", "0"],
            "--truth is for --metric integrals; regions does not read it",
        ),
        (["--metric", "graph", "--metric", "folds", "--tolerance", "1"], "; graph, folds does not read it"),
        (["--metric", "folds", "--level", "0"], "--level is for --metric regions, boundary,"),
        (["--metric", "topology", "--centre", "0,0", "--sigma", "1"], "--centre is for --metric integrals"),
        (["--jobs", "2"], "so --jobs has nothing to choose"),
        (["--device", "cpu"], "so --device has nothing to choose"),
        (["--logits"], "so --logits has nothing to choose"),
        (["--max-cells", "2"], "so --max-cells has nothing to choose"),
    ],
)
def test_options_that_nothing_heeds(
    asked: list[str], said: str, saved: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["measure", saved, *asked]) == 2
    assert said in capsys.readouterr().err


def test_each_of_several_measures_reads_its_own(saved: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--metric", "regions", "--metric", "integrals", "--truth", "3", "--json", "--quiet"]
    assert run(["measure", saved, *asked]) == 5, "the cells are a part"
    assert len(json.loads(capsys.readouterr().out)["measures"]) == 2


def test_measures_that_are_not_done_in_time_are_left_out(
    saved: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def spent(arr: object, name: str, request: object) -> object:
        if name == "integrals":
            time.sleep(1.1)  # a second is given at least
            check_time()
        return measure(arr, name, request)  # type: ignore[arg-type]

    monkeypatch.setattr("splineviz_cli.measure_job.measure", spent)
    asked = ["measure", saved, "--metric", "regions", "--metric", "integrals", "--seconds", "0.1", "--json"]
    assert run(asked) == 5
    out, err = capsys.readouterr()
    assert [one["measure"] for one in json.loads(out)["measures"]] == ["regions"]
    assert "note: time was up before integrals was measured: it is left out" in err
    assert run(["measure", saved, "--metric", "integrals", "--seconds", "0.1"]) == 4
    assert "more --seconds" in capsys.readouterr().err
