"""`splineviz animate`: what it writes, what it says, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from splineviz.errors import InputError

from .conftest import Result

Command = Callable[..., Result]

WHERE = ("--model", "nets:small", "--data", "data.npz", "--points", "0,1,2", "--quiet", "--jobs", 1)


@pytest.fixture
def run(nets: Path) -> Path:
    """Three checkpoints of nets:small."""
    folder = nets / "run"
    folder.mkdir()
    for step in (0, 5, 20):
        torch.manual_seed(step)
        net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))
        content = {"state_dict": net.state_dict(), "step": step, "metrics": {"test_accuracy": step / 20}}
        torch.save(content, folder / f"step-{step}.pt")
    return folder


def test_a_movie_frames_and_json(run: Path, splineviz: Command) -> None:
    result = splineviz("animate", "run/step-*.pt", *WHERE, "-o", "a.webp", "-o", "frames/%03d.svg", "--json")
    assert result.code == 0, result.err
    report = json.loads(result.out)
    assert (
        report["schema"] == "splineviz.animate/1"
        and report["computed"] == 3
        and report["files"] == ["a.webp", "frames/%03d.svg"]
    )
    assert [row["step"] for row in report["checkpoints"]] == [0, 5, 20]
    assert [row["test_accuracy"] for row in report["checkpoints"]] == [0, 0.25, 1]
    assert all(
        row["error"] is None and row["cells"] >= 1 and row["exact"] >= row["proxy"]
        for row in report["checkpoints"]
    )
    assert sorted(path.name for path in Path("frames").glob("*.svg")) == ["000.svg", "001.svg", "002.svg"]
    with Image.open("a.webp") as image:
        assert image.n_frames == 3 and image.width == 605
    again = splineviz("animate", "run", *WHERE, "-o", "a.webp", "--color", "class", "--width", 4)
    assert again.code == 0 and "0 of 3 arrangements computed" in again.out
    assert again.out.splitlines()[0].split() == ["step", "cells", "exact", "proxy", "test", "accuracy"]
    with Image.open("a.webp") as image:
        assert image.width == 440


def test_the_averaged_weights(run: Path, splineviz: Command) -> None:
    for path in run.iterdir():
        content = torch.load(path, weights_only=True)
        average = {name: 2 * value for name, value in content["state_dict"].items()}
        torch.save(content | {"ema": average}, path)
    reports = [
        json.loads(splineviz("animate", "run", *WHERE, "-o", "a.webp", "--json", "--radius", 1, *more).out)[
            "checkpoints"
        ]
        for more in (("--weights-key", "state_dict"), ("--weights-key", "ema"))
    ]
    assert [row["exact"] for row in reports[0]] != [row["exact"] for row in reports[1]]
    unsaid = splineviz("animate", "run", *WHERE, "-o", "a.webp")
    assert unsaid.code == 4 and "differ: state_dict, ema\n  try: --weights-key state_dict" in unsaid.err


def test_files_that_are_no_checkpoints_are_named(run: Path, splineviz: Command) -> None:
    (run / "step-7.pt").write_bytes((run / "step-5.pt").read_bytes()[:900])
    (run / "last.ckpt").write_bytes((run / "step-20.pt").read_bytes())
    where = [word for word in WHERE if word != "--quiet"]
    result = splineviz("animate", "run", *where, "-o", "a.webp", "--json")
    assert result.code == 0, result.err
    report = json.loads(result.out)
    assert [row["step"] for row in report["checkpoints"]] == [0, 5, 20]
    assert report["left_out"].keys() == {"run/step-7.pt", "run/last.ckpt"}
    assert "left out: 'run/step-7.pt' cannot be read as a torch file" in result.err
    assert "left out: 'run/last.ckpt' holds the weights of 'run/step-20.pt'" in result.err


def test_local_complexity_at_more_points(run: Path, splineviz: Command) -> None:
    report = json.loads(
        splineviz("animate", "run", *WHERE, "-o", "a.webp", "--json", "--radius", 1, "--lc-points", 7).out
    )
    sums = np.array([7 * row["exact"] for row in report["checkpoints"]])
    np.testing.assert_allclose(sums, sums.round(), atol=1e-9)
    three = json.loads(splineviz("animate", "run", *WHERE, "-o", "a.webp", "--json", "--radius", 1).out)
    assert [row["exact"] for row in report["checkpoints"]] != [row["exact"] for row in three["checkpoints"]]


def test_a_network_with_two_inputs_has_no_anchors(nets: Path, splineviz: Command) -> None:
    torch.manual_seed(3)
    torch.save(nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1)).state_dict(), "step-3.pt")
    result = splineviz(
        "animate",
        "step-*.pt",
        "--model",
        "nets:plane",
        "--box=-2,2,-2,2",
        "-o",
        "a.gif",
        "--json",
        "--jobs",
        1,
    )
    assert result.code == 0, result.err
    (row,) = json.loads(result.out)["checkpoints"]
    assert row["cells"] > 1 and "exact" not in row


def test_broken_and_incomplete_checkpoints_end_with_5(run: Path, splineviz: Command) -> None:
    content = torch.load("run/step-5.pt", weights_only=True)
    content["state_dict"]["0.weight"][0, 0] = np.inf
    torch.save(content, "run/step-5.pt")
    where = [word for word in WHERE if word != "--quiet"]
    result = splineviz("animate", "run", *where, "-o", "a.webp", "--json")
    assert result.code == 5 and Path("a.webp").exists()
    assert "step 5 is marked" in result.err and "NaN or infinite weights: 0.weight" in result.err
    rows = json.loads(result.out)["checkpoints"]
    assert rows[1]["cells"] is None and "0.weight" in rows[1]["error"]
    Path("run/step-5.pt").unlink()
    assert splineviz("animate", "run", *WHERE, "-o", "a.webp", "--max-cells", 2).code == 5


@pytest.mark.parametrize("memory", [[], ["--max-memory", "64K"]])
def test_memory_is_that_of_the_request(
    memory: list[str], run: Path, splineviz: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(*_: object, max_memory: int | None, **how: object) -> None:
        raise InputError(f"{max_memory} bytes")

    monkeypatch.setattr("splineviz.animation.animate", told)
    asked = splineviz("animate", "run", *WHERE, "-o", "a.webp", *memory)
    assert asked.code == 4 and f"{65536 if memory else None} bytes" in asked.err


def test_following_until_nothing_comes(
    run: Path, splineviz: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("splineviz.animation.settled._SETTLED", 0.0)
    result = splineviz("animate", "run", *WHERE, "-o", "a.webp", "--follow", "--idle", 0.1)
    assert result.code == 0 and "3 of 3 arrangements computed" in result.out
    assert splineviz("animate", "none", *WHERE, "-o", "b.webp", "--follow", "--idle", 0.1).code == 5


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("run", "--model", "nets:small", "-o", "a.webp"), 2, "say where to look"),
        (("run", "--model", "nets:small", "--data", "data.npz", "-o", "a.webp"), 2, "say which of the data"),
        (
            ("run", "--model", "nets:small", "--points", "0,1,2", "-o", "a.webp"),
            2,
            "indices into --data FILE",
        ),
        (
            ("run", "--model", "nets:plane", "--box=0,1,0,1", "--lc-points", 3, "-o", "a.webp"),
            2,
            "which is missing",
        ),
        (("run", *WHERE, "-o", "a.webp", "--idle", 3), 2, "--idle belongs to --follow"),
        (("run", *WHERE), 2, "Missing option '-o'"),
        (("nothing", *WHERE, "-o", "a.webp"), 4, "no checkpoint in 'nothing'"),
        (("run", *WHERE, "-o", "a.tiff"), 4, "unknown suffix '.tiff'"),
        (
            ("run", *WHERE, "-o", "a.webp", "--weights-key", "mean"),
            4,
            "holds nothing under the key 'mean'; it has state_dict, step, metrics",
        ),
        (("run", "--model", "nets:plane", "--box=0,1,0,1", "-o", "a.webp"), 4, "wrong shape: 0.weight"),
    ],
)
def test_bad_input(
    run: Path, splineviz: Command, arguments: tuple[object, ...], code: int, words: str
) -> None:
    result = splineviz("animate", *arguments)
    assert result.code == code and words in result.err
    assert not Path("a.webp").exists()
