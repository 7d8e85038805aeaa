"""Processes that run trial after trial, and are watched: one that hangs or dies is a failed trial."""

from __future__ import annotations

import multiprocessing
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from multiprocessing.connection import Connection, wait
from pathlib import Path

from tests.soak.mounts import have_own_mounts
from tests.soak.trial import Trial, run_trial

__all__ = ["run_in", "trials"]

PATIENCE = 900.0
"""Seconds for one trial; a run in a process of its own is given up much earlier"""


def trials(seeds: Iterable[int], folder: Path, jobs: int, many: float) -> Iterator[Trial]:
    """Trials of seeds as they end; so many at a time, each in a worker that goes on with the next."""
    left = iter(seeds)
    workers = [_Worker(folder, many, seed) for seed in islice(left, jobs)]
    busy = list(workers)
    try:
        while busy:
            wait([worker.connection for worker in busy], timeout=5.0)
            for worker in list(busy):
                trial = worker.ended()
                if trial is not None:
                    yield trial
                    seed = next(left, None)
                    if seed is None:
                        busy.remove(worker)
                    else:
                        worker.begin(seed)
    finally:
        for worker in workers:
            worker.stop()


class _Worker:
    """One process, which is begun anew where it died."""

    def __init__(self, folder: Path, many: float, seed: int) -> None:
        self._folder, self._many = folder, many
        self._start()
        self.begin(seed)

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._folder, self._many), daemon=False)
        self._process.start()
        theirs.close()

    def begin(self, seed: int) -> None:
        """Begin a trial."""
        self._seed, self._began = seed, time.monotonic()
        self.connection.send(seed)

    def ended(self) -> Trial | None:
        """The trial, if it has ended, whatever the way."""
        taken = time.monotonic() - self._began
        try:
            if self.connection.poll():
                trial = self.connection.recv()
                assert isinstance(trial, Trial)
                return trial
            if taken < PATIENCE:
                return None
            complaint = f"hung: the process of the trials, {taken:.0f} s"
        except EOFError:
            self._process.join()
            complaint = f"died: the process of the trials, with {self._process.exitcode}"
        self.stop()
        self._start()
        return Trial(self._seed, place="one process", complaints=[complaint])

    def stop(self) -> None:
        self._process.kill()
        self._process.join()
        self.connection.close()


def _serve(connection: Connection, folder: Path, many: float) -> None:
    no_mounts = have_own_mounts()
    import torch

    torch.set_num_threads(1)
    with suppress(EOFError, BrokenPipeError):  # whoever asked for trials has ended
        while True:
            seed = connection.recv()
            connection.send(run_in(folder, seed, many, no_mounts))


def run_in(folder: Path, seed: int, many: float, no_mounts: str) -> Trial:
    """Run the trial of a seed below a folder, which keeps it where something was wrong."""
    own = folder / str(seed)
    shutil.rmtree(own, ignore_errors=True)
    trial = run_trial(seed, own, no_mounts=no_mounts, many=many)
    if not trial.complaints:
        shutil.rmtree(own, ignore_errors=True)
    return trial
