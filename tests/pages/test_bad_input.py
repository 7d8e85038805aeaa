"""What a page cannot show is said on it; what it cannot hold is refused with what to do."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import splineviz as sv
from splineviz.errors import InputError
from splineviz.pages import writing
from splineviz.pages.writing import page

from .decoder import scene_of_page
from .samples import SQUARE, cells, net, written


def scene(folder: Path, arr: sv.Arrangement, **how: Any) -> dict[str, Any]:
    return scene_of_page(written(folder, arr, **how))


def sections(found: dict[str, Any]) -> set[str]:
    return {name for name, _ in found["panels"][0]["card"]["sections"]}


def test_a_file_without_maps_says_what_is_missing(tmp_path: Path) -> None:
    sv.save(dataclasses.replace(cells()), tmp_path / "bare.npz")
    arr = sv.load(tmp_path / "bare.npz")
    found = scene(tmp_path, arr, color="norm", edges="kink")
    (warning,) = found["warnings"]
    assert "holds no affine maps" in warning and "slice --affine" in warning
    assert found["networks"][0]["outputs"] == [] and "value 0" not in sections(found)
    assert (found["view"]["color"], found["view"]["edges"], found["view"]["boundary"]) == (
        "random",
        "stage",
        False,
    )


def test_a_file_with_maps_is_whole(tmp_path: Path) -> None:
    arr = dataclasses.replace(cells())
    _ = arr.linear_regions
    sv.save(arr, tmp_path / "whole.npz", affine=True)
    found = scene(tmp_path, sv.load(tmp_path / "whole.npz"), color="norm")
    assert found["warnings"] == [] and {"bends", "value 2"} <= sections(found)


def test_maps_beyond_float64(tmp_path: Path) -> None:
    arr = dataclasses.replace(cells())
    maps = cells().affine.copy()
    maps[2, 0, 1] = np.inf
    vars(arr).update(affine=maps, edge_jump=cells().edge_jump)
    found = scene(tmp_path, arr, color="norm")
    assert "1 cells are beyond the largest float64" in found["warnings"][0]
    assert "value 0" not in sections(found) and found["view"]["color"] == "random"


def test_cells_of_an_earlier_stage(tmp_path: Path) -> None:
    arr = sv.arrange(sv.load_program(net()), sv.Plane.identity(), SQUARE, stage=0)
    found = scene(tmp_path, arr)
    assert "after stage 0" in found["warnings"][0] and len(found["panels"][0]["cells_per_stage"]) == 1


@pytest.mark.parametrize("budget", [{"max_cells": 5}, {"seconds": 1e-9}])
def test_a_budget_that_ended_is_marked(budget: dict[str, Any], tmp_path: Path) -> None:
    arr = sv.arrange(sv.load_program(net()), sv.Plane.identity(), SQUARE, **budget)
    found = scene(tmp_path, arr)
    assert found["warnings"] == ["incomplete: the budget ended before the window was covered"]
    assert found["panels"][0]["card"]["cells"] == arr.n_cells < cells().n_cells
    assert found["window"] == SQUARE.vertices.tolist()


def test_one_window_of_several(tmp_path: Path) -> None:
    arr = sv.arrange(sv.load_program(net()), [sv.Plane.identity()] * 2, [SQUARE, SQUARE.scaled(0.5)])
    alone = sv.arrange(sv.load_program(net()), sv.Plane.identity(), SQUARE.scaled(0.5))
    found = scene(tmp_path, arr, window=1)
    assert found["warnings"] == ["this is window 1 of 2, counted from 0"]
    assert found["panels"][0]["cells_per_stage"] == list(alone.stats.cells_per_stage)
    with pytest.raises(InputError, match=r"window must be in 0 \.\. 1, got 2"):
        page(arr, tmp_path / "y.html", window=2)


def test_too_many_cells_are_refused_with_their_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "MOST_CELLS", 9)
    with pytest.raises(InputError, match=r"would hold \d+ cells, about 0 MB, and a browser takes up to 9"):
        page(cells(), tmp_path / "x.html")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"color": "heat"}, "unknown color 'heat', expected one of random"),
        ({"edges": "wide"}, "unknown edges 'wide'"),
        ({"color": "norm", "cmap": "cividi"}, "unknown colour map 'cividi'"),
        ({"level": 0.5}, "a level is one of a network with a single output"),
        ({"points": np.zeros((1, 3))}, "points must end in the input shape"),
    ],
)
def test_options_that_do_not_fit(how: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        page(cells(), tmp_path / "x.html", **how)
    assert not list(tmp_path.iterdir())
