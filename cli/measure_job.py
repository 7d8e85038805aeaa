"""Carry out `splineviz measure`: read or arrange, measure, write, report."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.deadline import SpentError, until
from splineviz.errors import InputError
from splineviz.io.rows import written_rows
from splineviz.measures.measure import Request
from splineviz.measures.registry import MEASURES, measure

from .compiling import begin_compiling
from .measure_options import MeasureOptions
from .measure_report import KINDS, print_measures, report_of
from .place import find_place
from .progress import note, stage_progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from splineviz.arrangement.result import Arrangement
    from splineviz.data import Collection
    from splineviz.measures.result import Measured

    from .preprocessing import Preprocessing

__all__ = ["run_measure"]


def run_measure(options: MeasureOptions) -> int:
    """Carry out one request; returns the exit code."""
    began = time.perf_counter()
    options.check()
    arr, request, extra = _saved(options) if options.saved else _arranged(options)
    names = options.metrics or _possible(request, quiet=options.reporting.quiet)
    found, late = _measured(options, arr, names, request, began)
    report = report_of(options, arr, found, extra, time.perf_counter() - began)
    rows = [row for one in found for row in one.rows]
    with ExitStack() as finished:
        for path in options.outputs:
            finished.enter_context(written_rows(path, KINDS, rows, report))
    print_measures(report, found, options)
    return 5 if late else options.budget.exit_code(arr.status.name)


def _measured(
    options: MeasureOptions, arr: Arrangement, names: Sequence[str], request: Request, began: float
) -> tuple[list[Measured], bool]:
    """The measures that are done in time, and whether there are others: each is given what is left of the
    seconds, or a second."""
    seconds = options.budget.seconds
    found: list[Measured] = []
    for name in names:
        left = None if seconds is None else max(1.0, seconds - (time.perf_counter() - began))
        moment = None if left is None else time.monotonic() + left
        try:
            with until(moment):
                found.append(measure(arr, name, _read_by(name, request)))
        except SpentError:
            note(f"time was up before {name} was measured: it is left out", options.reporting.quiet)
    if not found:
        hint = "more --seconds, or a looser --tolerance"
        raise InputError("time was up before anything was measured", hint=hint)
    return found, len(found) < len(names)


def _saved(options: MeasureOptions) -> tuple[Arrangement, Request, dict[str, Any]]:
    """The saved arrangement, and what is asked about it."""
    from splineviz.io import load

    arr, source = load(options.network.model), options.location.source
    data = source.read(options.location.seed)
    shape = arr.planes[0].input_shape
    return arr, _with_points(options.request, data, source.preprocessing(), shape), {}


def _arranged(options: MeasureOptions) -> tuple[Arrangement, Request, dict[str, Any]]:
    """The cells of the network on the plane, what is asked about them, and what was chosen for the user."""
    location, budget, quiet = options.location, options.budget, options.reporting.quiet
    preprocessing = location.source.preprocessing()
    data = location.read(on_demo=options.on_demo)
    finish_compiling = begin_compiling(quiet)
    found = location.find(
        data, preprocessing, lambda shapes: [options.network.program(shapes, quiet)], on_demo=options.on_demo
    )
    finish_compiling()
    set_out = time.monotonic()
    resources: dict[str, Any] = {name: getattr(budget, name) for name in ("max_memory", "device", "jobs")}
    half = None if budget.seconds is None else budget.seconds / 2
    place = find_place(location, found.preprocessing, found, seconds=half, **resources)
    from splineviz.engine.arrange import arrange

    limits = {"jobs": budget.jobs, **budget.limits_after(time.monotonic() - set_out)}
    (program,) = found.programs
    with stage_progress(quiet) as advance:
        arr = arrange(program, place.plane, place.window, progress=advance, **limits)
    request = _with_points(options.request, data, found.preprocessing, program.input_shape)
    return arr, request, {"model": options.network.model, "seed": location.plane_seed, **place.extra}


def _with_points(
    request: Request, data: Collection | None, preprocessing: Preprocessing, shape: tuple[int, ...]
) -> Request:
    """A request about all data points and their classes, where there are any."""
    if data is None:
        return request
    points = preprocessing.apply(data.take(range(len(data))), shape)
    known = data.classes
    labels = None if known is None else np.asarray(known.numbers[: len(points)])
    return replace(request, points=points, labels=labels)


def _read_by(name: str, request: Request) -> Request:
    """A request without what a measure does not read: of several measures each reads its own."""
    nothing = Request()
    return replace(request, **{field: getattr(nothing, field) for field in MEASURES[name].unread(request)})


def _possible(request: Request, *, quiet: bool) -> list[str]:
    """Names of the measures for which the request has what they need."""
    for one in MEASURES.values():
        if missing := one.missing(request):
            note(f"without {' and '.join(missing)} there is no {one.name}: --data FILE", quiet)
    names = [name for name, one in MEASURES.items() if not one.missing(request)]
    if not names:
        raise InputError("no measure has what it needs", hint="--data FILE")
    return names
