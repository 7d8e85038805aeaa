"""The page of an animation: its checkpoints one after the other, with the numbers of the strip."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import splineviz as sv
from splineviz.animation import animating
from splineviz.errors import InputError
from splineviz.pages.writing import page
from tests.pages.decoder import Decoded, parts_of, scene_of_page

from .conftest import STEPS
from .test_animate import Place, animate


def test_the_checkpoints_follow_each_other(
    folder: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(animating, "pictures", None)  # a page alone draws no frames
    done = animate(folder, place, folder.parent / "a.html", title="run", color="norm")
    text = (folder.parent / "a.html").read_text(encoding="utf-8")
    scene, parts = scene_of_page(text), parts_of(text)
    assert (scene["kind"], scene["title"], scene["view"]["color"]) == ("animation", "run", "norm")
    assert [panel["name"] for panel in scene["panels"]] == [f"step {step:,}" for step in STEPS]
    assert {panel["network"] for panel in scene["panels"]} == {0} and len(scene["networks"]) == 1
    for k, panel in enumerate(scene["panels"]):
        read = Decoded(panel["card"], parts[f"cells-{k}"])
        arr = sv.load(done.arrangements[k])
        assert read.card["cells"] == arr.n_cells == done.cells[k]
        for output in range(3):
            size = np.abs(read.values(output)).max()
            u, v = read.uv[read.corners[0]]
            assert read.values(output)[read.corners[0]] == pytest.approx(
                float(arr.affine[0, output] @ [u, v, 1]), abs=1e-12 * size
            )
    strip = scene["strip"]
    assert strip["steps"] == list(STEPS) and sum(strip["seconds"]) == pytest.approx(2.0)
    series = {one["label"]: one["values"] for one in strip["series"]}
    assert series["cells"] == done.cells.tolist() and series["test"] == [0.0, 0.2, 0.4, 0.6]
    assert len({one["chart"] for one in strip["series"]}) == 3
    assert json.loads(parts["card"])["steps"] == list(STEPS) and text.count("<figure>") == 1


def test_a_broken_checkpoint_is_left_out_and_told(folder: Path, place: Place) -> None:
    path = folder / "step-10.pt"
    told = torch.load(path, weights_only=False)
    told["state_dict"]["0.weight"] = told["state_dict"]["0.weight"] * float("nan")
    torch.save(told, path)
    animate(folder, place, folder.parent / "a.html")
    scene = scene_of_page((folder.parent / "a.html").read_text(encoding="utf-8"))
    assert [panel["name"] for panel in scene["panels"]] == ["step 0", "step 1", "step 100"]
    assert scene["strip"]["steps"] == [0, 1, 100]
    assert all(len(one["values"]) == 3 for one in scene["strip"]["series"])
    assert any(re.match("step 10 is left out: .*NaN", warning) for warning in scene["warnings"])


def test_a_finished_animation_can_be_written_as_a_page(folder: Path, place: Place) -> None:
    done = animate(folder, place, [folder.parent / "a.webp", folder.parent / "a.html"], dpi=40)
    page(done, folder.parent / "b.html")
    assert (folder.parent / "b.html").read_bytes() == (folder.parent / "a.html").read_bytes()
    shutil.rmtree(folder.parent / ".splineviz-cache")
    with pytest.raises(InputError, match=r"are no longer in .*splineviz-cache"):
        page(done, folder.parent / "b.html")
