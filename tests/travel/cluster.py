"""Batches on a dask cluster of two processes: the same arrangement as of one worker, also when a worker
dies."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import pickle
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import distributed
import joblib
import torch

import splineviz as sv
from splineviz.engine import budget
from splineviz_cli.commands import run
from tests.engine.same import assert_identical

MEMORY = 4 << 20


class Suicide(distributed.WorkerPlugin):  # type: ignore[misc]
    """The worker that is the first to begin a batch is killed; once, since those that replace it have this
    plugin, too."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def transition(self, key: Any, start: str, finish: str, **_: Any) -> None:
        if finish == "executing" and "batch_of" in str(key):
            try:
                self.mark.touch(exist_ok=False)
            except FileExistsError:
                return
            os.kill(os.getpid(), signal.SIGKILL)


@functools.cache
def program() -> sv.Program:
    torch.manual_seed(0)
    layers = [
        torch.nn.Linear(2, 40),
        torch.nn.ReLU(),
        torch.nn.Linear(40, 30),
        torch.nn.ReLU(),
        torch.nn.Linear(30, 2),
    ]
    return sv.load_program(torch.nn.Sequential(*layers))


def arranged(**how: Any) -> sv.Arrangement:
    return sv.arrange(program(), sv.Plane.identity(), sv.Window.box(-3, 3, -3, 3), max_memory=MEMORY, **how)


@functools.cache
def on_one_worker() -> sv.Arrangement:
    arr = arranged(jobs=1)
    assert arr.stats.batches > 8
    return arr


@contextmanager
def cluster() -> Iterator[Any]:
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit=0
        ) as made,
        distributed.Client(made) as client,
        joblib.parallel_config(backend="dask"),
    ):
        yield client


def check_a_cluster_gives_the_arrangement_of_one_worker() -> None:
    with cluster() as client:
        arr = arranged()
        few = arranged(max_cells=700)
        # Both have had batches.
        assert all(client.run(lambda: "splineviz.engine.walk" in __import__("sys").modules).values())
    assert_identical(arr, on_one_worker())
    arr.check()
    assert_identical(few, arranged(jobs=1, max_cells=700))
    assert few.status is sv.Status.INCOMPLETE and 0 < few.n_cells <= 700


def check_the_command_on_a_cluster() -> None:
    given = ["slice", "demo", "--max-memory", "60M", "--json", "--quiet"]
    reports = []
    with cluster() as client:
        for more in (["--dask", client.scheduler.address], ["--jobs", "1"]):
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                assert run([*given, *more]) == 0
            reports.append(json.loads(out.getvalue()))
    there, here = reports
    assert there["batches"] == here["batches"] > 1
    assert all(
        there[name] == here[name]
        for name in ("status", "cells", "vertices", "edges", "linear_regions", "cells_per_stage")
    )


def check_a_killed_worker_loses_nothing() -> None:
    with tempfile.TemporaryDirectory() as folder, cluster() as client:
        mark = Path(folder) / "killed"
        before = set(client.run(os.getpid).values())
        client.register_plugin(Suicide(mark))
        arr = arranged()
        assert mark.exists()
        client.wait_for_workers(2)
        assert len(before - set(client.run(os.getpid).values())) == 1
    assert_identical(arr, on_one_worker())


def check_other_processes_give_the_same() -> None:
    with joblib.parallel_config(backend="loky"):
        assert_identical(arranged(jobs=2), on_one_worker())


def check_the_deadline_travels_as_a_time_of_day() -> None:
    limits = budget.Budget.of(1 << 20, None, 60.0, 2)
    sent, later = pickle.dumps(limits), budget.time.monotonic() + 1e6
    with mock.patch.object(budget.time, "monotonic", return_value=later):  # another machine, up for longer
        arrived = pickle.loads(sent)
    assert limits.deadline is not None
    assert abs(arrived.deadline - (limits.deadline + 1e6)) < 5.0
    assert (arrived.max_memory, arrived.jobs) == (1 << 20, 2)
