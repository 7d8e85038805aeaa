"""`splineviz lines`: tables on stdout and in files, and bad requests."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch

import splineviz as sv
from splineviz_cli.commands import run

NETS = """
from torch import nn

def make():
    return nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 3))
"""
BOX = ["--box", "-1,1,-1,1"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three checkpoints, 40 points, and the factory of the network."""
    (tmp_path / "nets_of_lines.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for step in (0, 10, 200):
        torch.manual_seed(step)
        net = torch.nn.Sequential(torch.nn.Linear(2, 6), torch.nn.ReLU(), torch.nn.Linear(6, 3))
        torch.save(net.state_dict(), f"step-{step}.pt")
    np.savez("data.npz", x=np.random.default_rng(0).uniform(-1.2, 1.2, (40, 2)))
    return tmp_path


def test_tables_hold_what_python_tells(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["lines", "step-*.pt", "--model", "nets_of_lines:make", "--data", "data.npz", *BOX, "-q"]
    files = ["-o", "a.csv", "-o", "a.json", "--units", "units.csv", "--permutations", "99"]
    assert run([*asked, *files]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split()[:4] == ["step", "stage", "units", "length"]
    assert "3 checkpoints of nets_of_lines:make" in shown[7] and "of 40 points in the window" in shown[7]
    model = torch.nn.Sequential(torch.nn.Linear(2, 6), torch.nn.ReLU(), torch.nn.Linear(6, 3))
    found = sv.lines_over_training(
        sv.Checkpoints(model, "step-*.pt"),
        sv.Plane.identity(),
        sv.Window.box(-1, 1, -1, 1),
        np.load("data.npz")["x"],
        permutations=99,
    )
    with open("a.csv") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["value"]) for row in rows] == [q.value for q in found.quantities]
    assert rows[0]["of"] == "step 0, stage 0" and rows[0]["measure"] == "lines"
    card = json.loads(Path("a.json").read_text())
    assert card["schema"] == "splineviz.lines/1" and len(card["provenance"]["checkpoints"]) == 3
    with open("units.csv") as file:
        units = list(csv.DictReader(file))
    assert len(units) == 18 and units[0]["moved"] == "" and units[0]["appears"] == "no"
    assert [float(row["length"]) for row in units] == found.lengths.ravel().tolist()


def test_json_on_stdout(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lines", ".", "--model", "nets_of_lines:make", *BOX, "--json", "-q"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "splineviz.lines/1" and found["points"] == 0
    assert found["quantities"][0]["name"] == "units with a line"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["step-*.pt"], 2, "say where to look"),
        (["step-10.pt", *BOX], 4, "at least two checkpoints, got 1"),
        (["nothing-*.pt", *BOX], 4, "no checkpoint in 'nothing-*.pt'"),
        (["step-*.pt", "--points", "0,1,2"], 2, "--points are indices into --data FILE"),
        (["step-*.pt", "--data", "data.npz", "--box", "7,8,7,8"], 4, "a larger --margin or --box"),
        (["step-*.pt", *BOX, "-o", "a.xlsx"], 4, "unknown suffix '.xlsx'"),
        (["step-*.pt", *BOX, "-o", "a.csv", "--units", "a.csv"], 2, "the same -o is given twice"),
        (["step-*.pt", *BOX, "--shifts", "0"], 2, "--shifts"),
    ],
)
def test_bad_requests(
    folder: Path, arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["lines", *arguments, "--model", "nets_of_lines:make", "-q"]) == code
    assert said in capsys.readouterr().err
