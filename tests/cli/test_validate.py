"""`splineviz validate`: reports of every kind, checkpoints, shares, thresholds, and what is refused."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import splineviz as sv
from splineviz.errors import InputError

from .conftest import Result

Command = Callable[..., Result]

ASKED = (
    "--data",
    "data.npz",
    "--radii",
    "0.3",
    "--medians",
    "2",
    "--directions",
    "2,5",
    "--frames",
    "3",
    "--jobs",
    "1",
)


@pytest.fixture
def run(nets: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of checkpoints of nets:small."""
    monkeypatch.syspath_prepend(nets)
    module = importlib.import_module("nets")
    (nets / "run").mkdir()
    for step in (1, 10, 100):
        torch.manual_seed(step)
        net = module.small()
        for parameter in net.parameters():
            torch.nn.init.normal_(parameter)
        torch.save({"state_dict": net.state_dict(), "step": step}, nets / "run" / f"step-{step}.pt")
    return nets / "run"


@pytest.mark.parametrize("memory", [[], ["--max-memory", "64K"]])
def test_memory_is_that_of_the_request(
    memory: list[str], run: Path, splineviz: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(program: object, points: object, asked: object, folder: object, max_memory: int | None) -> None:
        raise InputError(f"{max_memory} bytes")

    monkeypatch.setattr("splineviz.validation.Validation", told)
    asked = splineviz("validate", "nets:small", *ASKED, *memory)
    assert asked.code == 4 and f"{65536 if memory else None} bytes" in asked.err


def test_every_output_of_one_run(run: Path, splineviz: Command) -> None:
    outputs = [
        part for name in ("a.html", "a.md", "a.json", "a.npz", "a.csv", "figures/") for part in ("-o", name)
    ]
    done = splineviz("validate", "run/step-*.pt", "--model", "nets:small", *ASKED, *outputs)
    assert done.code == 0, done.err
    study = sv.Study.load("a.npz")
    assert study.steps.tolist() == [1, 10, 100] and study.n_points == 10 and study.n_frames == 3
    page = Path("a.html").read_text()
    assert "<svg" in page or "data:image/png" in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "").replace(
        "https://doi.org", ""
    ).replace("https://arxiv.org", "")
    assert json.loads(Path("a.json").read_text())["schema"] == "splineviz.validate/1"
    assert len(Path("a.csv").read_text(encoding="utf-8").splitlines()) == 1 + 3 * 2 * 3 * 10
    assert json.loads(Path("a.csv.json").read_text(encoding="utf-8"))["model"] == "nets:small"
    assert list(Path("figures").iterdir()) and "Scope:" in done.out
    assert not list(Path().glob("*.jobs")), "jobs are kept no longer than until the report is written"


def test_json_and_one_model(nets: Path, splineviz: Command) -> None:
    done = splineviz("validate", "nets:small", *ASKED, "--json", "--quiet")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["schema"] == "splineviz.validate/1" and "NaN" not in done.out
    assert done.err == ""


def test_shares_then_the_report(run: Path, splineviz: Command) -> None:
    asked = ("validate", "run", "--model", "nets:small", *ASKED, "--work", "work")
    first = splineviz(*asked, "--shard", "1/2", "--json")
    assert json.loads(first.out) == {"schema": "splineviz.validate-shard/1", "done": 3, "jobs": 6}
    assert "6 of 6 jobs are done" in splineviz(*asked, "--shard", "2/2").out
    times = {path: path.stat().st_mtime_ns for path in Path("work").iterdir()}
    assert splineviz(*asked, "-o", "a.npz").code == 0
    assert times == {path: path.stat().st_mtime_ns for path in Path("work").iterdir()}
    assert splineviz("validate", "run", "--model", "nets:small", *ASKED, "-o", "b.npz").code == 0
    assert np.array_equal(sv.Study.load("a.npz").cells, sv.Study.load("b.npz").cells)


def test_a_threshold_that_fails_is_exit_code_6(nets: Path, splineviz: Command) -> None:
    done = splineviz("validate", "nets:small", *ASKED, "--fail-below", "tau=1.1", "-o", "a.json")
    assert done.code == 6 and "failed: tau is" in done.err and Path("a.json").is_file()
    assert splineviz("validate", "nets:small", *ASKED, "--fail-below", "found=0.01").code == 0


def test_neighbourhoods_left_out_are_exit_code_5(nets: Path, splineviz: Command) -> None:
    done = splineviz(
        "validate",
        "nets:small",
        *ASKED[:4],
        "--medians",
        "0",
        "--directions",
        "2",
        "--seconds",
        "1e-9",
        "-o",
        "a.html",
    )
    assert done.code == 5, done.err
    assert Path("a.html").is_file()


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (("-o", "a.txt"), 4, "cannot write a.txt: expected one of .html .md .json .npz .csv .parquet"),
        (("--shard", "1/2"), 4, "--shard needs --work"),
        (("--shard", "3/2", "--work", "w"), 2, "expected i/n with 1 <= i <= n"),
        (("--fail-below", "kappa=1"), 4, "unknown threshold kappa; known are tau"),
        (("--fail-below", "tau"), 2, "expected name=value"),
        (("--directions", "9"), 4, "9 orthonormal directions do not fit"),
        (("--model", "nets:small"), 4, "no checkpoint in 'nets:small'"),
    ],
)
def test_bad_input(nets: Path, splineviz: Command, change: tuple[str, ...], code: int, message: str) -> None:
    done = splineviz("validate", "nets:small", *ASKED, *change)
    assert done.code == code and message in done.err, done.err


def test_points_are_the_demos_for_the_demo_only(nets: Path, splineviz: Command) -> None:
    done = splineviz("validate", "nets:small", "--directions", "2")
    assert done.code == 2 and "say where to validate: --data FILE" in done.err


def test_checkpoints_that_cannot_be_read_are_left_out_and_those_that_do_not_fit_refused(
    run: Path, splineviz: Command
) -> None:
    asked = ("validate", "run", "--model", "nets:small", *ASKED)
    (run / "step-1000.pt").write_bytes((run / "step-1.pt").read_bytes()[:200])
    done = splineviz(*asked, "-o", "a.html")
    assert done.code == 0 and "note: left out: 'run/step-1000.pt' cannot be read" in done.err
    assert "step-1000" not in Path("a.html").read_text(encoding="utf-8")
    Path("a.html").unlink()
    net = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    torch.save({"state_dict": net.state_dict(), "step": 1000}, run / "step-1000.pt")
    done = splineviz(*asked, "-o", "a.html")
    assert done.code == 4 and "step-1000.pt" in done.err and "do not fit the network" in done.err
    assert not Path("a.html").exists()
