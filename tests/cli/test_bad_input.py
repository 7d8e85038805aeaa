"""Every kind of bad input: its exit code, one clear message, and nothing written."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from .conftest import Result

Command = Callable[..., Result]

DATA = ("--data", "data.npz")
USAGE = {
    "no data": ("nets:small", "--points", "0,1,2"),
    "nothing to look at": ("nets:small",),
    "no points": ("nets:small", *DATA),
    "two points": ("nets:small", *DATA, "--points", "0,1"),
    "points and at": ("nets:small", *DATA, "--points", "0,1,2", "--at", 1, "--radius", 1),
    "radius without at": ("nets:small", *DATA, "--points", "0,1,2", "--radius", 1),
    "unknown color": ("demo", "--color", "mauve"),
    "box of three": ("nets:plane", "--box", "0,1,0"),
    "same output twice": ("demo", "-o", "x.png", "-o", "./x.png"),
    "unknown option": ("demo", "--nonsense"),
}
BAD = {
    "unknown suffix": (("demo", "-o", "x.bmp"), "unknown suffix '.bmp'"),
    "no suffix": (("demo", "-o", "x"), "expected one of .png, .svg, .pdf, .html, .npz, .geojson"),
    "missing folder": (("demo", "-o", "nowhere/x.png"), "the folder nowhere does not exist"),
    "output is a folder": (("demo", "-o", "folder.png"), "it is a folder"),
    "no such model file": (("nets:nothing", *DATA, "--points", "0,1,2"), "nets:nothing"),
    "no such module": (("nonets:small", *DATA, "--points", "0,1,2"), "nonets"),
    "missing data": (("nets:small", "--data", "gone.npz", "--points", "0,1,2"), "no such file: 'gone.npz'"),
    "data of another kind": (
        ("nets:small", "--data", "nets.py", "--points", "0,1,2"),
        "expected a file .npy, .npz, .pt",
    ),
    "unreadable data": (
        ("nets:small", "--data", "garbage.npz", "--points", "0,1,2"),
        "cannot read garbage.npz",
    ),
    "wrong key": (("nets:small", *DATA, "--key", "z", "--points", "0,1,2"), "it has x, y"),
    "index outside": (("nets:small", *DATA, "--points", "0,1,10"), "there is no 10"),
    "at outside": (("nets:small", *DATA, "--at", "99", "--radius", "1"), "there is no 99"),
    "equal points": (("nets:small", *DATA, "--points", "0,1,1"), "are equal"),
    "collinear points": (("nets:small", "--data", "line.npy", "--points", "0,1,2"), "lie on one line"),
    "NaN in a point": (("nets:small", "--data", "nan.npy", "--points", "0,1,2"), "NaN or infinite"),
    "wrong shape": (
        ("nets:small", "--data", "wide.npy", "--points", "0,1,2"),
        "the network takes (6,), 6 values",
    ),
    "flat file": (("nets:small", "--data", "a.npy", "--points", "0,1,2"), "must hold an array of points"),
    "text": (("nets:small", "--data", "text.npy", "--points", "0,1,2"), "must hold real numbers"),
    "labels that are no numbers": (
        ("nets:small", *DATA, "--labels", "halves.npz", "--points", "0,1,2"),
        "must be class numbers",
    ),
    "objects": (
        ("nets:small", "--data", "junk.npy", "--points", "0,1,2"),
        "it is damaged, or holds Python objects",
    ),
    "output that is no tensor": (
        ("nets:Pair", "--data", "row.npy", "--points", "0,1,2"),
        "must return one tensor, got tuple",
    ),
    "labels of another length": (
        ("nets:small", *DATA, "--labels", "a.npy", "--points", "0,1,2"),
        "labels must have shape (10,)",
    ),
    "radius 0": (("nets:small", *DATA, "--at", "0", "--radius", "0"), "radius must be a number > 0"),
    "negative margin": (
        ("nets:small", *DATA, "--points", "0,1,2", "--margin", "-1"),
        "margin must be a number >= 0",
    ),
    "empty window": (("nets:plane", "--box", "1,1,0,2"), "the window is empty"),
    "box without plane": (("nets:small", "--box", "0,1,0,1"), "dimension 6"),
    "std 0": (("nets:small", *DATA, "--points", "0,1,2", "--std", "0"), "--std must be greater than 0"),
    "mean per channel": (("nets:small", *DATA, "--points", "0,1,2", "--mean", "1,2"), "one per channel"),
    "transform": (
        ("nets:small", *DATA, "--points", "0,1,2", "--transform", "nets:gone"),
        "cannot import --transform",
    ),
    "failing transform": (
        ("nets:small", *DATA, "--points", "0,1,2", "--transform", "torch:zeros"),
        "--transform failed",
    ),
    "image shape": (
        ("nets:small", *DATA, "--points", "0,1,2", "--image-shape", "2,2", "-o", "x.png"),
        "does not fit points",
    ),
    "valid range": (
        ("nets:small", *DATA, "--points", "0,1,2", "--valid-range", "1,0", "-o", "x.png"),
        "low < high",
    ),
    "no such output": (
        ("nets:small", *DATA, "--points", "0,1,2", "--output-index", "3"),
        "different outputs from 0 to 2",
    ),
    "no choice": (
        ("nets:small", *DATA, "--points", "0,1,2", "--output-index", "1", "--decisions"),
        "two outputs or more",
    ),
    "no such stage": (("nets:small", *DATA, "--points", "0,1,2", "--stage", "2"), "stage must be in 0 .. 1"),
    "half precision": (("nets:half", *DATA, "--points", "0,1,2"), "half precision"),
    "NaN weights": (("nets:broken", *DATA, "--points", "0,1,2"), "NaN or infinite weights: 0.weight"),
    "two outputs": (("nets:Pair", *DATA, "--points", "0,1,2"), "must return one tensor, got tuple"),
    "weights of another network": (
        ("nets:small", "--weights", "other.pt", *DATA, "--points", "0,1,2"),
        "do not fit the network",
    ),
    "unreadable weights": (
        ("nets:small", "--weights", "garbage.pt", *DATA, "--points", "0,1,2"),
        "garbage.pt",
    ),
}


@pytest.fixture
def folder(nets: Path) -> Path:
    (nets / "folder.png").mkdir()
    (nets / "garbage.npz").write_bytes(b"no archive")
    (nets / "garbage.pt").write_bytes(b"no archive")
    x = np.random.default_rng(2).random(6)
    np.save(nets / "line.npy", np.stack([x, 2 * x, 3 * x]))
    np.save(nets / "nan.npy", np.stack([x, 2 * x, np.full(6, np.nan)]))
    np.save(nets / "wide.npy", np.eye(7))
    np.save(nets / "text.npy", np.full((3, 6), "six"))
    np.savez(nets / "halves.npz", y=np.full(10, 0.5))
    (nets / "junk.npy").write_text("no array")
    np.save(nets / "row.npy", np.eye(6)[:, None])
    torch.save({"0.weight": torch.zeros(8, 6)}, nets / "other.pt")
    return nets


@pytest.mark.parametrize("arguments", USAGE.values(), ids=USAGE)
def test_wrong_usage_exits_with_2(arguments: tuple[object, ...], folder: Path, splineviz: Command) -> None:
    before = sorted(folder.iterdir())
    done = splineviz("slice", *arguments)
    assert done.code == 2
    assert "Error: " in done.err and done.out == ""
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(("arguments", "message"), BAD.values(), ids=BAD)
def test_bad_input_exits_with_4(
    arguments: tuple[str, ...], message: str, folder: Path, splineviz: Command
) -> None:
    before = {path for path in folder.rglob("*") if "__pycache__" not in path.parts}
    done = splineviz("slice", *arguments)
    assert done.code == 4, done.err
    said = "".join(line for line in done.err.splitlines(keepends=True) if not line.startswith("note: "))
    assert said.startswith("error: ") and message in said
    assert "Traceback" not in done.err and done.out == ""
    assert {path for path in folder.rglob("*") if "__pycache__" not in path.parts} == before


@pytest.mark.parametrize("command", ["slice", "inspect"])
def test_what_is_not_piecewise_affine_exits_with_3_and_names_all_offenders(
    command: str, folder: Path, splineviz: Command
) -> None:
    where = (*DATA, "--points", "0,1,2", "-o", "x.png") if command == "slice" else ()
    done = splineviz(command, "nets:smooth", *where)
    assert done.code == 3
    assert "gelu" in done.err and "softmax" in done.err
    assert not (folder / "x.png").exists()


def test_an_unexpected_failure_exits_with_1_and_points_to_debug(
    nets: Path, splineviz: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the engine broke")

    monkeypatch.setattr("splineviz.engine.arrange.arrange", fail)
    plain = splineviz("slice", "nets:plane", "--box", "0,1,0,1")
    assert plain.code == 1
    assert "unexpected RuntimeError: the engine broke" in plain.err and "--debug" in plain.err
    assert "Traceback" not in plain.err
    assert "Traceback" in splineviz("slice", "nets:plane", "--box", "0,1,0,1", "--debug").err


def test_an_interrupt_exits_with_130(nets: Path, splineviz: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("splineviz.engine.arrange.arrange", interrupt)
    done = splineviz("slice", "nets:plane", "--box", "0,1,0,1", "-o", "x.png")
    assert done.code == 130
    assert not (nets / "x.png").exists()


def test_if_one_file_fails_none_is_written(
    nets: Path, splineviz: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    (nets / "x.npz").write_text("from before")
    monkeypatch.setattr("splineviz.io.save_geojson", fail)
    done = splineviz("slice", "nets:plane", "--box", "0,1,0,1", "-o", "x.npz", "-o", "x.geojson")
    assert (done.code, done.err.splitlines()[-1]) == (4, "error: disk full")
    assert (nets / "x.npz").read_text() == "from before"
    assert sorted(path.name for path in nets.glob("*x*")) == ["x.npz"]


@pytest.mark.skipif(sys.platform == "win32", reason="has no pipes among its files")
@pytest.mark.parametrize(
    "arguments",
    [
        ("slice", "demo", "--data", "pipe.npy", "--points", "0,1,2"),
        ("slice", "demo", "--data", "data.npz", "--labels", "pipe.npy", "--points", "0,1,2"),
        ("slice", "demo", "--points", "pipe.npy,a.npy,b.npy"),
        ("inspect", "pipe.onnx"),
        ("inspect", "pipe.pt2"),
        ("inspect", "nets:small", "--weights", "pipe.pt"),
        ("inspect", "nets:small", "--fix", "t=pipe.npy"),
        ("draw", "pipe.npz", "-o", "x.png"),
        ("check", "pipe.npz", "--model", "nets:small"),
        ("--config", "pipe.toml", "inspect", "demo"),
    ],
    ids=lambda arguments: " ".join(arguments[:3]),
)
def test_a_pipe_is_no_file_and_is_not_waited_for(
    arguments: tuple[str, ...], nets: Path, splineviz: Command
) -> None:
    for suffix in ("npy", "npz", "onnx", "pt", "pt2", "toml"):
        os.mkfifo(nets / f"pipe.{suffix}")
    done = splineviz(*arguments)
    assert done.code == 4 and "it is a pipe or a device, no file" in done.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_what_cannot_be_said_is_an_error() -> None:
    with Path("/dev/full").open("w") as full:
        code = 'import sys; from splineviz_cli.commands import run; sys.exit(run(["inspect", "demo"]))'
        done = subprocess.run([sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr.decode().strip()) == (4, "error: No space left on device")


def test_what_a_terminal_would_obey_is_shown_as_its_code(nets: Path, splineviz: Command) -> None:
    done = splineviz("slice", "nets:small", "--data", "\x1b[31mdata\u202e.npz", "--points", "0,1,2")
    assert done.code == 4 and "\\x1b[31mdata\\u202e.npz" in done.err
    assert "\x1b" not in done.err and "\u202e" not in done.err
