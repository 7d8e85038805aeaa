"""Outputs take the place of nothing that is read, and not of one another."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from .conftest import Result

Command = Callable[..., Result]

SLICE = ("slice", "nets:small", "--data", "data.npz", "--points", "0,1,2")
ESTIMATE = ("estimate", "nets:small")
VALIDATE = ("validate", "nets:small")
ANIMATE = ("animate", "run", "--model", "nets:small", "--data", "data.npz", "--points", "0,1,2")

TAKEN: dict[str, tuple[tuple[str, ...], str]] = {
    "the data": (SLICE, "data.npz"),
    "the data, spelled otherwise": (SLICE, "./sub/../data.npz"),
    "the data, by a symbolic link": (SLICE, "symbolic.npz"),
    "the data, by a hard link": (SLICE, "hard.npz"),
    "the data of another kind": (("estimate", "nets:small", "--data", "t.csv"), "t.csv"),
    "the data, as the card of a table": (("estimate", "nets:small", "--data", "t.csv.json"), "t.csv"),
    "the data, as finished parts": (("estimate", "nets:small", "--data", "t.csv.partial"), "t.csv"),
    "labels": ((*ESTIMATE, "--data", "data.npz", "--labels", "y.parquet"), "y.parquet"),
    "a point": (("slice", "nets:small", "--points", "a.npy,b.npz,c.npy"), "b.npz"),
    "a fixed input": ((*SLICE, "--fix", "t=b.npz"), "b.npz"),
    "the model": (("validate", "net.onnx", "--data", "data.npz"), "net.json"),
    "weights": ((*SLICE, "--weights", "w.npz"), "w.npz"),
    "weights in a folder": ((*ESTIMATE, "--data", "data.npz", "--weights", "hub"), "index.json"),
    "weights of one network": (
        ("compare", "w.npz", "other.npz", "--model", "nets:small", *SLICE[2:]),
        "w.png",
    ),
    "a checkpoint": (("validate", "run", "--model", "nets:small", "--data", "data.npz"), "run/2.npz"),
    "a checkpoint by a pattern": (
        ("validate", "run/*.npz", "--model", "nets:small", "--data", "data.npz"),
        "run/2.npz",
    ),
    "a picture of a folder": (
        ("slice", "nets:conv", "--data", "pictures", "--points", "0,1,2"),
        "pictures/b.png",
    ),
    "a picture by a pattern": (
        ("slice", "nets:conv", "--data", "pictures/*.png", "--points", "0,1,2"),
        "pictures/b.png",
    ),
    "a picture, as a figure": ((*VALIDATE, "--data", "pictures"), "pictures/"),
    "a picture, as a figure beside": ((*VALIDATE, "--data", "r-figures"), "r.md"),
    "a picture, as a frame": ((*ANIMATE[:4], "--points", "a.npy,f/0001.png,c.npy"), "f/%04d.png"),
    "a picture, as a frame in a folder": ((*ANIMATE[:4], "--points", "a.npy,f/0001.png,c.npy"), "f/"),
    "an animation's data": ((*ANIMATE[:4], "--data", "w.webp", "--points", "0,1,2"), "w.webp"),
    "a saved arrangement": (("draw", "cells.npz"), "cells.png"),
    "a shard": (
        ("slice", "nets:small", "--data", "sh/cells-00000.npz", "--points", "0,1,2", "--overwrite"),
        "sh/",
    ),
    "the configuration": (("--config", "c.toml", *ESTIMATE, "--data", "data.npz"), "c.json"),
}


@pytest.fixture
def inputs(nets: Path) -> Path:
    """A folder with something of every name that is read, and links to some of it."""
    for folder in ("sub", "run", "hub", "pictures", "r-figures", "f", "sh"):
        (nets / folder).mkdir()
    x = np.random.default_rng(0).random((5, 6))
    for name in ("w.npz", "other.npz", "b.npz", "run/1.npz", "run/2.npz", "cells.npz", "sh/cells-00000.npz"):
        np.savez(nets / name, x=x)
    for name in ("pictures/a.png", "pictures/b.png", "r-figures/a.png", "f/0001.png", "w.webp"):
        Image.fromarray(np.zeros((6, 6), dtype=np.uint8)).save(nets / name)
    for name in ("t.csv", "t.csv.json", "t.csv.partial", "y.parquet", "net.onnx", "hub/model.safetensors"):
        (nets / name).write_text("anything")
    (nets / "c.toml").write_text("[estimate]\nradius = 0.5\n")
    (nets / "symbolic.npz").symlink_to("data.npz")
    for name, link in (
        ("data.npz", "hard.npz"),
        ("net.onnx", "net.json"),
        ("w.npz", "w.png"),
        ("hub/model.safetensors", "index.json"),
        ("cells.npz", "cells.png"),
        ("c.toml", "c.json"),
    ):
        os.link(nets / name, nets / link)
    return nets


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}


@pytest.mark.parametrize(("request_", "output"), TAKEN.values(), ids=TAKEN)
def test_nothing_that_is_read_is_replaced(
    request_: tuple[str, ...], output: str, inputs: Path, splineviz: Command
) -> None:
    before = contents(inputs)
    done = splineviz(*request_, "-o", output)
    assert done.code == 4 and "which is read, would be replaced" in done.err, done
    assert contents(inputs) == before


@pytest.mark.parametrize(
    ("request_", "outputs"),
    [
        (SLICE, ("x.png", "./x.png")),
        (SLICE, ("hard.npz", "data.npz")),
        (("compare", "nets:small", "nets:other", *SLICE[2:]), ("x.png", "sub/../x.png")),
        (("draw", "cells.npz"), ("x.png", "x.png")),
        (ANIMATE, ("x.webp", "x.webp")),
        (ANIMATE, ("f/", "f/%04d.png")),
        ((*ESTIMATE, "--data", "data.npz"), ("x.csv", "x.csv")),
        ((*VALIDATE, "--data", "data.npz"), ("x.json", "sub/../x.json")),
    ],
)
def test_no_output_replaces_another(
    request_: tuple[str, ...], outputs: tuple[str, str], inputs: Path, splineviz: Command
) -> None:
    before = contents(inputs)
    done = splineviz(*request_, "-o", outputs[0], "-o", outputs[1])
    assert done.code == 2 and "the same -o is given twice" in done.err, done
    assert contents(inputs) == before


def test_what_is_not_read_is_replaced_as_ever(nets: Path, splineviz: Command) -> None:
    (nets / "run").mkdir()
    (nets / "cells.npz").write_text("of an earlier run")
    (nets / "run" / "x.png").write_text("of an earlier run")
    done = splineviz(*SLICE, "-o", "cells.npz", "-o", "run/x.png", "--title", "cells.npz")
    assert done.code == 0, done.err
    assert (nets / "run" / "x.png").read_bytes()[:4] == b"\x89PNG"
