"""Statistics of studies whose truth is known."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from splineviz.errors import InputError
from splineviz.validation.calibration import BINS, FEWEST, calibration, zaslavsky
from splineviz.validation.cluster_bootstrap import point_weights
from splineviz.validation.findings import Findings, findings
from splineviz.validation.frame_effects import largest_of
from splineviz.validation.training_curves import Course, moves
from splineviz.validation.verdict import verdict
from tests.validation.synthetic import ARRIVAL, given_up, synthetic

RESAMPLES = 200


def found_in(kind: str = "noisy", **how: object) -> Findings:
    return findings(synthetic(kind, **how), resamples=RESAMPLES)


def test_perfect_agreement() -> None:
    found = found_in("perfect")
    for radius in range(2):
        same = found.agreement(radius, "P = 2")
        assert same.tau.value == pytest.approx(1.0)
        assert same.spearman.value == pytest.approx(1.0)
        assert same.tau.low == pytest.approx(1.0)
        assert found.miss_rate(radius).value == 0.0
        match = found.matches[radius]
        assert match.equal == match.all_found == match.no_crossing == 1.0
        assert match.beyond_zaslavsky == 0.0
    terms = {
        (t.radius, t.term): t.share.value for t in found.terms if t.checkpoint is None and t.stage is None
    }
    assert terms[0, "n_sep"] == terms[1, "n_sep"] == 1.0
    assert found.check({"tau-same": 0.99, "found": 0.99}) == []


def test_no_agreement() -> None:
    study = synthetic("none", points=300, radii=(0.1,))
    same = findings(study, resamples=RESAMPLES).agreement(0, "P = 2").tau
    assert same.low is not None and same.high is not None
    assert same.low < 0 < same.high
    assert abs(same.value or 1) < 0.1


def test_nothing_is_cut() -> None:
    study = synthetic("zeros")
    found = findings(study, resamples=RESAMPLES)
    tau = found.agreement(0, "P = 25").tau
    assert str(tau) == "undefined"
    assert tau.note == "undefined at every checkpoint: all of the first are 0"
    assert str(found.miss_rate(0)) == "undefined"
    assert {row.zeros for row in found.ties} == {1.0}
    failed = found.check({"tau": -1.0})
    assert (
        failed[0]
        == "tau is undefined at r = 0.01, below -1 (undefined at every checkpoint: all of the first are 0)"
    )
    text = json.dumps(found.to_json(), allow_nan=False)
    assert "undefined at every checkpoint" in text
    assert all("nan" not in sentence.lower() for sentence in verdict(study, found))


def test_one_checkpoint_one_plane_no_metrics() -> None:
    study = replace(synthetic(checkpoints=1, planes=1, frames=1), metrics={})
    found = findings(study, resamples=RESAMPLES)
    assert found.agreement(0, "P = 25", across=True).tau.note == "1 checkpoint: at least 3 are needed"
    assert found.along == [] and found.planes == []
    assert {row.share.note for row in found.frames} == {"one frame"}
    assert all(course.moves == [] for course in found.courses)
    assert "checkpoint" not in verdict(study, found)[0].lower().replace("within a checkpoint", "")
    json.dumps(found.to_json(), allow_nan=False)


def test_what_was_given_up_is_left_out_and_counted() -> None:
    """The rest is what it would be without it."""
    study = given_up(synthetic(planes=1, frames=1, radii=(0.1,)), share=0.3)
    lost = ~study.counted[0, 0, 0]
    found = findings(study, resamples=RESAMPLES)
    row = next(w for w in found.within if (w.checkpoint, w.estimate, w.exact) == (0, "P = 25", "R"))
    x, y = study.proxy(25)[0, 0, 0, ~lost], study.cells[0, 0, 0, ~lost, -1]
    assert row.tau.value == pytest.approx(stats.kendalltau(x, y).statistic)
    assert row.tau.sample == (~lost).sum()
    assert found.doubts[0].given_up == (~study.counted).sum() > 0
    assert f"{found.doubts[0].given_up} were given up" in " ".join(verdict(study, found))


def test_within_is_not_across() -> None:
    """Curves that rise together, of points that have nothing in common."""
    study = synthetic("none", checkpoints=6, course=np.arange(1.0, 7.0), points=200, radii=(0.1,), planes=1)
    found = findings(study, resamples=RESAMPLES)
    assert abs(found.agreement(0, "P = 2").tau.value or 1) < 0.1
    assert (found.agreement(0, "P = 2", across=True).tau.value or 0) > 0.8


def test_means_over_checkpoints_leave_out_where_it_is_undefined() -> None:
    study = synthetic(checkpoints=3, course=np.array([0.0, 1.0, 1.0]), radii=(0.1,))
    zero = {name: getattr(study, name).copy() for name in ("n_sep", "cut", "first", "cells")}
    for name, array in zero.items():
        array[0] = name == "cells"
    found = findings(replace(study, **zero), resamples=RESAMPLES)
    tau = found.agreement(0, "P = 2").tau
    each = [
        w.tau.value
        for w in found.within
        if (w.estimate, w.exact) == ("P = 2", "R") and w.checkpoint in (1, 2)
    ]
    assert tau.value == pytest.approx(np.mean(each))
    assert tau.note == "undefined at 1 of 3 checkpoints, which the mean leaves out"


def course_of(mean: list[float], noise: float = 0.01) -> Course:
    rng = np.random.default_rng(0)
    return Course(
        0,
        "R",
        np.array(mean, dtype=float),
        np.array(mean) + noise * rng.standard_normal((500, len(mean))),
        100,
    )


@pytest.mark.parametrize(
    ("mean", "expected"),
    [
        ([3, 2, 1, 2, 2.9, 1.1], [(0, 2), (2, 4), (4, 5)]),
        ([1, 2, 3], [(0, 2)]),
        ([1, 1, 1], []),
        ([3, 2.99, 2.98, 1, 1.05, 1.02], [(0, 3)]),
        ([1, 3, 2.9, 3.01, 1.02], [(0, 3), (3, 4)]),
    ],
)
def test_moves(mean: list[float], expected: list[tuple[int, int]]) -> None:
    """Small ones are none, and of ends the farthest are taken."""
    found = moves(course_of(mean))
    assert [(move.start, move.end) for move in found] == expected
    for move in found:
        assert move.change.low is not None and move.change.high is not None
        assert move.change.low < mean[move.end] - mean[move.start] < move.change.high


def test_noise_is_no_move() -> None:
    """Curves of nothing but noise move in about one of twenty studies."""
    moved = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        values = rng.standard_normal((8, 50))
        weights = point_weights(50, 300, seed)
        moved += bool(moves(Course(0, "R", values.mean(1), weights @ values.T / 50, 50)))
    assert moved <= 14  # 5 expected, and 4 standard errors


def test_double_descent() -> None:
    assert course_of([3, 1, 2, 0]).double_descent
    assert not course_of([3, 1, 2, 2]).double_descent
    assert not course_of([1, 3, 0, 1]).double_descent


def test_calibration_of_a_known_relation() -> None:
    study = synthetic("perfect", points=300)
    bins = calibration(study, 2, point_weights(300, RESAMPLES, 0))
    for b in bins:
        assert b.cells.value == pytest.approx(b.one_more)
        assert b.zaslavsky >= b.one_more
        assert b.cells.sample >= FEWEST
    for radius in range(2):
        here = [b for b in bins if b.radius == radius]
        assert sum(b.cells.sample for b in here) == study.counted[:, radius].sum()
        assert all(a.high < b.low for a, b in pairwise(here))
        assert len(here) <= BINS
    assert zaslavsky(np.array([3])).tolist() == [7.0]


def test_the_sweep_is_what_the_normals_say() -> None:
    assert [largest_of(p) for p in (1, 2, 5, 10, 20, 25)] == pytest.approx(ARRIVAL, abs=1e-5)
    study = synthetic(directions=(2, 5, 25), points=400, frames=5, radii=(0.1,))
    found = findings(study, resamples=RESAMPLES)
    for row in found.sweep:
        assert row.ratio.low is not None and row.ratio.high is not None
        assert row.ratio.low - 0.05 <= row.expected <= row.ratio.high + 0.05


def test_variance_of_frames() -> None:
    """Equal in all frames, different in all points; and the other way round; and half and half."""
    study = synthetic(frames=8, planes=1, radii=(0.1,), checkpoints=1, points=500)
    rng = np.random.default_rng(0)
    of_point, of_frame = rng.integers(0, 100, (1, 500)), rng.integers(0, 100, (8, 1))
    each = rng.integers(0, 100, (8, 500))
    for counts, share in (
        (of_point + 0 * of_frame, 0.0),
        (of_frame + 0 * of_point, 1.0),
        (of_point + each, 0.5),
    ):
        n_sep = np.zeros_like(study.n_sep)
        n_sep[0, 0, 0, :, :, 0] = counts
        changed = replace(
            study,
            n_sep=n_sep,
            cut=n_sep[:, :, 0, :1],
            first=n_sep[:, :, 0, :1],
            cells=1 + np.cumsum(n_sep[:, :, 0, :1], -1, dtype=np.int32),
        )
        row = next(f for f in findings(changed, resamples=RESAMPLES).frames if f.quantity == "P = 2")
        assert row.share.value == pytest.approx(share, abs=0.03)


def test_more_planes_rank_better() -> None:
    study = synthetic(planes=8, frames=8, points=300, radii=(0.1,), checkpoints=1)
    rows = findings(study, resamples=RESAMPLES).planes
    exact = {row.k: row.tau.value or 0 for row in rows if row.quantity == "R"}
    assert list(exact) == [1, 2, 4]
    assert exact[1] < exact[2] < exact[4]
    assert {row.k + row.others for row in rows} == {8}


def test_thresholds() -> None:
    found = found_in()
    lines = found.check({"tau": 1.1, "found": 0.0})
    assert len(lines) == 2
    assert lines[0].startswith("tau is 0.") and lines[0].endswith("at r = 0.01, below 1.1")
    with pytest.raises(InputError, match="unknown threshold pearson; known are tau, spearman, tau-same"):
        found.check({"pearson": 0.5})


def test_the_same_seed_gives_the_same_findings() -> None:
    assert found_in().to_json() == found_in().to_json()
