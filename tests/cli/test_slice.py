"""`splineviz slice`, from the files of a user to the files for a user."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import splineviz as sv
from splineviz_cli.preprocessing import Preprocessing

from .conftest import OWN_WEIGHTS, Result

Command = Callable[..., Result]

POINTS = ("nets:small", "--data", "data.npz", "--points", "3,1,4")


def report(done: Result) -> dict[str, Any]:
    assert done.code == 0, done.err
    parsed = json.loads(done.out)
    assert isinstance(parsed, dict)
    return parsed


def expected(
    nets: Path, model: str = "nets:small", rows: tuple[int, ...] = (3, 1, 4), **how: Any
) -> sv.Arrangement:
    x = np.load(nets / "data.npz")["x"]
    return sv.slice(model, [x[row] for row in rows], **how)


def test_json_has_the_promised_fields_and_the_counts_of_the_library(nets: Path, splineviz: Command) -> None:
    got, arr = report(splineviz("slice", *POINTS, "--json")), expected(nets)
    assert got["schema"] == "splineviz.slice/1"
    assert (got["cells"], got["linear_regions"]) == (arr.n_cells, arr.n_linear_regions)
    assert (got["vertices"], got["edges"]) == (arr.n_vertices, arr.n_edges)
    assert got["cells_per_stage"] == list(arr.stats.cells_per_stage)
    stats, exact = arr.stats, got["exact"]
    assert (exact["certified"], exact["certify"], exact["undecided"]) == (True, "fast", 0)
    assert (exact["decisions"], exact["proven"], exact["re_evaluated"]) == (
        stats.decisions,
        stats.decisions,
        stats.re_evaluated,
    )
    assert exact["decisions_per_stage"] == exact["proven_per_stage"] == list(stats.decisions_per_stage)
    assert exact["smallest_cell"] == arr.areas.min() and 0 < exact["largest_bound"] < 1e-9
    assert got["provenance"]["exact"] == exact
    assert got["status"] == "complete" and got["seconds"] > 0 and got["files"] == []
    assert got["provenance"]["program"]["name"] == "nets:small"


def test_table_says_the_same(nets: Path, splineviz: Command) -> None:
    done = splineviz("slice", *POINTS, "-o", "x.png")
    rows = dict(line.split("  ", 1) for line in done.out.splitlines())
    assert rows["cells"].strip() == f"{expected(nets).n_cells:,}"
    assert rows["written"].strip() == "x.png"
    assert rows["decisions"].strip() == f"all {expected(nets).stats.decisions:,} decisions are proven"
    assert done.err.splitlines() == [OWN_WEIGHTS]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--data", "data.npy", "--points", "3,1,4"),
        ("--data", "data.pt", "--points", "3,1,4"),
        ("--data", "data.npz", "--key", "x", "--points", "3,-9,4"),
        ("--data", "data.npz", "--points", "3,1,4", "--input-shape", "6"),
    ],
    ids=["npy", "pt", "key", "shape"],
)
def test_every_way_to_name_the_same_points_gives_the_same_cells(
    arguments: tuple[str, ...], nets: Path, splineviz: Command
) -> None:
    assert report(splineviz("slice", "nets:small", *arguments, "--json"))["cells"] == expected(nets).n_cells


def test_points_may_be_files(nets: Path, splineviz: Command) -> None:
    got = report(splineviz("slice", "nets:small", "--points", "a.npy,b.npy,c.npy", "--json"))
    assert got["cells"] == expected(nets, rows=(0, 1, 2)).n_cells


def test_every_format_is_written_and_the_archive_reads_back(nets: Path, splineviz: Command) -> None:
    names = ["x.png", "x.svg", "x.pdf", "x.npz", "x.geojson"]
    got = report(splineviz("slice", *POINTS, "--json", *(word for name in names for word in ("-o", name))))
    assert got["files"] == names
    starts = {"x.png": b"\x89PNG", "x.svg": b"<?xml", "x.pdf": b"%PDF", "x.npz": b"PK", "x.geojson": b"{"}
    assert all((nets / name).read_bytes().startswith(start) for name, start in starts.items())
    assert sv.load(nets / "x.npz").n_cells == got["cells"]
    assert len(json.loads((nets / "x.geojson").read_text())["features"]) >= got["cells"]


def test_a_neighbourhood_is_a_diamond_on_a_seeded_plane(nets: Path, splineviz: Command) -> None:
    at = ("slice", "nets:small", "--data", "data.npz", "--at", 2, "--radius", 0.5)
    first = report(splineviz(*at, "-o", "x.npz", "--json"))
    arr = sv.load(nets / "x.npz")
    np.testing.assert_array_equal(arr.windows[0].vertices, sv.Window.diamond(0.5).vertices)
    np.testing.assert_array_equal(arr.planes[0].origin, np.load(nets / "data.npz")["x"][2])
    assert first["provenance"]["seed"] == 0
    report(splineviz(*at, "--seed", 1, "-o", "y.npz", "--json"))
    assert not np.array_equal(arr.planes[0].basis, sv.load(nets / "y.npz").planes[0].basis)


def test_a_network_of_two_inputs_needs_only_a_box(nets: Path, splineviz: Command) -> None:
    got = report(splineviz("slice", "nets:plane", "--box", "-9,9,-9,9", "--json"))
    arr = sv.arrange(sv.load_program("nets:plane"), sv.Plane.identity(), sv.Window.box(-9, 9, -9, 9))
    assert got["cells"] == arr.n_cells > 8


def test_images_shape_the_input_of_a_convolution_and_are_the_thumbnails(
    nets: Path, splineviz: Command
) -> None:
    conv = (
        "nets:conv",
        "--input-shape",
        "1,6,6",
        "--data",
        "images.npy",
        "--points",
        "0,1,2",
        "--mean",
        "0.5",
        "--std",
        "0.25",
    )
    drawn = (
        "--valid-range",
        "0,1",
        "--overlay-data",
        1,
        "--color",
        "class",
        "--edges",
        "kink",
        "--class-names",
        "red,green,blue",
    )
    done = splineviz("slice", *conv, *drawn, "-o", "x.npz", "-o", "x.svg")
    assert done.code == 0, done.err
    arr = sv.load(nets / "x.npz")
    assert arr.planes[0].input_shape == (1, 6, 6)
    first = np.load(nets / "images.npy")[0]
    np.testing.assert_allclose(arr.planes[0].origin, ((first - 0.5) / 0.25).ravel(), rtol=1e-15)
    assert (nets / "x.svg").read_text().count("<image") >= 3


def test_the_valid_range_follows_the_mean_and_std_of_each_channel(nets: Path, splineviz: Command) -> None:
    np.save(nets / "rgb.npy", np.random.default_rng(0).random((3, 3, 4, 4)))
    given = (
        "--data",
        "rgb.npy",
        "--points",
        "0,1,2",
        "--mean",
        "0.5,0.4,0.3",
        "--std",
        "0.2,0.25,0.5",
        "--valid-range",
        "0,1",
    )
    done = splineviz("slice", "nets:channels", *given, "-o", "x.svg")
    assert done.code == 0, done.err
    scaled = Preprocessing.make(None, (0.5, 0.4, 0.3), (0.2, 0.25, 0.5))
    low, high = scaled.range(0.0, 1.0, (3, 4, 4), None)
    assert np.shape(low) == np.shape(high) == (3, 4, 4)
    np.testing.assert_allclose(np.asarray(low)[:, 1, 2], [-2.5, -1.6, -0.6])
    np.testing.assert_allclose(np.asarray(high)[:, 1, 2], [2.5, 2.4, 1.4])
    assert Preprocessing.make(None, (0.0,), (1.0,)).range(0.0, 1.0, (3, 4, 4), None) == (0.0, 1.0)


def test_undecided_is_told_and_no_error(
    nets: Path, splineviz: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dataclasses

    from splineviz.engine.arrange import arrange

    def doubtful(*given: Any, **how: Any) -> sv.Arrangement:
        arr = arrange(*given, **how)
        proven = (*arr.stats.proven_per_stage[:-1], arr.stats.proven_per_stage[-1] - 2)
        stats = dataclasses.replace(
            arr.stats, undecided=2, proven=arr.stats.proven - 2, proven_per_stage=proven
        )
        return dataclasses.replace(arr, status=sv.Status.UNDECIDED, stats=stats)

    monkeypatch.setattr("splineviz.engine.arrange.arrange", doubtful)
    got = report(splineviz("slice", *POINTS, "--json"))
    assert got["status"] == "undecided" and (got["exact"]["certified"], got["exact"]["undecided"]) == (
        False,
        2,
    )
    assert got["provenance"]["exact"] == got["exact"]
    stage, decisions = len(got["cells_per_stage"]) - 1, got["exact"]["decisions"]
    told = f"2 of {decisions:,} decisions are not proven, the first of them in stage {stage}"
    assert told in splineviz("slice", *POINTS).out
    assert splineviz("slice", *POINTS, "--certify", "full").code == 5, (
        "what was asked for in full is not done in full"
    )


def test_nothing_is_proven_if_nobody_wants_it(nets: Path, splineviz: Command) -> None:
    done = splineviz("slice", *POINTS, "--certify", "off")
    assert done.code == 0 and "no decision is proven" in done.out


def test_the_shape_of_the_points_tells_what_the_model_does_not(nets: Path, splineviz: Command) -> None:
    x = np.load(nets / "images.npy")
    np.save(nets / "channel.npy", x[:, None])
    told = splineviz(
        "slice", "nets:conv", "--input-shape", "1,6,6", "--data", "images.npy", "--points", "0,1,2", "--json"
    )
    found = splineviz("slice", "nets:conv", "--data", "channel.npy", "--points", "0,1,2", "--json")
    assert report(found)["cells"] == report(told)["cells"]


def test_a_transform_is_applied_to_each_point(nets: Path, splineviz: Command) -> None:
    given = ("--data", "images.npy", "--points", "0,1,2", "--transform", "nets:first_six", "-o", "x.npz")
    assert splineviz("slice", "nets:small", *given).code == 0
    np.testing.assert_array_equal(
        sv.load(nets / "x.npz").planes[0].origin, np.load(nets / "images.npy")[0].ravel()[:6]
    )


def test_stage_stops_early(nets: Path, splineviz: Command) -> None:
    got = report(
        splineviz("slice", *POINTS, "--stage", 0, "--json", "-o", "x.png", "-o", "x.npz", "-o", "x.geojson")
    )
    assert got["linear_regions"] is None
    assert got["cells_per_stage"] == report(splineviz("slice", *POINTS, "--json"))["cells_per_stage"][:1]


def test_one_output_has_a_level_set_and_keeps_the_cells(nets: Path, splineviz: Command) -> None:
    whole, one = (
        report(splineviz("slice", *POINTS, *more, "--json")) for more in ((), ("--output-index", "1"))
    )
    assert one["cells"] == whole["cells"]
    assert one["provenance"]["program"]["digest"] != whole["provenance"]["program"]["digest"]


def test_decisions_are_one_stage_more(nets: Path, splineviz: Command) -> None:
    plain, decided = (
        report(splineviz("slice", *POINTS, "--margin", 3, *more, "--json")) for more in ((), ("--decisions",))
    )
    assert decided["cells_per_stage"][:-1] == plain["cells_per_stage"]
    assert decided["cells"] > plain["cells"] and decided["linear_regions"] == plain["linear_regions"]


def test_a_picture_is_the_same_bytes_each_time(nets: Path, splineviz: Command) -> None:
    for name in ("x.svg", "y.svg"):
        assert splineviz("slice", *POINTS, "--margin", 1, "-o", name).code == 0
    assert (nets / "x.svg").read_bytes() == (nets / "y.svg").read_bytes()


def test_notes_are_on_stderr_and_quiet_is_quiet(nets: Path, splineviz: Command) -> None:
    assert "no -o FILE" in splineviz("slice", *POINTS).err
    assert splineviz("slice", *POINTS, "--quiet").err == ""


def test_a_finished_but_incomplete_result_is_written_and_exits_with_5(
    nets: Path, splineviz: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dataclasses

    from splineviz.engine.arrange import arrange

    def out_of_budget(*given: Any, **how: Any) -> sv.Arrangement:
        return dataclasses.replace(arrange(*given, **how), status=sv.Status.INCOMPLETE)

    monkeypatch.setattr("splineviz.engine.arrange.arrange", out_of_budget)
    done = splineviz("slice", *POINTS, "--json", "-o", "x.npz")
    assert done.code == 5
    assert json.loads(done.out)["status"] == "incomplete"
    assert sv.load(nets / "x.npz").status is sv.Status.INCOMPLETE


def test_the_demo_draws_its_three_digits(tmp_path: Path, splineviz: Command) -> None:
    got = report(splineviz("slice", "demo", "--json", "-o", tmp_path / "demo.svg"))
    assert got["cells"] > 1000
    assert (tmp_path / "demo.svg").stat().st_size > 100_000


def test_logits_of_a_classifier_are_those_of_the_network_without_its_softmax(
    nets: Path, splineviz: Command
) -> None:
    points = POINTS[1:]
    assert splineviz("slice", "nets:classifier", *points).code == 3
    got = report(splineviz("slice", "nets:classifier", *points, "--logits", "--json", "-o", "x.npz"))
    assert got["cells"] == expected(nets).n_cells == expected(nets, "nets:classifier", logits=True).n_cells
    assert got["cut_off"] == got["provenance"]["program"]["cut_off"] == "softmax in 1 (Softmax)"
    loaded = sv.load("x.npz")
    assert loaded.info is not None and loaded.info.cut_off == "softmax in 1 (Softmax)"
    assert (
        "cut off           softmax in 1 (Softmax): the outputs"
        in splineviz("slice", "nets:classifier", *points, "--logits").out
    )


@pytest.mark.parametrize("color", ["value", "class"])
def test_looks_of_a_picture(color: str, nets: Path, splineviz: Command) -> None:
    where = ("nets:plane", "--box=-1,1,-1,1", "-o", "x.svg")
    with torch.no_grad():
        level = round(
            float(sv.load_program("nets:plane").forward(torch.full((1, 2), 0.1, dtype=torch.float64))), 3
        )
    done = splineviz(
        "slice", *where, "--color", color, "--level", level, "--text", "--width", 4, "--edges", "none"
    )
    assert done.code == 0, done.err
    svg = Path("x.svg").read_text(encoding="utf-8")
    assert 'width="288pt"' in svg and f">output = {level:g}</text>" in svg and ">stage 0" not in svg
    assert (f"output &gt; {level:g}" in svg) == (color == "class") and ("<image" in svg) == (color == "value")
    assert splineviz("slice", *where, "--no-boundary", "--no-legend", "--no-ticks", "--text").code == 0
    svg = Path("x.svg").read_text(encoding="utf-8")
    assert ">output" not in svg and ">stage" not in svg and "0.5 (input distance)" in svg


@pytest.mark.parametrize(
    ("looks", "code", "message"),
    [
        (("--cmap", "magna", "--color", "norm"), 4, "unknown colour map 'magna'"),
        (("--cmap", "magma"), 4, "color 'random' shows none"),
        (("--color", "value"), 4, "no use"),
        (("--level", "nan"), 2, "'--level': expected a finite number"),
        (("--level", "0.5"), 4, "a single output"),
        (("--width", "0.5"), 2, "--width"),
        (("--dpi", "0"), 2, "--dpi"),
        (("--affine",), 2, "--affine is for -o FILE.npz"),
    ],
)
def test_looks_that_cannot_be(
    looks: tuple[str, ...], code: int, message: str, nets: Path, splineviz: Command
) -> None:
    more = ("--cmap", "gray") if looks[-1] == "value" else ()
    done = splineviz("slice", *POINTS, "-o", "x.png", *looks, *more)
    assert (done.code, message in done.err) == (code, True), done.err
    assert not Path("x.png").exists()
