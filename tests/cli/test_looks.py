"""Looks of pictures: one set of options for every command that draws, and each of them changes the files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from splineviz.errors import InputError
from splineviz_cli.animate_options import AnimateOptions
from splineviz_cli.compare_options import CompareOptions
from splineviz_cli.declaring import values
from splineviz_cli.draw import DrawOptions
from splineviz_cli.looks import DataDrawing, Drawing
from splineviz_cli.slice_options import SliceOptions

from .conftest import Result

Command = Callable[..., Result]

DATA = ("--data", "data.npz", "--points", "0,1,2", "--margin", 1, "--quiet")
LOOKS: tuple[object, ...] = (
    *("--color", "norm", "--cmap", "magma", "--edges", "plain", "--no-boundary", "--valid-range", "0.2,0.8"),
    *("--title", "of them", "--no-legend", "--ticks", "--width", 6, "--dpi", 50, "--class-names", "a,b,c"),
    *("--overlay-data", 5),
)
KEYWORDS: dict[str, object] = {
    "color": "norm",
    "cmap": "magma",
    "edges": "plain",
    "boundary": False,
    "valid_range": (0.2, 0.8),
    "title": "of them",
    "legend": False,
    "ticks": True,
    "width": 6.0,
    "dpi": 50,
    "text": False,
    "class_names": ["a", "b", "c"],
    "labels": ["a", "b", "c"],
}


def test_looks_are_declared_once() -> None:
    looks = set(Drawing.__dataclass_fields__)
    for options in (SliceOptions, DrawOptions, CompareOptions, AnimateOptions):
        kind = options.__dataclass_fields__["drawing"].type
        assert isinstance(kind, str)
        assert kind in ("Drawing", "DataDrawing", "ComparisonDrawing", "FrameDrawing")
    assert set(values(DataDrawing())) == looks | {"overlay_data"}


def small(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))


@pytest.fixture
def draw(nets: Path, splineviz: Command, request: pytest.FixtureRequest) -> Callable[..., bytes]:
    """Draws with a command, and returns what was written."""
    torch.save({"state_dict": small(1).state_dict(), "step": 1}, "step-1.pt")
    torch.manual_seed(1)
    net = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
    torch.save({"state_dict": net.state_dict(), "step": 1}, "line-1.pt")
    command, network = request.param.split()

    def call(*looks: object, suffix: str = "png") -> bytes:
        name, where = ("plane", ("--box=-3,3,-3,3",)) if network == "plane" else ("small", DATA)
        file, weights = f"{command}.{suffix}", "line-1.pt" if network == "plane" else "step-1.pt"
        if command == "animate":
            arguments: tuple[object, ...] = (weights, "--model", f"nets:{name}", "--jobs", 1)
            file = f"frames/%d.{suffix}"
        else:
            arguments = ("--model", f"nets:{name}", weights, weights, "--names", "a,b")
        done = splineviz(command, *arguments, *where, *looks, "-o", file)
        assert done.code == 0, done.err
        return Path(file.replace("%d", "0")).read_bytes()

    return call


@pytest.mark.parametrize(
    ("command", "verb", "points"),
    [
        ("animate", "splineviz.animation.animate", "overlay_data"),
        ("compare", "splineviz.comparison.Comparison.save_figure", "points"),
        ("slice", "splineviz.render.save_figure", "points"),
    ],
)
def test_options_are_those_of_python(
    nets: Path,
    splineviz: Command,
    command: str,
    verb: str,
    points: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: dict[str, Any] = {}

    def stop(*_: object, **how: Any) -> None:
        told.update(how)
        raise InputError("told")

    torch.save({"state_dict": small(1).state_dict(), "step": 1}, "step-1.pt")
    monkeypatch.setattr(verb, stop)
    models: dict[str, tuple[object, ...]] = {
        "animate": ("step-1.pt", "--model", "nets:small"),
        "compare": ("nets:small", "nets:other"),
        "slice": ("nets:small",),
    }
    file = "a.webp" if command == "animate" else "a.png"
    done = splineviz(command, *models[command], *DATA, *LOOKS, "-o", file)
    assert done.code == 4 and "told" in done.err, done.err
    assert told | KEYWORDS == told
    rows = [int(np.flatnonzero((np.load("data.npy") == x).all(1))[0]) for x in told[points]]
    assert len(set(rows)) == 5 and not {0, 1, 2} & set(rows)
    assert told["point_classes"].tolist() == [row % 3 for row in rows]


@pytest.mark.parametrize("draw", ["animate plane", "compare plane"], indirect=True)
def test_a_network_with_two_inputs(draw: Callable[..., bytes]) -> None:
    """Its coordinates are drawn unless they are unwanted; its level is drawn where it is wanted."""
    low = ("--dpi", 40)
    default = draw(*low)
    assert draw(*low, "--ticks") == default == draw(*low, "--level", 0)
    assert len({default, draw(*low, "--no-ticks"), draw(*low, "--level", 0.2)}) == 3


@pytest.mark.parametrize("draw", ["animate data", "compare data"], indirect=True)
def test_letters_and_sizes(draw: Callable[..., bytes]) -> None:
    shapes, text = draw(suffix="svg"), draw("--text", suffix="svg")
    assert b"decision boundary</text>" in text and b"decision boundary</text>" not in shapes
    draw("--width", 6, "--dpi", 50)
    name = next(path for path in ("compare.png", "frames/0.png") if Path(path).exists())
    with Image.open(name) as image:
        assert image.width == 300


@pytest.mark.parametrize("command", ["animate", "compare"])
@pytest.mark.parametrize(
    ("looks", "code", "words"),
    [
        (("--cmap", "magma", "--color", "random"), 4, "color 'random' shows none"),
        (("--level", 1), 4, "a single output\n  try: leave --level out"),
        (("--level", "nan"), 2, "'--level': expected a finite number"),
        (("--text",), 2, "--text is for -o FILE.svg"),
        (("--valid-range", "1,0"), 4, "two finite numbers low < high"),
        (("--color", "kink"), 2, "'kink' is not one of"),
        (("--width", 605), 2, "expected a finite number from 1 to 100"),
        (("--width", 1), 4, "width"),
    ],
)
def test_bad_looks(
    nets: Path, splineviz: Command, command: str, looks: tuple[object, ...], code: int, words: str
) -> None:
    torch.save({"state_dict": small(1).state_dict(), "step": 1}, "step-1.pt")
    weights = ("step-1.pt",) if command == "animate" else ("step-1.pt", "step-1.pt")
    file = "a.webp" if command == "animate" else "a.png"
    done = splineviz(command, *weights, "--model", "nets:small", *DATA, *looks, "-o", file)
    assert done.code == code and words in done.err, done.err
    assert not Path(file).exists()


@pytest.mark.parametrize("command", ["animate", "compare"])
def test_points_of_data_that_are_missing(nets: Path, splineviz: Command, command: str) -> None:
    arguments = ("--model", "nets:plane", "a.pt", *(("b.pt",) if command == "compare" else ()))
    where = ("--box=0,1,0,1", "--overlay-data", 3)
    done = splineviz(command, *arguments, *where, "-o", "a.webp" if command == "animate" else "a.png")
    assert done.code == 2 and "draws points of --data FILE, which is missing" in done.err
