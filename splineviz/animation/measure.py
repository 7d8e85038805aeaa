"""Numbers of one checkpoint on the plane: its arrangement, and local complexity near chosen points, exact and
by the proxy."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import joblib
import numpy as np
from jaxtyping import Float64

from splineviz.arrangement.result import Arrangement
from splineviz.choices import CellColor, Certify
from splineviz.engine.arrange import arrange
from splineviz.engine.budget import Effort
from splineviz.engine.workers import Crew, on_threads, until_unwanted
from splineviz.errors import InputError
from splineviz.estimators.local_complexity import local_complexity
from splineviz.io.npz import pack
from splineviz.io.store import Store, code_version, digest_of
from splineviz.neighbourhoods.counts import exact_local_complexity
from splineviz.plane import Plane, Window
from splineviz.program import Program
from splineviz.program.checkpoints import Checkpoints
from splineviz.render.cellcolor import shared_limits
from splineviz.values.threads import one_thread

__all__ = ["CheckpointMeasurement", "Question", "measure"]

_CODE = (
    "program",
    "geometry",
    "exact",
    "values",
    "arrangement",
    "engine",
    "neighbourhoods",
    "estimators",
    "io",
)

Advance = Callable[[int, int, str], None]


@dataclass(frozen=True, eq=False)
class Question:
    """Request that goes to every checkpoint alike.

    ``points`` (n, *input_shape) are where local complexity is measured, on the diamond of this radius on one
    shared random plane.
    """

    plane: Plane
    window: Window
    points: Float64[np.ndarray, "point *shape"]
    radius: float
    seed: int
    max_cells: int | None
    certify: Certify
    max_memory: int | None = None
    """For one checkpoint; no cell depends on it"""

    @property
    def effort(self) -> Effort:
        """Keywords for every arrangement of one checkpoint."""
        return {"certify": self.certify, "max_memory": self.max_memory, "jobs": 1}

    def slice_key(self, program: Program) -> str:
        """Name of the arrangement of a program in the store: the digest of all that determines it."""
        plane, limits = self.plane, (self.max_cells, self.certify)
        return digest_of(
            program.digest,
            plane.origin,
            plane.basis,
            plane.anchors,
            self.window.vertices,
            limits,
            code_version(*_CODE),
        )

    def local_key(self, program: Program) -> str:
        """Name of a program's local complexity in the store."""
        where = self.points, self.radius, self.seed
        return digest_of(program.digest, *where, self.certify, code_version(*_CODE))


@dataclass(frozen=True)
class CheckpointMeasurement:
    """Numbers of one checkpoint; with an ``error`` there are no others."""

    step: int
    name: str
    error: InputError | None = None
    digest: str = ""
    """Digest of the program."""
    key: str = ""
    """Name of the arrangement in the store."""
    cells: float = math.nan
    exact: float = math.nan
    """Mean over the points of the cells in the diamond, less one."""
    proxy: float = math.nan
    """Mean over the points of the proxy for the same diamond."""
    status: str = ""
    limits: dict[str, tuple[float, float]] | None = None
    """Ends of the scale of each fill that shows a quantity."""
    computed: bool = False
    """Whether the arrangement was not in the cache."""


def measure(
    runs: Checkpoints, question: Question, store: Store, jobs: int, advance: Advance | None
) -> list[CheckpointMeasurement]:
    """Every checkpoint in order, ``jobs`` at a time, on threads: the work is in compiled code and in
    torch."""
    crew = Crew(jobs) if on_threads() else None
    one = joblib.delayed(_one if crew is None else partial(crew.run, _one))
    found: list[CheckpointMeasurement] = []
    with one_thread():
        results = joblib.Parallel(n_jobs=jobs, prefer="threads", return_as="generator")(
            one(runs, i, question, store) for i in range(len(runs))
        )
        with until_unwanted(results, crew):
            for measured in results:
                found.append(measured)
                if advance is not None:
                    advance(len(found), len(runs), f"step {measured.step:,}")
    return found


def _one(runs: Checkpoints, index: int, question: Question, store: Store) -> CheckpointMeasurement:
    step, name = runs.steps[index], runs.names[index]
    try:
        program = runs[index]
    except InputError as error:
        return CheckpointMeasurement(step, name, error=error)
    key = question.slice_key(program)
    slice_ = None if store.find(key, ".npz") is None else store.numbers(key)
    computed = slice_ is None
    if slice_ is None:
        slice_ = _arranged(program, question, store, key)
    local = _near(program, question, store) if len(question.points) else {}
    limits = {how: (low, high) for how, (low, high) in slice_["limits"].items()}
    return CheckpointMeasurement(
        step,
        name,
        None,
        program.digest,
        key,
        slice_["cells"],
        status=slice_["status"],
        limits=limits,
        computed=computed,
        **local,
    )


def _arranged(program: Program, question: Question, store: Store, key: str) -> dict[str, Any]:
    arr = arrange(program, question.plane, question.window, max_cells=question.max_cells, **question.effort)
    # to compress numbers like these takes longer than the rest
    store.keep_arrays(key, pack(arr, affine=True, patterns=False), compress=False)
    numbers = {"cells": arr.n_cells, "status": arr.status.name, "limits": _limits(arr)}
    store.keep_numbers(key, numbers)
    return numbers


def _limits(arr: Arrangement) -> dict[str, Any]:
    """Ends of the scale of every fill that shows a quantity, so that another one can be asked for later."""
    fills: tuple[CellColor, ...] = ("norm", "area", "volume")
    return {how: shared_limits([arr], how) for how in fills if how != "volume" or arr.affine.shape[1] > 1}


def _near(program: Program, question: Question, store: Store) -> dict[str, Any]:
    """Local complexity, exact and by the proxy, on one and the same diamond, so that the proxy never exceeds
    the exact number."""
    key = question.local_key(program)
    found = store.numbers(key)
    if found is not None:
        return found
    where: dict[str, Any] = {"radius": question.radius, "seed": question.seed}
    exact = exact_local_complexity(program, question.points, **question.effort, **where)
    proxy = local_complexity(program, question.points, directions=2, **where)
    numbers = {"exact": float(exact.totals.mean()), "proxy": float(proxy.totals.mean())}
    store.keep_numbers(key, numbers)
    return numbers
