"""`splineviz compare`, from the files of a user to the files for a user."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import splineviz as sv
from splineviz_cli.compare_options import CompareOptions

from .conftest import Result

Command = Callable[..., Result]

POINTS = ("--data", "data.npz", "--points", "3,1,4")


@pytest.fixture
def weights(nets: Path) -> Path:
    """Weights of nets:small and nets:other, as run/step-0.pt and run/step-10.pt."""
    import importlib
    import sys

    sys.path.insert(0, str(nets))
    module = importlib.import_module("nets")
    sys.path.remove(str(nets))
    (nets / "run").mkdir()
    torch.save(module.small().state_dict(), nets / "run/step-0.pt")
    torch.save(module.other().state_dict(), nets / "run/step-10.pt")
    return nets


def test_json_has_the_numbers_of_the_library(nets: Path, splineviz: Command) -> None:
    done = splineviz("compare", "nets:small", "nets:other", *POINTS, "--json", "-o", "x.png")
    assert done.code == 0, done.err
    got = json.loads(done.out)
    x = np.load(nets / "data.npz")["x"]
    plane = sv.Plane.through(*(x[row] for row in (3, 1, 4)))
    both = sv.compare(["nets:small", "nets:other"], plane, sv.Window.around(plane))
    assert got["schema"] == "splineviz.compare/1" and got["files"] == ["x.png"]
    assert [model["cells"] for model in got["models"]] == [arr.n_cells for arr in both.arrangements]
    assert [model["name"] for model in got["models"]] == ["nets:small", "nets:other"]
    (pair,) = got["pairs"]
    assert pair == json.loads(json.dumps(both.pair(0, 1).to_dict()))
    assert pair["exact"]["certified"] and pair["area"] == pytest.approx(plane_area(both))
    for model, arr in zip(got["models"], both.arrangements, strict=True):
        ends = arr.vertices[arr.edges[(arr.edge_cells >= 0).all(1)]]
        assert sum(model["edge_length_per_stage"]) == pytest.approx(
            np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1).sum()
        )
    assert (nets / "x.png").read_bytes().startswith(b"\x89PNG")


def plane_area(both: sv.Comparison) -> float:
    return both.arrangements[0].windows[0].area


@pytest.mark.parametrize(
    "arguments",
    [
        ("--model", "nets:small", "run/step-0.pt", "run/step-10.pt"),
        ("nets:small", "--weights", "run/step-0.pt", "--weights", "run/step-10.pt"),
        ("nets:small", "nets:small", "--weights", "run/step-0.pt", "--weights", "run/step-10.pt"),
    ],
    ids=["files", "one model", "two models"],
)
def test_checkpoints_are_named_after_their_files(
    arguments: tuple[str, ...], weights: Path, splineviz: Command
) -> None:
    done = splineviz("compare", *arguments, *POINTS, "--json")
    assert done.code == 0, done.err
    got, modules = (
        json.loads(done.out),
        json.loads(splineviz("compare", "nets:small", "nets:other", *POINTS, "--json").out),
    )
    assert [model["name"] for model in got["models"]] == ["step-0", "step-10"]
    # but for the names in notes
    assert [pair | {"notes": []} for pair in got["pairs"]] == [
        pair | {"notes": []} for pair in modules["pairs"]
    ]
    assert {stage["stage"] for stage in got["pairs"][0]["units"]["stages"]} == {0, 1}


def test_the_table_says_the_same(weights: Path, splineviz: Command) -> None:
    done = splineviz(
        "compare",
        "--model",
        "nets:small",
        "run/step-0.pt",
        "run/step-10.pt",
        "run/step-0.pt",
        *POINTS,
        "--names",
        "a,b,c",
    )
    assert done.code == 0 and done.err == "note: no -o FILE, so nothing is drawn\n"
    text = done.out
    assert all(title in text for title in ("a and b", "a and c", "b and c"))
    same = text[text.index("a and c") : text.index("b and c")]
    assert (
        "0.0000 nats" in same
        and "adjusted Rand index       1.0000" in same
        and "100.00 % of the area" in same
    )
    assert "lines of stage 0" in text and "all " in text


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("nets:small",), 2, "a comparison needs at least two networks"),
        (("nets:small", "nets:other", "--weights", "a.pt"), 2, "expected one --weights for each of 2 models"),
        (("--model", "nets:small", "a.pt", "b.pt", "--weights", "c.pt"), 2, "--weights is one too many"),
        (("nets:small", "nets:other", "--names", "a"), 2, "--names gives 1 names for 2 networks"),
        (("nets:small", "nets:broken"), 4, "nets:broken: NaN or infinite weights: 0.weight"),
        (("nets:small", "nets:plane"), 4, "take inputs of one size"),
        (("nets:small", "nets:smooth"), 3, "gelu"),
        (("nets:small", "nets:other", "-o", "x.npz"), 4, "unknown suffix '.npz'"),
        (
            ("nets:small", "nets:other", "--max-cells", "3"),
            4,
            "the budget ended before all of nets:small was arranged",
        ),
    ],
)
def test_what_cannot_be_compared(
    arguments: tuple[str, ...], code: int, sentence: str, nets: Path, splineviz: Command
) -> None:
    done = splineviz("compare", *arguments, *POINTS)
    assert (done.code, done.out) == (code, "")
    assert sentence in done.err
    assert not list(nets.glob("x.*"))


def test_the_demo_needs_no_data(nets: Path, splineviz: Command) -> None:
    done = splineviz("compare", "demo", "demo", "--box=0,1,0,1", "--json", "-o", "x.pdf")
    assert done.code == 0, done.err
    got = json.loads(done.out)
    assert [model["name"] for model in got["models"]] == ["demo 1", "demo 2"]
    assert got["pairs"][0]["variation_of_information"] == 0.0 and got["pairs"][0][
        "agreement"
    ] == pytest.approx(1.0)


def test_files_anywhere_have_names(weights: Path, splineviz: Command) -> None:
    """An absolute path beside a relative one, a model without a file; equal names with as much of a path as
    tells them apart."""
    (weights / "other").mkdir()
    (weights / "run" / "step-10.pt").rename(weights / "other" / "step-0.pt")
    absolute = str((weights / "run" / "step-0.pt").absolute())
    done = splineviz("compare", "--model", "nets:small", absolute, "other/step-0.pt", *POINTS, "--json")
    assert done.code == 0, done.err
    assert [model["name"] for model in json.loads(done.out)["models"]] == ["run/step-0", "other/step-0"]
    options = SimpleNamespace(names=None, networks=lambda: [(absolute, None), ("demo", None)])
    assert CompareOptions.called(options) == ["step-0", "demo"]
