"""`splineviz slice --only boundary`: outputs, report, refusals."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import splineviz as sv

from .conftest import Result

Command = Callable[..., Result]


def test_the_demo_in_every_format(splineviz: Command, tmp_path: Path) -> None:
    paths = [
        tmp_path / f"b{suffix}" for suffix in (".png", ".svg", ".pdf", ".csv", ".json", ".geojson", ".npz")
    ]
    outputs = [word for path in paths for word in ("-o", path)]
    (code, out, err) = splineviz("slice", "demo", "--only", "boundary", "--json", "--quiet", *outputs)
    assert code == 0, err
    told = json.loads(out)
    arr = sv.slice("demo", sv.demo.load_points())
    wanted = arr.decision_boundary()
    assert told["schema"] == "splineviz.boundary/1"
    assert told["segments"] == len(wanted)
    assert told["exact"]["certified"] is True
    assert told["cells"] < arr.n_cells / 4
    assert all(path.stat().st_size for path in paths)
    with np.load(tmp_path / "b.npz") as stored:
        segments, classes = stored["segments"], stored["classes"]
    assert np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1).sum() == pytest.approx(told["length"])
    read = json.loads((tmp_path / "b.json").read_text())
    assert read["segments"] == segments.tolist()
    assert read["classes"] == classes.tolist()
    rows = list(csv.DictReader((tmp_path / "b.csv").open()))
    assert [[float(row[name]) for name in ("u0", "v0", "u1", "v1")] for row in rows] == segments.reshape(
        -1, 4
    ).tolist()
    assert json.loads((tmp_path / "b.csv.json").read_text())["segments"] == len(rows)
    lines = json.loads((tmp_path / "b.geojson").read_text())["features"]
    assert [line["geometry"]["coordinates"] for line in lines] == segments.tolist()


def test_the_table_tells_segments_and_faces_left_out(splineviz: Command) -> None:
    (code, out, err) = splineviz("slice", "demo", "--only", "boundary", "--quiet")
    assert code == 0, err
    assert "segments" in out
    assert "faces left out" in out
    assert "complete: every segment in the window is there" in out


def test_a_budget_that_ends_is_told_and_ends_with_5(splineviz: Command) -> None:
    (code, out, _) = splineviz("slice", "demo", "--only", "boundary", "--max-cells", 3, "--json", "--quiet")
    assert code == 5
    told = json.loads(out)
    assert told["status"] == "incomplete"
    assert told["exact"]["certified"] is False


@pytest.mark.parametrize("name", ["b.html", "b.parquet", "b/"])
def test_files_of_cells_are_refused(splineviz: Command, tmp_path: Path, name: str) -> None:
    (code, _, err) = splineviz("slice", "demo", "--only", "boundary", "-o", f"{tmp_path}/{name}")
    assert code == 4
    assert (
        "cannot hold a boundary alone, expected one of .png, .svg, .pdf, .csv, .json, .geojson, .npz" in err
    )


@pytest.mark.parametrize(
    "words",
    [
        ("--color", "class"),
        ("--edges", "none"),
        ("--stage", 0),
        ("--affine",),
        ("--count",),
        ("--estimate",),
        ("--no-boundary",),
    ],
)
def test_options_about_cells_are_refused(splineviz: Command, words: tuple[object, ...]) -> None:
    (code, _, err) = splineviz("slice", "demo", "--only", "boundary", *words)
    assert code == 2
    assert f"--only boundary finds no cells, so {words[0]} has nothing to do" in err


def test_a_level_is_for_one_output(splineviz: Command) -> None:
    (code, _, err) = splineviz("slice", "demo", "--only", "boundary", "--level", 1)
    assert code == 4
    assert "a level belongs to a network with one output" in err
    (code, out, err) = splineviz(
        "slice", "demo", "--only", "boundary", "--output-index", 3, "--level", 1, "--json", "--quiet"
    )
    assert code == 0, err
    assert json.loads(out)["level"] == 1.0
