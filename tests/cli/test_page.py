"""Pages from the command line: of a slice, a saved arrangement and a comparison, with the data's own words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pages.decoder import scene_of_page

from .conftest import Result

Command = Callable[..., Result]

POINTS = ("--data", "data.npz", "--points", "3,1,4")


def scene(path: str) -> dict[str, Any]:
    return scene_of_page(Path(path).read_text(encoding="utf-8"))


def test_a_slice_with_its_looks(nets: Path, splineviz: Command) -> None:
    looks = (
        "--color",
        "class",
        "--class-names",
        "a,b",
        "--overlay-data",
        3,
        "--edges",
        "kink",
        "--no-boundary",
    )
    alone = (
        "--width",
        4,
        "--dpi",
        50,
        "--no-legend",
        "--ticks",
        "--title",
        "<net>",
        "--mean",
        "0.5",
        "--std",
        "2",
    )
    done = splineviz("slice", "nets:small", *POINTS, *looks, *alone, "-o", "x.html", "-o", "x.png")
    assert done.code == 0, done.err
    found = scene("x.html")
    view = {"color": "class", "edges": "kink", "boundary": False, "anchors": True, "data": True}
    assert found["view"] == view and found["title"] == "<net>"
    assert [output["name"] for output in found["networks"][0]["outputs"][:3]] == ["a", "b", "2"]
    assert len(found["anchors"]) == 3 and 0 < len(found["data"]["u"]) <= 3


def test_inputs_are_shown_as_they_were_before_mean_and_std(nets: Path, splineviz: Command) -> None:
    for name, how in (("plain.html", ()), ("scaled.html", ("--mean", "0.5", "--std", "0.25"))):
        done = splineviz("slice", "nets:small", *POINTS, *how, "-o", name)
        assert done.code == 0, done.err
    plain, scaled = scene("plain.html")["input"], scene("scaled.html")["input"]
    for bound in ("low", "high"):
        assert plain[bound] == pytest.approx(scaled[bound], abs=1e-12)
    assert plain["shape"] == scaled["shape"]


def test_a_saved_arrangement(nets: Path, splineviz: Command) -> None:
    assert splineviz("slice", "nets:small", *POINTS, "-o", "a.npz", "--affine").code == 0
    assert splineviz("slice", "nets:small", *POINTS, "-o", "bare.npz").code == 0
    done = splineviz("draw", "a.npz", "-o", "a.html", "-o", "a.png", "--color", "norm", "--dpi", 50)
    assert done.code == 0, done.err
    assert scene("a.html")["view"]["color"] == "norm" and not scene("a.html")["warnings"]
    assert splineviz("draw", "bare.npz", "-o", "bare.html").code == 0
    assert "slice --affine" in scene("bare.html")["warnings"][0]
    wrong = splineviz("draw", "a.npz", "-o", "a.html", "--window", 3)
    assert wrong.code == 4 and "window must be in 0 .. 0, got 3" in wrong.err


def test_a_comparison(nets: Path, splineviz: Command) -> None:
    done = splineviz("compare", "nets:small", "nets:other", *POINTS, "--names", "one,two", "-o", "c.html")
    assert done.code == 0, done.err
    assert [panel["name"] for panel in scene("c.html")["panels"]] == ["one", "two"]


def test_a_budget_that_ended_is_on_the_page(nets: Path, splineviz: Command) -> None:
    done = splineviz("slice", "nets:small", *POINTS, "--max-cells", 3, "-o", "x.html")
    assert done.code == 5 and "budget ended" in scene("x.html")["warnings"][0]
