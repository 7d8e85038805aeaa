"""The recorder: which steps, what is in the files, and that it costs nothing between them."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.errors import InputError
from splineviz.program.recorder import log_steps


def recorded(recorder: sv.Recorder, steps: Iterable[int]) -> list[int]:
    return [step for step in steps if recorder(step)]


@pytest.mark.parametrize(
    ("steps", "choice", "expected"),
    [
        ("log", {"per_decade": 1}, [0, 1, 10, 100]),
        ("log", {"per_decade": 2}, [0, 1, 3, 10, 32, 100, 316]),
        ("log", {}, [0, 1, 2, 3, 4, 6, 10, 16, 25, 40, 63, 100, 158, 251, 398]),
        ("log", {"total": 4, "last": 400}, [0, 1, 20, 400]),
        (150, {}, [0, 150, 300]),
        (np.int64(200), {}, [0, 200, 400]),
        ([7, 3, 3, 390], {}, [3, 7, 390]),
        (np.array([5, 6]), {}, [5, 6]),
    ],
)
def test_steps(tmp_path: Path, steps: Any, choice: dict[str, int], expected: list[int]) -> None:
    assert recorded(sv.Recorder(nn.Linear(1, 1), tmp_path, steps, **choice), range(401)) == expected


@pytest.mark.parametrize(
    ("total", "last"), [(2, 1), (2, 9), (20, 30_000), (20, 100_000), (101, 100), (7, 6), (50, 60)]
)
def test_log_spaced_totals_are_kept(total: int, last: int) -> None:
    steps = log_steps(total, last)
    assert len(set(steps)) == total and (steps[0], steps[-1]) == (0, last)
    gaps = np.diff(steps)
    assert (gaps > 0).all() and (np.diff(gaps[1:]) >= -1).all(), "ever further apart, but for rounding"


def test_files_are_what_checkpoints_read(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))
    recorder = sv.Recorder(torch.nn.DataParallel(net), tmp_path / "made" / "here", 10)
    paths, digests = [], []
    for step in range(0, 21, 10):
        paths.append(recorder(step, loss=0.5 * step, accuracy=lambda: torch.tensor(0.25)))
        digests.append(sv.load_program(net.eval()).digest)
        net.train()(torch.randn(8, 2))
        with torch.no_grad():
            net[0].weight += 1.0
    assert [path and path.name for path in paths] == [
        "step-00000000.pt",
        "step-00000010.pt",
        "step-00000020.pt",
    ]
    content = torch.load(tmp_path / "made" / "here" / "step-00000010.pt", weights_only=True)
    assert content["step"] == 10 and content["metrics"] == {"loss": 5.0, "accuracy": 0.25}
    runs = sv.Checkpoints(net.eval(), tmp_path / "made" / "here")
    assert runs.steps == (0, 10, 20) and runs.metrics["loss"].tolist() == [0.0, 5.0, 10.0]
    assert [program.digest for program in runs] == digests
    assert not [path for path in (tmp_path / "made" / "here").iterdir() if path.name.startswith(".")]


def test_metrics_that_cost_something_are_asked_for_only_when_recorded(tmp_path: Path) -> None:
    asked = []

    def accuracy() -> float:
        asked.append(1)
        return 0.5

    recorder = sv.Recorder(nn.Linear(1, 1), tmp_path, [0, 2])
    for step in range(5):
        recorder(step, accuracy=accuracy)
    assert len(asked) == 2


def test_a_step_that_the_loop_leaves_out_is_recorded_at_the_next(tmp_path: Path) -> None:
    assert recorded(sv.Recorder(nn.Linear(1, 1), tmp_path, [0, 5, 6, 25]), range(0, 50, 10)) == [0, 10, 30]


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    net = nn.Linear(1, 1)
    assert recorded(sv.Recorder(net, tmp_path, "log", per_decade=1), range(60)) == [0, 1, 10]
    assert recorded(sv.Recorder(net, tmp_path, "log", per_decade=1), range(40, 120)) == [100]
    assert recorded(sv.Recorder(net, tmp_path / "new", "log", per_decade=1), range(40, 120)) == [40, 100]
    again = sv.Recorder(net, tmp_path, "log", per_decade=1)
    assert recorded(again, range(3)) == [0, 1], "from the beginning: files are written anew"
    assert recorded(again, range(12)) == [0, 1, 10], "a loop that starts once more"


def test_bad_requests(tmp_path: Path) -> None:
    net = nn.Linear(1, 1)
    bad: list[tuple[Any, dict[str, Any], str]] = [
        ("linear", {}, "steps are 'log', a number"),
        ([], {}, "steps are 'log', a number"),
        (0, {}, "a whole number of at least 1, got 0"),
        (True, {}, "got True"),
        ([1, -1], {}, "at least 0, got -1"),
        ([0.5], {}, "got 0.5"),
        (5, {"total": 3}, "belong to log-spaced steps"),
        ("log", {"total": 3}, "by total and last together"),
        ("log", {"total": 3, "last": 9, "per_decade": 1}, "by total and last together"),
        ("log", {"total": 12, "last": 9}, "from 2 to 10"),
        ("log", {"per_decade": 0}, "must be in 1 .. 10000, got 0"),
    ]
    for steps, choice, words in bad:
        with pytest.raises(InputError, match=words):
            sv.Recorder(net, tmp_path, steps, **choice)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot make the folder"):
        sv.Recorder(net, tmp_path / "file")
    with pytest.raises(InputError, match="the metric note must be a number"):
        sv.Recorder(net, tmp_path)(0, note="warm")  # type: ignore[arg-type]
    assert not list(tmp_path.glob("*.pt"))


@pytest.mark.parametrize("fault", ["full", "gone", "half"])
def test_training_goes_on_where_nothing_can_be_written(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, net = tmp_path / "run", nn.Linear(20, 20)
    recorder = sv.Recorder(net, folder, 10)
    assert recorder(0) is not None
    if fault == "gone":
        folder.rename(tmp_path / "elsewhere")
    else:
        full(monkeypatch, 0 if fault == "full" else 100)
    with pytest.warns(sv.SplinevizWarning, match="step 10 was not recorded, and training goes on") as told:
        done = [recorder(step) for step in range(1, 31)]
    assert len(told) == 1 and done == [None] * 30 and recorder.missed == [10, 20, 30]
    if fault == "gone":
        (tmp_path / "elsewhere").rename(folder)
    monkeypatch.undo()
    assert [path.name for path in folder.iterdir()] == ["step-00000000.pt"], "nothing is left half written"
    assert recorder(40) == folder / "step-00000040.pt"
    assert sv.Checkpoints(net, folder).steps == (0, 40)


def full(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """A disk with room for so many bytes of a file."""
    real = Path.open

    class Full(io.FileIO):
        def write(self, data: Any) -> int:
            if self.tell() + len(data) > room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(data)

    def opened(path: Path, mode: str = "r", *more: Any, **how: Any) -> Any:
        return Full(path, mode) if mode == "wb" else real(path, mode, *more, **how)

    monkeypatch.setattr(Path, "open", opened)


def test_a_wrong_metric_is_an_error_still(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the metric loss must be a number"):
        sv.Recorder(nn.Linear(1, 1), tmp_path, 1)(0, loss="low")
