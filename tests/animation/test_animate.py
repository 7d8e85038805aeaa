"""Animations: what is in them, what is computed again, and what happens to broken checkpoints."""

from __future__ import annotations

import itertools
import json
import os
import time
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import splineviz as sv
from splineviz.animation import animating, follow, measure, pictures, settled
from splineviz.engine.budget import Budget
from splineviz.errors import InputError, SplinevizWarning
from tests.io.faults import SOME

from .conftest import STEPS, net

Place = tuple[sv.Plane, sv.Window]


def animate(folder: Path, place: Place, out: Any, **how: Any) -> sv.Animation:
    return sv.animate(sv.Checkpoints(net(0), folder), *place, out, **{"jobs": 1, "radius": 0.5, **how})


def frames_of(path: Path) -> list[np.ndarray]:
    with Image.open(path) as image:
        frames = []
        for k in range(image.n_frames):
            image.seek(k)
            frames.append(np.asarray(image.convert("RGB")))
        return frames


def test_numbers_are_those_of_the_checkpoints(folder: Path, place: Place) -> None:
    done = animate(folder, place, folder.parent / "a.webp")
    runs = sv.Checkpoints(net(0), folder)
    assert done.steps == STEPS and done.computed == 4 and not done.errors and not done.incomplete
    assert done.cells.tolist() == [sv.arrange(program, *place).n_cells for program in runs]
    assert done.metrics["test_accuracy"].tolist() == [0.0, 0.2, 0.4, 0.6]
    points = place[0].lift(place[0].anchors)
    proxy = [sv.local_complexity(program, points, radius=0.5, directions=2).totals.mean() for program in runs]
    np.testing.assert_allclose(done.proxy, proxy)
    assert (done.exact >= done.proxy).all() and done.exact.max() > 0


def test_local_complexity_is_that_of_the_proxys_own_diamond(folder: Path, place: Place) -> None:
    program, points = sv.load_program(net(0)), np.random.default_rng(1).random((5, 6))
    found = animate(folder, place, folder.parent / "a.webp", points=points)
    from splineviz.estimators.frames import shared_frame

    axes = shared_frame(6, 2, 0)
    cells = [sv.arrange(program, sv.Plane.at(x, axes), sv.Window.diamond(0.5)).n_cells - 1 for x in points]
    assert found.exact[0] == np.mean(cells)
    hull = torch.tensor(np.concatenate([points[0] + 0.5 * axes, points[0] - 0.5 * axes]))
    x, separated = hull, 0
    for layer in net(0).double():
        if isinstance(layer, torch.nn.ReLU):
            on = x > 0
            separated += int((on.any(0) & ~on.all(0)).sum())
        x = layer(x)
    assert animate(folder, place, folder.parent / "b.webp", points=points[:1]).proxy[0] == separated


@pytest.mark.parametrize("suffix", [".webp", ".apng", ".gif"])
def test_animated_images(folder: Path, place: Place, suffix: str) -> None:
    path = folder.parent / f"a{suffix}"
    animate(folder, place, path, seconds=4.0, dpi=60)
    frames = frames_of(path)
    assert len(frames) == 4 and len({frame.shape for frame in frames}) == 1
    assert all((a != b).any() for a, b in pairwise(frames))
    with Image.open(path) as image:
        shown = [image.info.get("duration", 0)]
        if suffix != ".webp":  # whose frames tell when they are decoded only
            shown = [image.seek(k) or image.info["duration"] for k in range(4)]
            assert sum(shown) == pytest.approx(4000, abs=50)
            assert shown[1] > 1.9 * shown[0], "from 1 to 10 takes longer than from 0 to 1"
        card = (
            image.getexif()[0x010E]
            if suffix == ".webp"
            else image.info["comment" if suffix == ".gif" else "splineviz"]
        )
    card = json.loads(card)
    assert (
        card["schema"] == "splineviz.animation/1"
        and card["steps"] == list(STEPS)
        and len(set(card["digests"])) == 4
    )


