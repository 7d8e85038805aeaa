"""`splineviz estimate`: the same numbers as the library, in every format, and going on after an
interruption."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import splineviz as sv
from splineviz.estimators import bounds
from splineviz.estimators.theory import moments
from splineviz_cli import estimate_job

from .conftest import Result

Command = Callable[..., Result]

ASKED = ("nets:small", "--data", "data.npz", "--radius", "0.05,0.5", "--directions", "2,6")


def rows_of(path: Path) -> list[dict[str, str]]:
    card = json.loads(path.with_name(f"{path.name}.json").read_text(encoding="utf-8"))
    assert card["schema"] == "splineviz.estimate/1"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_pandas_reads_a_csv_without_arguments(nets: Path, splineviz: Command) -> None:
    pandas = pytest.importorskip("pandas")
    assert splineviz("estimate", *ASKED, "-o", "lc.csv", "-o", "lc.json").code == 0
    table = pandas.read_csv("lc.csv")
    rows = json.loads((nets / "lc.json").read_text(encoding="utf-8"))["rows"]
    assert table.columns.tolist() == list(rows[0])
    assert table["value"].tolist() == [row["value"] for row in rows]
    assert table["label"].dtype == int and table["metric"].unique().tolist() == ["lc"]
    assert table["stage"].unique().tolist() == ["all", "0 (1)", "1 (3)"], "numbers from 0, and names"


def test_all_formats_hold_the_counts_of_the_library(nets: Path, splineviz: Command) -> None:
    done = splineviz(
        "estimate",
        *ASKED,
        "--frame",
        "per-point",
        "-o",
        "lc.csv",
        "-o",
        "lc.json",
        "-o",
        "lc.parquet",
        "--json",
    )
    assert done.code == 0, done.err
    x = np.load("data.npz")["x"]
    estimate = sv.local_complexity("nets:small", x, radius=[0.05, 0.5], directions=[2, 6], frame="per-point")
    rows = rows_of(nets / "lc.csv")
    for i, radius in enumerate((0.05, 0.5)):
        for j, p in enumerate((2, 6)):
            found = [
                r
                for r in rows
                if (float(r["radius"]), int(r["directions"]), r["stage"]) == (radius, p, "all")
            ]
            assert [int(r["value"]) for r in found] == estimate.totals[i, j].tolist()
            assert [int(r["label"]) for r in found] == [k % 3 for k in range(10)]
    loaded = json.loads((nets / "lc.json").read_text())
    assert [str(r["value"]) for r in loaded["rows"]] == [r["value"] for r in rows]
    parquet = pytest.importorskip("pyarrow.parquet").read_table("lc.parquet")
    assert parquet["value"].to_pylist() == [float(r["value"]) for r in rows]
    summary = json.loads(done.out)["summary"]
    whole = next(s for s in summary if (s["radius"], s["directions"], s["stage"]) == (0.5, 6, "all"))
    assert (
        whole["mean"] == estimate.totals[1, 1].mean()
        and whole["share_of_zeros"] == (estimate.totals[1, 1] == 0).mean()
    )
    assert whole["interval"][0] < whole["mean"] < whole["interval"][1]
    assert not list(nets.glob("*.partial"))


def test_every_metric_gives_finite_numbers(nets: Path, splineviz: Command) -> None:
    from splineviz_cli.estimate import METRICS

    asked = [part for metric in METRICS for part in ("--metric", metric)]
    precise = ("--dtype", "float32")
    done = splineviz(
        "estimate",
        *ASKED,
        *asked,
        *precise,
        "--samples",
        "2",
        "-o",
        "all.csv",
        "-o",
        "all.parquet",
        "--limit",
        "4",
    )
    assert done.code == 0, done.err
    rows = rows_of(nets / "all.csv")
    assert {r["metric"].split(" ")[0] for r in rows} == {*METRICS, "bound"} - {"bounds"}
    assert np.isfinite([float(r["value"]) for r in rows]).all()
    assert {int(r["point"]) for r in rows if r["metric"] == "lc"} == {0, 1, 2, 3}
    assert {int(r["point"]) for r in rows if r["metric"] == "walk density"} == {0, 1, 2}
    for metric in METRICS:
        assert metric.removesuffix("s") in done.out


def test_bounds_are_those_of_the_library(
    nets: Path, splineviz: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate_job, "PART", 4)
    asked = (
        "--metric",
        "bounds",
        "--metric",
        "rank",
        "--sigma",
        "0.3",
        "--samples",
        "2",
        "--weight-decay",
        "0.01",
    )
    done = splineviz(
        "estimate", "nets:small", "--data", "data.npz", *asked, "-o", "b.json", "-o", "b.csv", "--json"
    )
    assert done.code == 0, done.err
    found = {(b["name"], b["form"]): b for b in json.loads(done.out)["bounds"]}
    assert {name for name, _ in found} == {"(7)", "(8)", "(11)", "(12)", "(13)", "(14)", "(17)"} and len(
        found
    ) == 14
    assert found["(7)", "corrected"]["left"] == found["(8)", "corrected"]["right"] > 0
    for bound in found.values():
        assert bound["holds"] == (None if bound["name"] == "(17)" else bound["left"] <= bound["right"])
        for side in ("left", "right"):
            low, high = bound[f"{side}_interval"]
            assert low <= high and np.isfinite([low, high]).all()
    x = np.load("data.npz")["x"]
    seeds = [int(np.random.SeedSequence([0, first]).generate_state(1)[0]) for first in (0, 4, 8)]
    parts = [
        moments("nets:small", x[4 * k : 4 * k + 4], sigma=0.3, samples=2, seed=seed)
        for k, seed in enumerate(seeds)
    ]
    assert found["(14)", "corrected"]["right"] == bounds.bound_14(parts[0]).right
    for name, made, side in (
        ("(7)", bounds.bound_7, "left"),
        ("(7)", bounds.bound_7, "right"),
        ("(12)", bounds.bound_12, "left"),
    ):
        mean = sum(len(m.variation) * getattr(made(m), side) for m in parts) / 10
        assert found[name, "corrected"][side] == pytest.approx(mean)
    rows = [r for r in rows_of(nets / "b.csv") if r["metric"].startswith("bound")]
    assert len(rows) == 28 and {r["point"] for r in rows} == {""}
    assert sum(r["metric"] == "rank" for r in rows_of(nets / "b.csv")) == 20


def test_bounds_that_do_not_apply_are_named(nets: Path, splineviz: Command) -> None:
    done = splineviz("estimate", "nets:smooth", "--data", "data.npz", "--metric", "bounds", "--samples", "1")
    assert done.code == 0, done.err
    assert (
        "(14) is one on chains of linear layers" in done.err and "(14)" not in done.out and "(8)" in done.out
    )


def test_goes_on_where_it_was_interrupted(
    nets: Path, splineviz: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate_job, "PART", 4)
    whole = splineviz("estimate", *ASKED, "--frame", "per-point", "-o", "whole.csv")
    assert whole.code == 0, whole.err
    begun: list[int] = []
    real = estimate_job.columns_of

    def interrupted(*arguments: Any) -> Any:
        begun.append(arguments[1].first)
        if len(begun) == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(estimate_job, "columns_of", interrupted)
    again = (*ASKED, "--frame", "per-point", "-o", "again.csv")
    assert splineviz("estimate", *again).code == 130
    assert (nets / "again.csv.partial").is_file() and not (nets / "again.csv").exists()
    done = splineviz("estimate", *again)
    assert done.code == 0 and "going on with 2 parts" in done.err and "damaged" not in done.err
    assert begun == [0, 4, 8, 8]
    assert rows_of(nets / "again.csv") == rows_of(nets / "whole.csv")
    assert not (nets / "again.csv.partial").exists()


def test_smooth_networks_have_a_proxy_and_no_walk(nets: Path, splineviz: Command) -> None:
    done = splineviz("estimate", "nets:smooth", "--data", "data.npz", "--directions", "3")
    assert done.code == 0, done.err
    assert splineviz("estimate", "nets:smooth", "--data", "data.npz", "--metric", "walk").code == 3


def test_integers_are_taken_once_the_request_says_how(nets: Path, splineviz: Command) -> None:
    x = np.random.default_rng(2).integers(0, 256, (5, 6), dtype=np.uint8)
    np.savez("pixels.npz", x=x)
    asked = (
        "estimate",
        "nets:small",
        "--data",
        "pixels.npz",
        "--directions",
        "2",
        "--radius",
        "0.5",
        "--json",
    )
    for std in (255, 1):
        done = splineviz(*asked, "--std", str(std))
        assert done.code == 0, done.err
        expected = sv.local_complexity("nets:small", x / std, radius=0.5, directions=2).totals.mean()
        assert json.loads(done.out)["summary"][0]["mean"] == expected


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nets:small",), 2, "--data FILE"),
        ((*ASKED, "--metric", "disagreements"), 4, "compares a lower precision with float64"),
        ((*ASKED, "--metric", "bounds", "--sigma", "0"), 4, "--sigma must be greater than 0"),
        ((*ASKED, "--metric", "bounds", "--eta", "-1"), 4, "--eta must be greater than 0"),
        ((*ASKED, "--metric", "bounds", "--weight-decay", "2"), 4, "--weight-decay must lie between 0 and 1"),
        (
            ("nets:small", "--data", "data.npz", "--metric", "deformation", "--directions", "1"),
            4,
            "at least 2 directions",
        ),
        (("nets:flat", "--data", "data.npz", "--directions", "2"), 4, "the network has no unit"),
        ((*ASKED, "-o", "lc.txt"), 4, "expected one of .csv, .parquet, .json"),
        ((*ASKED, "-o", "lc.csv", "-o", "lc.csv"), 2, "the same -o is given twice"),
        ((*ASKED, "-o", "lc.csv", "-o", "lc.csv.json"), 2, "lc.csv.json is written beside lc.csv"),
        (("nets:small", "--data", "data.npz", "--radius", "0"), 4, "the radius must be greater than 0"),
        (("nets:small", "--data", "data.npz", "--directions", "7"), 4, "7 orthonormal directions do not fit"),
        (
            ("nets:small", "--data", "raw.npy"),
            4,
            "the data are integers (uint8, 0 to 200), and nothing says how",
        ),
        (("nets:small", "--data", "raw.npy", "--std", "0"), 4, "--std must be greater than 0"),
        (
            ("nets:small", "--data", "spoilt.npy", "--directions", "2"),
            4,
            "1 of 3 points hold NaN",
        ),
        (("nets:small", "--data", "images.npy"), 4, "36 values; the network takes (6,), 6 values"),
        (
            ("nets:small", "--data", "data.npz", "--directions", "2", "--metric", "walk", "--limit", "1"),
            4,
            "at least two points",
        ),
    ],
)
def test_bad_requests(
    nets: Path, splineviz: Command, arguments: tuple[str, ...], code: int, words: str
) -> None:
    np.save("raw.npy", np.array([[0, 50, 100, 150, 200, 7]] * 3, dtype=np.uint8))
    np.save("spoilt.npy", np.array([[0.0] * 6, [0.0] * 5 + [np.nan], [1.0] * 6]))
    done = splineviz("estimate", *arguments)
    assert done.code == code
    assert words in done.err.replace("\n", " ")
