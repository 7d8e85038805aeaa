"""`splineviz slice` before and round large windows: estimates, windows by what they hold, jitter, advice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import splineviz as sv
from splineviz_cli import outlook
from splineviz_cli.value_types import AutoRadius, RadiusType

from .conftest import Result

Command = Callable[..., Result]

POINTS = ("nets:small", "--data", "data.npz", "--points", "3,1,4")
AT = ("nets:small", "--data", "data.npz", "--at", 3)

FLAT = """
import torch
from torch import nn

def pooled():
    torch.manual_seed(0)
    pooled = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten())
    return nn.Sequential(pooled, nn.Linear(300, 3))
"""


@pytest.fixture
def flat(nets: Path) -> tuple[Any, ...]:
    """A pooling network and images whose background is constant, as arguments of the command."""
    (nets / "flat.py").write_text(FLAT)
    x = np.zeros((3, 1, 20, 20))
    x[:, :, 6:10, 6:10] = np.random.default_rng(0).random((3, 1, 4, 4))
    np.save(nets / "flat.npy", x)
    return "flat:pooled", "--data", "flat.npy"


def report(done: Result, code: int = 0) -> dict[str, Any]:
    assert done.code == code, done.err
    parsed = json.loads(done.out)
    assert isinstance(parsed, dict)
    return parsed


def test_an_estimate_stops_before_the_slice(
    nets: Path, splineviz: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = report(splineviz("slice", *POINTS, "--json"))["cells"]
    monkeypatch.setattr("splineviz.engine.arrange.arrange", None)
    got = report(splineviz("slice", *POINTS, "--estimate", "--json", "-o", "x.png"))
    assert got["schema"] == "splineviz.forecast/1" and got["exact"] and got["cells"] == cells
    assert got["seconds"] > 0 and got["memory"] > 0 and got["chosen"] == {}
    assert [ties["point"] for ties in got["ties"]] == ["anchor A", "anchor B", "anchor C"]
    rows = dict(line.split("  ", 1) for line in splineviz("slice", *POINTS, "--estimate").out.splitlines())
    assert rows["cells"].strip() == f"{cells:,} cells" and rows["time"].strip().startswith("about ")
    assert rows["memory"].strip().startswith("about ") and "the window itself was arranged" in rows["from"]
    assert not Path("x.png").exists()


def test_a_window_of_so_many_cells_is_said_in_every_output(nets: Path, splineviz: Command) -> None:
    outputs = ("-o", "x.png", "-o", "x.svg", "-o", "x.npz", "-o", "x.geojson")
    got = report(splineviz("slice", *POINTS, "--cells", 12, *outputs, "--json"))
    chosen = got["chosen"]["cells"]
    assert got["cells"] == chosen["asked"] == 12 and 0 < chosen["scale"] < 1
    assert got["provenance"]["chosen"] == got["chosen"]
    assert json.loads(Image.open("x.png").info["splineviz"])["chosen"] == got["chosen"]
    assert "about 12 cells" in Path("x.svg").read_text()
    np.testing.assert_allclose(sv.load("x.npz").windows[0].vertices, chosen["window"])
    assert json.loads(Path("x.geojson").read_text())["properties"]["chosen"] == got["chosen"]
    done = splineviz("slice", *POINTS, "--cells", 12)
    assert f"window scaled by {chosen['scale']:.4g} for about 12 cells" in done.out


def test_the_neighbourhood_of_a_point_by_what_it_holds(nets: Path, splineviz: Command) -> None:
    got = report(splineviz("slice", *AT, "--radius", "auto:5", "-o", "x.npz", "--json"))
    assert len(np.unique(sv.load("x.npz").edge_units.values, axis=0)) == 5
    radius = got["chosen"]["radius"]["value"]
    assert got["area"] == pytest.approx(2 * radius**2)
    assert report(splineviz("slice", *AT, "--cells", 9, "--json"))["cells"] == 9
    assert report(splineviz("slice", *AT, "--radius", 1e-6, "--cells", 9, "--json"))["cells"] == 1


def test_jitter_moves_the_plane_by_one_seeded_step(nets: Path, splineviz: Command) -> None:
    origins = []
    for how in ((), ("--jitter", 0.01), ("--jitter", 0.01), ("--jitter", 0.01, "--seed", 1)):
        got = report(splineviz("slice", *POINTS, *how, "-o", "x.npz", "--json"))
        assert got.get("chosen", {}) == ({"jitter": {"size": 0.01, "seed": len(how) // 3}} if how else {})
        plane = sv.load("x.npz").planes[0]
        origins.append(plane.origin)
        np.testing.assert_allclose(np.linalg.norm(plane.basis, axis=1), 1)
    step = origins[1] - origins[0]
    np.testing.assert_array_equal(origins[1], origins[2])
    np.testing.assert_allclose(step, 0.01 * np.random.default_rng(0).standard_normal(6), atol=1e-15)
    assert np.abs(origins[3] - origins[1]).min() > 0
    assert "moved off the data by jitter 0.01, seed 1" in splineviz("slice", *AT, "--jitter", 0.01, "--radius",
                                                                     0.1, "--seed", 1).out  # fmt: skip


def test_what_takes_long_is_announced_with_its_cause(
    flat: tuple[Any, ...], splineviz: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = (*flat, "--at", 0, "--radius", 0.01)
    assert "this slice" not in splineviz("slice", *place).err
    monkeypatch.setattr(outlook, "_LONG", 0.0)
    monkeypatch.setattr(outlook, "_MANY", 20)
    err = splineviz("slice", *place).err
    assert "note: this slice has " in err and " cells and takes about " in err
    assert "of 300 maxima of stage 0 (max_pool2d) tie at the point over its constant background (96% " in err
    assert "try --cells 20000 for a window of about so many cells; --jitter 0.01 to move the point" in err
    assert "--stage N" in err and "--seconds S" in err
    moved = splineviz("slice", *place, "--jitter", 0.01).err
    assert " tie at " not in moved and "--jitter" not in moved
    assert splineviz("slice", *place, "-q").err == ""


def test_what_a_budget_ended_is_followed_by_advice(flat: tuple[Any, ...], splineviz: Command) -> None:
    for how in ((), ("--count",)):
        done = splineviz("slice", *flat, "--points", "0,1,2", "--max-cells", 5, *how)
        assert done.code == 5 and "note: try --cells 20000" in done.err and "this slice" not in done.err


def test_a_radius_that_ties_leave_none_says_what_to_do(flat: tuple[Any, ...], splineviz: Command) -> None:
    done = splineviz("slice", *flat, "--at", 0, "--radius", "auto:9")
    assert done.code == 4 and "every radius cuts 9 units" in done.err and "--jitter" in done.err
    assert (
        report(splineviz("slice", *flat, "--at", 0, "--radius", "auto:9", "--jitter", 0.1, "--json"))["cells"]
        > 9
    )


def test_a_comparison_finds_its_window_alike(nets: Path, splineviz: Command) -> None:
    place = ("--data", "data.npz", "--points", "3,1,4", "--jitter", 0.01, "--cells", 10)
    got = report(splineviz("compare", "nets:small", "nets:other", *place, "--json", "-o", "x.png"))
    assert (
        max(model["cells"] for model in got["models"]) == 10 >= min(model["cells"] for model in got["models"])
    )
    assert (
        got["chosen"]["jitter"] == {"size": 0.01, "seed": 0} and got["provenance"]["chosen"] == got["chosen"]
    )
    assert json.loads(Image.open("x.png").info["splineviz"])["chosen"] == got["chosen"]
    assert "chosen   points moved off" in splineviz("compare", "nets:small", "nets:other", *place).out


@pytest.mark.parametrize(
    ("text", "radius"), [("0.5", 0.5), ("auto", AutoRadius(100)), ("auto:7", AutoRadius(7))]
)
def test_radii(text: str, radius: float | AutoRadius) -> None:
    assert RadiusType().convert(text, None, None) == radius


USAGE = {
    "a word": ((*AT, "--radius", "some"), "expected a finite number, auto, or auto:N"),
    "no units": ((*AT, "--radius", "auto:0"), "expected a finite number, auto, or auto:N"),
    "auto without a point": ((*POINTS, "--radius", "auto"), "--at INDEX and --radius R belong together"),
    "two choices": ((*AT, "--radius", "auto", "--cells", 9), "each chooses the window"),
    "a box": ((*AT, "--radius", "auto", "--box", "0,1,0,1"), "--radius auto and --box exclude each other"),
    "no cells": ((*POINTS, "--cells", 0), "--cells"),
    "jitter of nothing": (("nets:plane", "--box", "0,1,0,1", "--jitter", 1), "--jitter moves the points"),
    "count and estimate": ((*POINTS, "--count", "--estimate"), "--estimate stops before"),
}


@pytest.mark.parametrize(("arguments", "message"), USAGE.values(), ids=USAGE)
def test_wrong_usage(arguments: tuple[Any, ...], message: str, nets: Path, splineviz: Command) -> None:
    done = splineviz("slice", *arguments)
    assert done.code == 2 and message in done.err
