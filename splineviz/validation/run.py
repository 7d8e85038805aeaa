"""Studies from requests: jobs that are done once, wherever and whenever, and put together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

import splineviz
from splineviz.engine.budget import share_of
from splineviz.engine.workers import Crew, on_threads, until_unwanted
from splineviz.errors import InputError
from splineviz.estimators.request import Points, checked_points, program_at
from splineviz.inputs import number_of_jobs
from splineviz.io.store import Store
from splineviz.neighbourhoods.diamonds import plane_frames
from splineviz.neighbourhoods.radii import radii_for
from splineviz.program import Program
from splineviz.program.checkpoints import Checkpoints
from splineviz.program.models import Model
from splineviz.validation.design import Design
from splineviz.validation.examples import chosen_examples
from splineviz.validation.job import Job
from splineviz.validation.study import Study, array_fields
from splineviz.values.threads import one_thread

__all__ = ["Validation", "validate"]

Progress = Callable[[int, int], None]

_RADII_POINTS, _RADII_CHECKPOINTS = 64, 5
"""Radii by what they cut are those of so many points and checkpoints, evenly spread."""


def validate(
    program: Model | Program | Checkpoints,
    points: Points,
    *,
    radii: float | Iterable[float] = 0.001,
    medians: int | Iterable[int] = (1, 5, 20),
    directions: int | Iterable[int] | None = None,
    frames: int = 10,
    planes: int = 2,
    frame: str = "shared",
    seed: int = 0,
    certify: str = "fast",
    seconds: float | None = None,
    examples: int = 2,
    folder: str | Path | None = None,
    max_memory: int | None = None,
    jobs: int | None = None,
    about: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Study:
    """Hold the proxy against the exact counts of the same neighbourhoods, at every checkpoint, radius and
    point.

    Parameters
    ----------
    program
        A program, whatever :func:`splineviz.load_program` takes, or checkpoints of one.
    points
        (n, *input_shape) floating-point numbers, in the network's own scale.
    radii
        Radii in input distance; none with ``()``.
    medians
        Further radii by what they cut: where the median of n_cut over points and checkpoints is so many.
    directions
        Numbers of directions P; 2 is added. By default 25, or as many as the input has dimensions, with a
        warning, where these are fewer.
    frames
        Frames of the proxy, over which its variance is taken; 10 or more are worth reporting.
    planes
        Exact planes through each point: those of the first two directions of the first frames.
    frame
        ``"shared"``: one frame for all points and checkpoints at a time, or ``"per-point"``.
    seed
        Frame f is that of seed + f.
    certify
        As for :func:`splineviz.arrange`.
    seconds
        Time for the exact counts of one radius at one checkpoint; what is not finished then is left
        uncounted, and said to be.
    examples
        Neighbourhoods kept for drawing: so many of best and so many of worst agreement.
    folder
        Where finished jobs are kept, one file each, named by what they depend on: a request that was
        interrupted, or is widened, goes on there with what is done. By default in memory only.
    max_memory
        As for :func:`splineviz.arrange`: for the exact counts of all workers together.
    jobs
        Workers; by default as many as there are cores. They are threads, or whatever
        ``joblib.parallel_config`` says.
    about
        Put into the study's design: the command, the source of the data.
    progress
        Called with the number of jobs that are done, and of all.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        If a number is out of its range, points do not fit the program, a checkpoint cannot be read, or a job
        cannot be written.

    Examples
    --------
    >>> import torch, splineviz as sv
    >>> net = torch.nn.Sequential(torch.nn.Linear(3, 9), torch.nn.ReLU(), torch.nn.Linear(9, 2))
    >>> program, points = sv.load_program(net), torch.randn(5, 3)
    >>> study = sv.validate(program, points, radii=0.1, medians=(), directions=3, frames=2)
    >>> study.n_sep.shape, study.cells.shape
    ((1, 1, 2, 2, 5, 1), (1, 1, 2, 5, 1))
    """
    asked: dict[str, Any] = {
        "radii": radii,
        "medians": medians,
        "directions": directions,
        "frames": frames,
        "planes": planes,
    }
    asked |= {"frame": frame, "seed": seed, "certify": certify, "seconds": seconds, "examples": examples}
    return Validation(program, points, asked, folder, max_memory).run(jobs, about=about, progress=progress)


@dataclass(frozen=True, eq=False)
class _Result:
    """Place of the arrays of a job, and what it looks at."""

    key: str
    checkpoint: int
    radius: float


class Validation:
    """The jobs of one request, of which several processes may each do their share.

    Parameters are those of :func:`validate`; ``asked`` are the fields of a
    :class:`~splineviz.validation.design.Design`.
    """

    def __init__(
        self,
        program: Model | Program | Checkpoints,
        points: Points,
        asked: Mapping[str, Any],
        folder: str | Path | None,
        max_memory: int | None = None,
    ) -> None:
        self._checkpoints = program if isinstance(program, Checkpoints) else None
        self.runs: list[Program] | Checkpoints = (
            program if isinstance(program, Checkpoints) else [program_at(program, points)]
        )
        first = self.runs[0]
        self.points = checked_points(points, first.input_shape).cpu().numpy()
        self.design = Design.of(self.points[0].size, **asked)
        self._max_memory = share_of(max_memory, 1)
        self._store = None if folder is None else Store(Path(folder), "finished jobs")
        self._done: dict[str, dict[str, np.ndarray]] = {}

    @cached_property
    def radii(self) -> tuple[float, ...]:
        """Radii of the study, in input distance: the given ones, then those found by what they cut."""
        few = _spread(len(self.runs), _RADII_CHECKPOINTS)
        rows = _spread(len(self.points), _RADII_POINTS)
        some = self.points[rows]
        axes = plane_frames(some[0].size, len(some), 1, self.design.frame, self.design.seed)
        programs = (self.runs[i] for i in few)
        return (
            *self.design.radii,
            *radii_for(programs, some, self.design.medians, axes, max_memory=self._max_memory),
        )

    def run(
        self, jobs: int | None, *, about: Mapping[str, Any] | None = None, progress: Progress | None = None
    ) -> Study:
        """Do all jobs that are not done, and put the study together."""
        self.work(jobs, progress=progress)
        return self._study(about or {})

    def work(
        self, jobs: int | None, *, shard: tuple[int, int] = (1, 1), progress: Progress | None = None
    ) -> tuple[int, int]:
        """Do the jobs of share ``i`` of ``n`` that are not done; returns how many of all jobs are done now,
        and how many there are.

        Raises
        ------
        InputError
            If there is no such share, or a result cannot be written. Jobs that are done stay done.
        """
        number, of = shard
        if not 1 <= number <= of:
            raise InputError(f"a share is i/n with 1 <= i <= n, got {number}/{of}")
        results = self._results
        mine = [result for i, result in enumerate(results) if i % of == number - 1]
        todo = [result for result in mine if self._read(result.key) is None]
        before = len(mine) - len(todo)
        for done, (key, arrays) in enumerate(self._worked(todo, jobs), before + 1):
            self._keep(key, arrays)
            if progress is not None:
                progress(done, len(mine))
        return sum(self._read(result.key) is not None for result in results), len(results)

    def discard(self) -> None:
        """Remove the finished jobs from their folder."""
        if self._store is not None:
            self._store.discard()

    @cached_property
    def _results(self) -> list[_Result]:
        """Checkpoint after checkpoint, and for each all radii."""
        digest = hashlib.sha256(np.ascontiguousarray(self.points).tobytes()).hexdigest()
        found = []
        for i in range(len(self.runs)):
            program = self.runs[i]
            for radius in self.radii:
                key = Job(program, self.points, radius, self.design).key(digest)
                found.append(_Result(key, i, radius))
        return found

    def _worked(
        self, todo: Sequence[_Result], jobs: int | None
    ) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
        """The results of jobs under their keys, as they are finished."""
        import joblib

        n_jobs = number_of_jobs(jobs) or -1
        workers = joblib.effective_n_jobs(n_jobs)
        crew, memory = Crew(workers) if on_threads() else None, share_of(self._max_memory, workers)
        task = joblib.delayed(_numbered if crew is None else partial(crew.run, _numbered))
        with one_thread():
            results = joblib.Parallel(n_jobs, prefer="threads", return_as="generator_unordered")(
                task(r.key, Job(program, self.points, r.radius, self.design, memory))
                for checkpoint, own in groupby(todo, key=lambda r: r.checkpoint)
                for program in (self.runs[checkpoint],)  # read once for all of its radii
                for r in own
            )
            with until_unwanted(results, crew):
                yield from results

    def _read(self, key: str) -> dict[str, np.ndarray] | None:
        """Arrays of a finished job; None if it is not finished, or its file does not read."""
        if key not in self._done and self._store is not None:
            stored = self._store.arrays(key)
            if stored is not None:
                self._done[key] = stored
        return self._done.get(key)

    def _keep(self, key: str, arrays: dict[str, np.ndarray]) -> None:
        self._done[key] = arrays
        if self._store is not None:
            self._store.keep_arrays(key, arrays, compress=True)

    def _study(self, about: Mapping[str, Any]) -> Study:
        shape = len(self.runs), len(self.radii)
        rows = [self._read(result.key) for result in self._results]
        tables: dict[str, np.ndarray] = {}
        for name in rows[0] or ():
            stacked = np.stack([row[name] for row in rows if row is not None])
            tables[name] = stacked.reshape(*shape, *stacked.shape[1:])
        tables["distance"] = tables["distance"][:, 0]
        seconds = {
            name.removeprefix("seconds_"): tables.pop(name)
            for name in list(tables)
            if name.startswith("seconds_")
        }
        kinds = {name: kind for name, _, kind in array_fields()}
        first, known = self.runs[0], self._checkpoints
        study = Study(
            design=self.design.as_json() | {"dtype": "float64", "versions": _versions()} | dict(about),
            model=first.name,
            digest=first.digest,
            stages=first.stages,
            steps=np.array(known.steps if known is not None else [0], dtype=np.int64),
            names=tuple(known.names) if known is not None else (first.name,),
            metrics=dict(known.metrics) if known is not None else {},
            radii=np.array(self.radii),
            radius_labels=self.design.labels,
            directions=self.design.directions,
            seconds=seconds,
            **{name: table.astype(kinds[name]) for name, table in tables.items()},  # type: ignore[arg-type]
        )
        return chosen_examples(study, self.runs, self.points, self.design, self._max_memory)


def _numbered(key: str, job: Job) -> tuple[str, dict[str, np.ndarray]]:
    return key, job.run()


def _spread(n: int, most: int) -> list[int]:
    """Some of n numbers, evenly spread, the first and the last among them."""
    return sorted({int(i) for i in np.linspace(0, n - 1, min(n, most)).round()})


def _versions() -> dict[str, str]:
    import platform
    from importlib.metadata import version

    return {"splineviz": splineviz.__version__, "python": platform.python_version()} | {
        name: version(name) for name in ("torch", "numpy", "scipy")
    }
