"""Validations: what is in a study is what the estimators and the arrangement say; and work that was
interrupted goes on."""

from __future__ import annotations

import shutil
import time
import warnings
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.engine.budget import Budget
from splineviz.errors import InputError, SplinevizWarning
from splineviz.estimators.baselines import first_order
from splineviz.estimators.deformation import deformation
from splineviz.neighbourhoods.counts import UNCOUNTED, local_counts
from splineviz.neighbourhoods.diamonds import plane_frames
from splineviz.validation import Validation, findings, job
from splineviz.validation.design import Design
from splineviz.validation.study import Study, array_fields
from tests.estimators.nets import perceptron
from tests.io.faults import SOME

X = np.random.default_rng(3).standard_normal((14, 6))
ASKED: dict[str, Any] = {
    "radii": 0.3,
    "medians": 2,
    "directions": (2, 5),
    "frames": 3,
    "planes": 2,
    "examples": 1,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three checkpoints of one network."""
    path = tmp_path_factory.mktemp("run")
    for step, seed in ((1, 0), (10, 1), (100, 2)):
        net = perceptron(6, 12, 12, 3, seed=seed)
        torch.save(
            {"state_dict": net.state_dict(), "step": step, "metrics": {"train_accuracy": step / 100}},
            path / f"{step}.pt",
        )
    return path


@pytest.fixture(scope="module")
def runs(folder: Path) -> sv.Checkpoints:
    return sv.Checkpoints(perceptron(6, 12, 12, 3, seed=9), folder)


@pytest.fixture(scope="module")
def study(runs: sv.Checkpoints) -> Study:
    return sv.validate(runs, X, jobs=1, about={"command": "here"}, **ASKED)


def test_it_holds_what_the_estimators_and_the_arrangement_say(runs: sv.Checkpoints, study: Study) -> None:
    assert study.steps.tolist() == [1, 10, 100] and study.metrics["train_accuracy"].tolist() == [
        0.01,
        0.1,
        1.0,
    ]
    assert study.radius_labels == ("r = 0.3", "median 2 cuts") and study.directions == (2, 5)
    for i, program in enumerate(runs):
        for j, r in enumerate(study.radii):
            exact = local_counts(
                program, X, radius=float(r), axes=plane_frames(6, 14, 2, "shared", 0), regions=True
            )
            for name in ("cells", "cut", "first", "regions"):
                assert np.array_equal(getattr(study, name)[i, j], getattr(exact, name)[0]), name
            for f in range(3):
                proxy = sv.local_complexity(program, X, radius=float(r), directions=(2, 5), seed=f)
                assert np.array_equal(study.n_sep[i, j, :, f], proxy.counts[0])
            assert np.array_equal(study.first_order[i, j], first_order(program, X, radius=float(r)).sum(1))
            sizes = deformation(program, X, radius=float(r), directions=5)
            np.testing.assert_allclose(study.eccentricity[i, j], sizes.eccentricity[:, :-1].mean(0))
    assert (study.n_sep[:, :, 0, :2] <= study.cut).all(), "the proxy has no false positives"
    assert all((times > 0).all() for times in study.seconds.values())
    assert (study.decisions > 0).all() and not study.undecided.any()


def test_a_radius_by_what_it_cuts_cuts_so_much(study: Study) -> None:
    assert np.median(study.cut[:, 1, 0].sum(-1)) == 2


def test_examples_are_the_neighbourhoods_that_they_say(runs: sv.Checkpoints, study: Study) -> None:
    assert [example.kind for example in study.examples] == ["best", "worst"]
    shares = []
    for e in study.examples:
        at = e.checkpoint, e.radius, e.plane, e.point
        assert e.arrangement.n_cells == study.cells[at][-1] and e.cut == study.cut[at].sum()
        assert e.n_sep == study.n_sep[e.checkpoint, e.radius, 0, e.plane, e.point].sum()
        shares.append(e.n_sep / (e.arrangement.n_cells - 1))
    assert shares[0] > shares[1]


def same(a: Study, b: Study) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name, _, _ in array_fields())


def test_a_result_is_named_by_all_that_it_depends_on(runs: sv.Checkpoints) -> None:
    design, program = Design(), runs[0]
    key = job.Job(program, X, 0.3, design).key("p")
    changed = {
        "directions": (2, 3),
        "frames": 9,
        "planes": 1,
        "frame": "per-point",
        "seed": 1,
        "certify": "full",
        "seconds": 1.0,
    }
    of_others = {"radii", "medians", "examples"}
    assert set(changed) | of_others == {field.name for field in fields(Design)}
    others = [job.Job(program, X, 0.3, replace(design, **{name: v})).key("p") for name, v in changed.items()]
    others += [
        job.Job(program, X, np.nextafter(0.3, 1), design).key("p"),
        job.Job(program, X, 0.3, design).key("q"),
    ]
    others.append(job.Job(runs[1], X, 0.3, design).key("p"))
    assert len({key, *others}) == len(others) + 1
    same_ones = [
        replace(design, radii=(0.1, 0.3)),
        replace(design, medians=(7,)),
        replace(design, examples=0),
    ]
    assert {job.Job(program, X, 0.3, one).key("p") for one in same_ones} == {key}


def test_killed_at_any_moment_it_goes_on_to_the_same_study(
    runs: sv.Checkpoints, study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, done = job.Job.run, []

    def some(self: job.Job) -> dict[str, np.ndarray]:
        if len(done) % 3 == 2:
            done.append(None)
            raise KeyboardInterrupt
        done.append(self.radius)
        return whole(self)

    monkeypatch.setattr(job.Job, "run", some)
    ended: Study | None = None
    for _ in range(4):
        try:
            ended = sv.validate(runs, X, jobs=1, folder=tmp_path, **ASKED)
            break
        except KeyboardInterrupt:
            (tmp_path / "half.npz").write_bytes(b"what a kill may leave")
    assert ended is not None and same(ended, study)
    assert len([d for d in done if d]) == 6, "no job was done twice"


def test_nobody_is_at_work_any_more_after_an_error(
    runs: sv.Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread within torch when the process ends would abort it."""
    begun, ended = [], []

    def slow(self: job.Job) -> dict[str, np.ndarray]:
        begun.append(self)
        if len(begun) == 2:
            raise RuntimeError("no")
        time.sleep(0.5)
        ended.append(self)
        return {}

    monkeypatch.setattr(job.Job, "run", slow)
    with pytest.raises(RuntimeError, match="no"):
        sv.validate(runs, X, jobs=2, **ASKED)
    assert len(ended) == len(begun) - 1


@pytest.fixture(scope="module")
def finished(runs: sv.Checkpoints, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all jobs of the study."""
    path = tmp_path_factory.mktemp("work")
    sv.validate(runs, X, jobs=1, folder=path, **ASKED)
    return path


@pytest.mark.parametrize("fault", SOME.values(), ids=SOME)
def test_a_damaged_result_is_made_anew(
    fault: Any, finished: Path, runs: sv.Checkpoints, study: Study, tmp_path: Path
) -> None:
    work = Path(shutil.copytree(finished, tmp_path / "work"))
    first, second, *_ = sorted(work.glob("*.npz"))
    fault(first, second)
    with pytest.warns(SplinevizWarning, match="is damaged, or was kept under another name: finished jobs"):
        assert same(sv.validate(runs, X, jobs=1, folder=work, **ASKED), study)
    with warnings.catch_warnings(action="error", category=SplinevizWarning):
        assert same(sv.validate(runs, X, jobs=1, folder=work, **ASKED), study)


def test_shares_of_several_processes_make_one_study(
    runs: sv.Checkpoints, study: Study, tmp_path: Path
) -> None:
    counts = [Validation(runs, X, ASKED, tmp_path).work(1, shard=(i, 4)) for i in (3, 1, 2, 4)]
    assert counts[-1] == (6, 6) and counts[0][0] in (1, 2)
    made = {path.stat().st_mtime_ns for path in tmp_path.glob("*.npz")}
    assert same(Validation(runs, X, ASKED, tmp_path).run(1), study)
    assert made == {path.stat().st_mtime_ns for path in tmp_path.glob("*.npz")}, "nothing was done again"


def test_workers_share_the_memory_and_no_count_depends_on_it(
    runs: sv.Checkpoints, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches, given = Budget.batches, set()

    def noted(self: Budget, *how: Any) -> list[tuple[int, int]]:
        given.add(self.max_memory)
        return batches(self, *how)

    monkeypatch.setattr(Budget, "batches", noted)
    found = sv.validate(runs, X, jobs=2, max_memory=20_000, **ASKED)
    assert given == {20_000, 10_000}, "radii and examples have no other work beside them"
    for name in ("cells", "cut", "first", "regions"):
        np.testing.assert_array_equal(getattr(found, name), getattr(study, name))
    with pytest.raises(InputError, match="max_memory must be a whole number of at least 1, got -1"):
        sv.validate(runs, X, max_memory=-1, **ASKED)


def test_any_number_of_workers_gives_the_same(runs: sv.Checkpoints, study: Study) -> None:
    assert same(sv.validate(runs, X, jobs=2, **ASKED), study)


def test_wider_requests_use_what_is_done(runs: sv.Checkpoints, tmp_path: Path) -> None:
    sv.validate(runs, X, jobs=1, folder=tmp_path, **ASKED)
    before = set(tmp_path.iterdir())
    sv.validate(runs, X, jobs=1, folder=tmp_path, **(ASKED | {"radii": (0.3, 0.1)}))
    assert before < set(tmp_path.iterdir()) and len(set(tmp_path.iterdir()) - before) == 3


def test_one_model_with_maxima_and_a_plane_for_each_point() -> None:
    torch.manual_seed(4)
    layers = [
        nn.Conv2d(1, 3, 3),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(27, 5),
        nn.ReLU(),
        nn.Linear(5, 2),
    ]
    program = sv.load_program(nn.Sequential(*layers).double().eval(), input_shape=(1, 8, 8))
    x = torch.randn(6, 1, 8, 8, dtype=torch.float64)
    study = sv.validate(
        program, x, radii=0.4, medians=(), directions=4, frames=2, planes=1, frame="per-point", jobs=1
    )
    proxy = sv.local_complexity(program, x, radius=0.4, directions=(2, 4), frame="per-point", seed=1)
    assert np.array_equal(study.n_sep[0, 0, :, 1], proxy.counts[0]) and study.steps.tolist() == [0]
    assert (study.n_sep[:, :, 0, :1] <= study.cut).all()
    assert (study.first_order == UNCOUNTED).all() and {
        a.estimate for a in findings(study, resamples=20).within
    } == {
        "P = 2",
        "P = 4",
        "distinct patterns",
    }


def test_neighbourhoods_that_are_not_finished_in_time_are_uncounted(runs: sv.Checkpoints) -> None:
    study = sv.validate(
        runs[0], X, radii=0.3, medians=(), frames=1, planes=1, directions=2, seconds=1e-9, jobs=1
    )
    assert (study.cells[~study.counted] == UNCOUNTED).all() and not study.counted.all()
    assert study.n_sep.max() > 0


def full(*_: Any, **__: Any) -> Iterator[None]:
    raise OSError(28, "No space left on device")


def test_a_full_disk_is_told_with_the_file(
    runs: sv.Checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sv.validate(runs, X, jobs=1, folder=tmp_path, **ASKED)
    kept = sorted(tmp_path.iterdir())
    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(InputError, match=r"cannot write .*\.npz: No space left on device"):
        sv.validate(runs, X, jobs=1, folder=tmp_path, **(ASKED | {"seed": 1}))
    assert sorted(tmp_path.iterdir()) == kept


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"radii": (), "medians": ()}, "a validation needs a radius"),
        ({"radii": -1.0}, "radii must be a number > 0, got -1.0"),
        ({"directions": 7}, "7 orthonormal directions do not fit"),
        ({"planes": 4}, "there can be at most 3"),
        ({"medians": 1000}, "the network has 24 units, so that no radius cuts 1000"),
        ({"frames": 0}, "frames must be in 1 .. 10000, got 0"),
        ({"frame": "none"}, "frame must be one of shared, per-point"),
        ({"seconds": 0}, "seconds must be a number > 0, got 0"),
    ],
)
def test_what_is_asked_for_is_checked(runs: sv.Checkpoints, change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        sv.validate(runs, X, **(ASKED | change))
