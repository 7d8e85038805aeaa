"""`splineviz draw`: a saved arrangement in another style, without its network."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import splineviz as sv

from .conftest import Result

Command = Callable[..., Result]

POINTS = ("nets:small", "--data", "data.npz", "--points", "3,1,4")


@pytest.fixture
def saved(nets: Path, splineviz: Command) -> Path:
    done = splineviz("slice", *POINTS, "-o", "x.png", "-o", "cells.npz", "-o", "bare.npz", "--affine")
    assert done.code == 0, done.err
    (nets / "nets.py").unlink()
    return nets / "cells.npz"


@pytest.mark.parametrize(
    "color", ["random", "norm", "class", "area", "kink", "stage", "volume", "value", "none"]
)
def test_every_style_that_the_file_knows(color: str, saved: Path, splineviz: Command) -> None:
    done = splineviz("draw", saved, "--color", color, "--edges", "kink", "-o", f"{color}.png", "--dpi", 60)
    assert done.code == 0, done.err
    with Image.open(f"{color}.png") as picture:
        assert json.loads(picture.info["splineviz"])["program"]["name"] == "nets:small"


def test_maps_are_in_the_file_on_request_whatever_the_order(nets: Path, splineviz: Command) -> None:
    for number, (first, second) in enumerate((("a.png", "a.npz"), ("b.npz", "b.png"))):
        for more in ((), ("--affine",)):
            assert splineviz("slice", *POINTS, "-o", first, "-o", second, *more).code == 0
            with np.load("ab"[number] + ".npz") as file:
                kept = {"affine", "edge_jump", "linear_regions"} & set(file.files)
            assert kept == ({"affine", "edge_jump", "linear_regions"} if more else set())
    assert Path("a.npz").read_bytes() != b""


def test_a_file_without_maps_says_how_to_get_them(nets: Path, splineviz: Command) -> None:
    assert splineviz("slice", *POINTS, "-o", "bare.npz").code == 0
    norm = splineviz("draw", "bare.npz", "--color", "norm", "--no-boundary", "-o", "x.png")
    assert norm.code == 4 and "slice --affine" in norm.err and not Path("x.png").exists()
    plain = splineviz("draw", "bare.npz", "-o", "x.png")
    assert plain.code == 4 and "--no-boundary" in plain.err
    assert splineviz("draw", "bare.npz", "--no-boundary", "-o", "x.png").code == 0


def test_looks(saved: Path, splineviz: Command) -> None:
    looks = ("--no-legend", "--no-boundary", "--ticks", "--width", 4, "--dpi", 50, "--title", "<&>")
    done = splineviz("draw", saved, *looks, "--text", "-o", "a.png", "-o", "a.svg", "--json")
    report = json.loads(done.out)
    assert report["schema"] == "splineviz.draw/1" and report["cells"] == sv.load(saved).n_cells
    assert report["files"] == ["a.png", "a.svg"]
    with Image.open("a.png") as picture:
        assert picture.width == 200
    svg = Path("a.svg").read_text(encoding="utf-8")
    assert "&lt;&amp;&gt;</text>" in svg and "decision boundary" not in svg and ">stage" not in svg


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("none.npz", "-o", "x.png"), 4, "no such file: 'none.npz'"),
        (("data.npz", "-o", "x.png"), 4, "holds no arrangement"),
        (("cells.npz",), 2, "Missing option '-o'"),
        (("cells.npz", "-o", "x.bmp"), 4, "unknown suffix '.bmp'"),
        (("cells.npz", "-o", "x.png", "-o", "x.png"), 2, "the same -o is given twice"),
        (("cells.npz", "-o", "x.png", "--text"), 2, "--text is for -o FILE.svg"),
        (("cells.npz", "-o", "x.png", "--window", "1"), 4, "window must be in 0 .. 0, got 1"),
        (("cells.npz", "-o", "x.png", "--color", "jacobian"), 4, "slice --affine"),
        (("cells.npz", "-o", "x.png", "--level", "1", "--no-boundary"), 2, "is drawn as the boundary"),
        (("cells.npz", "-o", "x.png", "--level", "1"), 4, "a single output"),
        (("cells.npz", "-o", "x.png", "--image-shape", "5,5"), 4, "does not fit points of 6 values"),
    ],
)
def test_bad_input(
    arguments: tuple[str, ...], code: int, message: str, saved: Path, splineviz: Command
) -> None:
    done = splineviz("draw", *arguments)
    assert (done.code, message in done.err) == (code, True), done.err
    assert not Path("x.bmp").exists()
