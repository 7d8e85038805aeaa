"""Where workers have to wait for one of them: processor time of each phase of an arrangement, with one worker
and with two, in a process of its own.

Processor time tells the same whatever else runs on a machine; seconds are given beside it. Phases that no
other work runs beside are *serial*; the rest is divided among workers, but *paced* phases take a single
thread, that of the caller, and run beside the batches.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from probe import answer, request, summary
from resnet import ResNet20, unsettle
from workloads import Workload, make_network

import splineviz as sv
from splineviz.engine import arrange as arranging
from splineviz.engine import batches
from splineviz.engine.finished_parts import FinishedParts
from splineviz.engine.walk import START, Position, Walk

__all__ = ["Patch", "Phases", "amdahl", "measured", "phase_times", "replaced"]

Patch = tuple[Any, str, Callable[..., Any]]
"""An owner, the name of one of its functions, and what takes its place"""

SERIAL = ("first stages", "last joins", "result")
PACED = ("joins",)


class Phases:
    """Processor time of each phase, by the threads that are in it; what runs within another is not counted
    there."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._lock, self._own = threading.Lock(), threading.local()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count what this thread does within as of that phase."""
        outer: list[float] = getattr(self._own, "inner", [])
        self._own.inner = inner = [0.0]
        began = time.thread_time()
        try:
            yield
        finally:
            passed = time.thread_time() - began
            with self._lock:
                self.seconds[name] += passed - inner[0]
            if outer:
                outer[0] += passed
            self._own.inner = outer

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, as a phase."""

        def within(*arguments: Any, **keywords: Any) -> Any:
            with self.phase(name):
                return function(*arguments, **keywords)

        return within


@contextmanager
def replaced(patches: list[Patch]) -> Iterator[None]:
    """Other functions in the place of some, for a while."""
    before = [(owner, name, vars(owner)[name]) for owner, name, _ in patches]
    for owner, name, function in patches:
        setattr(owner, name, function)
    try:
        yield
    finally:
        for owner, name, function in before:
            setattr(owner, name, function)


@contextmanager
def phase_times() -> Iterator[Phases]:
    """Processor time of the phases of all that is arranged within."""
    phases = Phases()
    advance, finish = Walk.advance, batches.finish

    def first(walk: Walk, state: Any, position: Position, *rest: Any) -> Any:
        if position != START:
            return advance(walk, state, position, *rest)
        with phases.phase("first stages"):  # all of them where nothing is divided
            return advance(walk, state, position, *rest)

    def of_batch(walk: Walk, state: Any, position: Position = START, *rest: Any, **keywords: Any) -> Any:
        with phases.phase("rest" if position == START else "batches"):
            return finish(walk, state, position, *rest, **keywords)

    patches: list[Patch] = [
        (Walk, "advance", first),
        (batches, "finish", of_batch),
        (arranging, "finish", of_batch),
        (Walk, "part", phases.timed("excerpts", Walk.part)),
        (FinishedParts, "add", phases.timed("joins", FinishedParts.add)),
        (FinishedParts, "joined", phases.timed("last joins", FinishedParts.joined)),
        (arranging.Request, "result", phases.timed("result", arranging.Request.result)),
    ]
    with replaced(patches):
        yield phases


def amdahl(serial: float, workers: int) -> float:
    """Times faster with so many workers, where a share is serial and all else divides without loss."""
    return 1.0 / (serial + (1.0 - serial) / workers)


def once(arranged: Callable[[int], sv.Arrangement], jobs: int) -> dict[str, Any]:
    """One arrangement with so many workers."""
    with phase_times() as phases:
        began, processor = time.perf_counter(), time.process_time()
        arr = arranged(jobs)
        seconds, processor = time.perf_counter() - began, time.process_time() - processor
    told = dict(phases.seconds)
    told["rest"] = told.get("rest", 0.0) + processor - sum(told.values())
    return {
        "seconds": seconds,
        "processor": processor,
        "phases": told,
        "cells": arr.n_cells,
        "batches": arr.stats.batches,
    }


def measured(arranged: Callable[[int], sv.Arrangement], repetitions: int) -> dict[str, Any]:
    """One worker and two, in turn; the medians of each phase, and what follows from the serial share."""
    runs: dict[int, list[dict[str, Any]]] = {1: [], 2: []}
    for _ in range(repetitions):
        for jobs, found in runs.items():
            found.append(once(arranged, jobs))
    if len({run["cells"] for found in runs.values() for run in found}) != 1:
        raise SystemExit("the number of cells depends on the number of workers")
    told: dict[str, Any] = {"cells": runs[1][0]["cells"], "batches": runs[1][0]["batches"], "workers": {}}
    for jobs, found in runs.items():
        names = sorted({name for run in found for name in run["phases"]})
        told["workers"][str(jobs)] = {
            "seconds": summary([run["seconds"] for run in found]),
            "processor": summary([run["processor"] for run in found]),
            "phases": {
                name: float(np.median([run["phases"].get(name, 0.0) for run in found])) for name in names
            },
        }
    one, two = (told["workers"][jobs] for jobs in ("1", "2"))
    total = one["processor"]["median"]
    serial = sum(two["phases"].get(name, 0.0) for name in SERIAL) / two["processor"]["median"]
    paced = sum(two["phases"].get(name, 0.0) for name in PACED) / two["processor"]["median"]
    return told | {
        "serial_share": serial,
        "paced_share": paced,
        "processor_two_over_one": two["processor"]["median"] / total,
        "speedup": one["seconds"]["median"] / two["seconds"]["median"],
        "expected": {str(n): amdahl(serial, n) for n in (2, 16)},
    }


def dense(asked: dict[str, Any]) -> Callable[[int], sv.Arrangement]:
    program = sv.load_program(make_network(Workload("shared", tuple(asked["widths"]))))
    plane, window = sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1)
    return lambda jobs: sv.arrange(program, plane, window, jobs=jobs)


def residual(asked: dict[str, Any]) -> Callable[[int], sv.Arrangement]:
    """ResNet-20 with random weights, on a square round one image."""
    torch.manual_seed(0)
    network = unsettle(ResNet20(asked["width"]))
    image = np.random.default_rng(0).standard_normal((3, asked["side"], asked["side"]))
    program, plane = sv.load_program(network, input_shape=image.shape), sv.Plane.at(image, seed=0)
    half = asked["half_width"]
    window = sv.Window.box(-half, half, -half, half)
    return lambda jobs: sv.arrange(program, plane, window, jobs=jobs)


def main() -> None:
    asked = request()
    sv.arrange(
        sv.load_program(make_network(Workload("warm-up", (2, 8, 8, 3)))),
        sv.Plane.identity(),
        sv.Window.box(-1, 1, -1, 1),
    )
    arranged = dense(asked) if "widths" in asked else residual(asked)
    answer(measured(arranged, asked["repetitions"]))


if __name__ == "__main__":
    main()