def test_a_pattern_keeps_its_colour_and_the_rest_stands_still(folder: Path, place: Place) -> None:
    state = torch.load(folder / "step-0.pt", weights_only=True)
    torch.save({**state, "step": 7}, folder / "step-7.pt")
    animate(folder, place, folder.parent / "frames/", dpi=60)
    frames = [np.asarray(Image.open(path)) for path in sorted((folder.parent / "frames").glob("*.png"))]
    assert len(frames) == 5
    height = frames[0].shape[0] - round(1.15 * 60)
    title = round(0.24 * 60)
    assert np.array_equal(frames[0][title:height], frames[2][title:height]), (
        "the same weights make the same picture"
    )
    stages = [
        frame[title : title + 16, round(3.75 * 60) :] for frame in frames
    ]  # of the legend: the first lines
    assert (stages[0] < 128).any() and all(np.array_equal(part, stages[0]) for part in stages)
    bars = [frame[height - 20 : height, : round(1.5 * 60)] for frame in frames]
    assert (bars[0] < 128).any() and all(np.array_equal(part, bars[0]) for part in bars)


def test_one_scale_for_all_frames(folder: Path, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    keep = pictures.save_picture
    monkeypatch.setattr(
        pictures, "save_picture", lambda *a, **style: seen.append(style["limits"]) or keep(*a, **style)
    )
    animate(folder, place, folder.parent / "a.webp", color="norm")
    assert len(seen) == 4 and len(set(seen)) == 1
    from splineviz.render.cellcolor import shared_limits

    ends = [
        shared_limits([sv.arrange(program, *place)], "norm") for program in sv.Checkpoints(net(0), folder)
    ]
    assert seen[0] == (min(low for low, _ in ends), max(high for _, high in ends))


def test_restyling_and_extending_compute_only_what_is_new(
    folder: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = folder.parent / "a.webp"
    animate(folder, place, out)
    drawn = []
    keep = pictures.save_picture
    monkeypatch.setattr(pictures, "save_picture", lambda *a, **style: drawn.append(1) or keep(*a, **style))
    first = out.read_bytes()
    assert animate(folder, place, out).computed == 0 and not drawn
    assert out.read_bytes() == first, "identical bytes"
    assert animate(folder, place, out, color="norm", title="again").computed == 0 and len(drawn) == 4
    torch.save({"state_dict": net(3).state_dict(), "step": 1000}, folder / "step-1000.pt")
    drawn.clear()
    assert animate(folder, place, out).computed == 1 and len(drawn) == 1
    assert animate(folder, (place[0], sv.Window.around(place[0], 0.4)), out).computed == 5


def test_what_is_kept_is_named_by_all_that_it_depends_on(place: Place) -> None:
    (plane, window), program = place, sv.load_program(net(0))
    asked = measure.Question(plane, window, np.zeros((2, 6)), 0.5, 0, None, "fast")
    everywhere: dict[str, Any] = {"certify": "full"}
    of_slices = {
        "plane": replace(plane, origin=plane.origin + 1.0),
        "window": window.scaled(0.5),
        "max_cells": 9,
    }
    of_points = {"points": np.ones((2, 6)), "radius": 0.25, "seed": 1}
    nowhere: dict[str, Any] = {"max_memory": 1 << 20}  # cells are the same with any budget
    assert {*everywhere, *of_slices, *of_points, *nowhere} == {field.name for field in fields(asked)}
    for name, changed in (
        ("slice_key", {**everywhere, **of_slices}),
        ("local_key", {**everywhere, **of_points}),
    ):
        others = [replace(asked, **{field: value}) for field, value in changed.items()]
        keys = {getattr(question, name)(program) for question in (asked, *others)}
        keys.add(getattr(asked, name)(sv.load_program(net(1))))
        assert len(keys) == len(others) + 2, name
        assert getattr(replace(asked, **nowhere), name)(program) in keys


def test_interrupted_work_goes_on(folder: Path, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    keep, calls = measure.arrange, []

    def interrupted(*arguments: Any, **how: Any) -> Any:
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return keep(*arguments, **how)

    monkeypatch.setattr(measure, "arrange", interrupted)
    with pytest.raises(KeyboardInterrupt):
        animate(folder, place, folder.parent / "a.webp")
    assert not (folder.parent / "a.webp").exists()
    monkeypatch.setattr(measure, "arrange", keep)
    assert animate(folder, place, folder.parent / "a.webp").computed == 1


@pytest.mark.parametrize("fault", SOME.values(), ids=SOME)
def test_a_damaged_cache_heals(fault: Any, folder: Path, place: Place, tmp_path: Path) -> None:
    """Every kind of file in the cache at once: numbers, arrangements, pictures."""
    for path in list(folder.iterdir())[2:]:
        path.unlink()
    out, cache = tmp_path / "a.webp", tmp_path / ".splineviz-cache"
    first = animate(folder, place, out, dpi=40)
    whole = out.read_bytes()
    kept = sorted(cache.iterdir())
    assert {path.suffix for path in kept} == {".json", ".npz", ".png"}
    for suffix in (".json", ".npz", ".png"):
        one, other, *_ = [path for path in kept if path.suffix == suffix]
        fault(one, other)
    out.unlink()
    with pytest.warns(SplinevizWarning, match="is damaged, or was kept under another name") as told:
        again = animate(folder, place, out, dpi=40)
    assert len([one for one in told if issubclass(one.category, SplinevizWarning)]) == 1
    assert out.read_bytes() == whole and again.computed >= 1
    assert np.array_equal(again.cells, first.cells) and np.array_equal(again.exact, first.exact)
    assert animate(folder, place, out, dpi=40).computed == 0
    assert sorted(cache.iterdir()) == kept


def test_an_error_waits_for_the_other_workers(
    folder: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, at_work = itertools.count(), set[int]()

    def failing(*arguments: Any, **how: Any) -> Any:
        call = next(calls)
        if call == 0:
            raise RuntimeError("the engine broke")
        at_work.add(call)
        time.sleep(0.5)
        at_work.remove(call)
        raise RuntimeError("nobody hears this")

    monkeypatch.setattr(measure, "arrange", failing)
    with pytest.raises(RuntimeError, match="the engine broke"):
        animate(folder, place, folder.parent / "a.webp", jobs=3)
    assert not at_work


def test_several_processes_make_the_same(folder: Path, place: Place) -> None:
    animate(folder, place, folder.parent / "one" / "%d.png", cache=folder.parent / "one-cache", dpi=50)
    animate(
        folder, place, folder.parent / "two" / "%d.png", cache=folder.parent / "two-cache", dpi=50, jobs=2
    )
    for k in range(4):
        assert (folder.parent / "one" / f"{k}.png").read_bytes() == (
            folder.parent / "two" / f"{k}.png"
        ).read_bytes()


def test_checkpoints_share_the_memory(folder: Path, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    batches, given = Budget.batches, set()

    def noted(self: Budget, *how: Any) -> list[tuple[int, int]]:
        given.add(self.max_memory)
        return batches(self, *how)

    monkeypatch.setattr(Budget, "batches", noted)
    done = animate(folder, place, folder.parent / "a.webp", jobs=2, max_memory=20_000)
    assert given == {10_000}
    assert done.cells.tolist() == [
        sv.arrange(program, *place).n_cells for program in sv.Checkpoints(net(0), folder)
    ]


def test_weights_that_are_no_numbers_give_a_marked_frame(folder: Path, place: Place) -> None:
    state = net(2).state_dict()
    state["2.bias"][0] = torch.nan
    torch.save({"state_dict": state, "step": 10}, folder / "step-10.pt")
    done = animate(folder, place, folder.parent / "frames/", dpi=60)
    assert list(done.errors) == [10] and "NaN or infinite weights: 2.bias" in done.errors[10]
    assert np.isnan(done.cells).tolist() == [False, False, True, False]
    frame = np.asarray(Image.open(folder.parent / "frames" / "0002.png")).astype(int)
    red = (frame[..., 0] > 180) & (frame[..., 1] < 80) & (frame[..., 2] < 80)
    assert red[60:200].sum() > 50, "the message is there"
    for path in folder.iterdir():
        torch.save({"state_dict": state, "step": int(path.stem[5:])}, path)
    with pytest.raises(InputError, match=r"no checkpoint can be drawn; the first: .*NaN"):
        animate(folder, place, folder.parent / "b.webp")


def test_a_budget_that_ends_is_told(folder: Path, place: Place) -> None:
    done = animate(folder, place, folder.parent / "a.webp", max_cells=3)
    assert done.incomplete == STEPS


def test_following_a_run(folder: Path, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settled, "_SETTLED", 0.0)
    later = folder / "step-100.pt"
    kept = later.read_bytes()
    later.unlink()
    how: dict[str, Any] = {"jobs": 1, "every": 0.01}
    animations = follow(net(0), folder, *place, folder.parent / "a.webp", idle=30.0, **how)
    assert next(animations).steps == STEPS[:3]
    later.write_bytes(kept)
    after = next(animations)
    assert after.steps == STEPS and after.computed == 1
    animations.close()
    assert not list(
        follow(net(0), folder.parent / "none-yet-*.pt", *place, folder.parent / "b.webp", idle=0.05, **how)
    )
    assert [
        done.steps for done in follow(net(0), folder, *place, folder.parent / "a.webp", idle=0.05, **how)
    ] == [STEPS]


@pytest.mark.parametrize("ahead", [-(10**6), 3600, 10**9])
def test_clocks_of_other_machines_do_not_matter(
    ahead: int, folder: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settled, "_SETTLED", 0.1)
    for path in folder.iterdir():
        os.utime(path, (time.time() + ahead,) * 2)
    (done,) = follow(net(0), folder, *place, folder.parent / "a.webp", idle=0.01, every=0.01, jobs=1)
    assert done.steps == STEPS


def test_a_file_that_is_still_growing_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(settled.time, "monotonic", lambda: now)
    watch, path = settled.Watch(), tmp_path / "step-1.pt"
    assert watch.look([path]) == ({}, False), "it is not there yet"
    for size in range(1, 4):
        path.write_bytes(size * b"x")
        os.utime(path, (0, 0))
        now += 10
        assert watch.look([path]) == ({}, True)
    now += 0.5
    assert watch.look([path]) == ({}, True)
    now += 0.5
    assert watch.look([path]) == ({path: (3, 0)}, False)
    os.utime(path, (1, 1))
    assert watch.look([path]) == ({}, True), "it was written anew"


def test_bad_requests_are_refused_before_any_work(
    folder: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(animating, "measure", None)
    bad: list[tuple[Any, dict[str, Any], str]] = [
        ("a.jpg", {}, r"unknown suffix '.jpg' .*expected one of .webp, .apng"),
        ("no/a.webp", {}, "does not exist"),
        ("frames/%04d.jpg", {}, "single frames are .png or .svg"),
        ([], {}, "needs an output"),
        ("a.webp", {"color": "jacobian"}, "unknown color 'jacobian', expected one of random"),
        ("a.webp", {"edges": "kink"}, "unknown edges 'kink'"),
        ("a.webp", {"cmap": "magma"}, "color 'random' shows none"),
        ("a.webp", {"level": 0.5}, "a level is one of a network with a single output"),
        ("a.webp", {"width": 2.0}, "2 inches wide leaves no room"),
        ("a.webp", {"overlay_data": np.zeros((2, 5))}, r"the points have shape \(5,\), 5 values"),
        ("a.webp", {"radius": 0.0}, "the radius must be a number > 0, got 0"),
        ("a.webp", {"seconds": float("nan")}, "the length in seconds must be a number > 0"),
        (
            "a.webp",
            {"points": np.zeros((2, 5))},
            r"the points have shape \(5,\), 5 values; the network takes \(6,\)",
        ),
    ]
    for out, how, words in bad:
        target = [] if isinstance(out, list) else folder.parent / out
        with pytest.raises(InputError, match=words):
            animate(folder, place, target, **how)


def test_a_notebook_shows_it(folder: Path, place: Place) -> None:
    done = animate(
        folder, place, [folder.parent / "a.html", folder.parent / "a.webp", folder.parent / "frames"], dpi=60
    )
    html = done._repr_html_()
    assert html.startswith("<iframe srcdoc=") and "4 checkpoints" in html
    shown = animate(folder, place, folder.parent / "a.webp", dpi=60)._repr_html_()
    assert 'src="data:image/webp;base64,' in shown
    assert "<img" not in animate(folder, place, folder.parent / "frames", dpi=60)._repr_html_()
