"""Carry out `splineviz estimate`: read, estimate part by part, write, report."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.choices import DIRECTIONS
from splineviz.errors import InputError
from splineviz.estimators.metrics.bounds_metric import TERM, inequalities
from splineviz.estimators.metrics.metric import Column, Part, joined
from splineviz.estimators.metrics.registry import columns_of

from .cutting_radius import cutting_radius, nothing_cut
from .data_points import chosen_points, points_of
from .declaring import values
from .estimate_options import METRICS, WITH_DIRECTIONS, EstimateOptions
from .estimate_report import print_estimate, report_of, written_table
from .progress import note, point_progress
from .resuming import Partial

if TYPE_CHECKING:
    from splineviz.program import Origin, Program

__all__ = ["run_estimate"]

PART = 256
"""Points between two saves of what is done."""


def run_estimate(options: EstimateOptions) -> int:
    """Carry out one request; returns the exit code."""
    from splineviz.program import load_program

    began = time.perf_counter()
    options.check()
    quiet = options.reporting.quiet
    preprocessing = options.source.preprocessing()
    every = points_of(options.source, options.settings.seed)
    if options.threads is not None:
        import torch

        torch.set_num_threads(options.threads)
    network, program = _load(options, preprocessing.shapes(every.take([0])))
    preprocessing = preprocessing.before([network])
    how = options.network.how
    how["input_shape"] = network.input_shape

    def loaded() -> Program:
        return program or load_program(options.network.model, **how)

    data = chosen_points(options.source, every, preprocessing, loaded)
    x = preprocessing.apply(data, network.input_shape)
    dim = x[0].size
    if options.settings.directions is None and dim < DIRECTIONS and WITH_DIRECTIONS & set(options.metrics):
        note(f"{dim} directions are taken, as many as the input has dimensions, not {DIRECTIONS}", quiet)
    request = _fingerprint(values(options), network, x)
    with Partial.open(options.outputs[0] if options.outputs else None, request) as done:
        if done.n_parts:
            note(f"going on with {done.n_parts} parts that were done before", quiet)
        made = _all_columns(options, network, program, x, done)
        columns = [column for column in made if not column.metric.startswith(TERM)]
        terms = [column for column in made if column.metric.startswith(TERM)]
        both_sides, reasons = inequalities(terms, network, x, options.settings) if terms else ([], [])
        for reason in reasons:
            note(f"left out: {reason}", quiet)
        report = report_of(options, network, data, columns, both_sides, time.perf_counter() - began)
        with ExitStack() as finished:
            for path in options.outputs:
                finished.enter_context(written_table(path, report, columns, data))
        done.discard()
    if not quiet and nothing_cut(columns):
        radius = cutting_radius(loaded, x, options.settings.seed)
        note(f"no unit is cut within {max(options.settings.radii):g} of any point{radius}", quiet)
    print_estimate(report, as_json=options.reporting.as_json)
    return 0


def _load(options: EstimateOptions, shapes: Sequence[tuple[int, ...]]) -> tuple[Origin, Program | None]:
    """The network, and its exact program where a metric needs it."""
    from splineviz.program.sources import network_for

    if not any(METRICS[name].needs_program for name in options.metrics):
        network = network_for(options.network.model, shapes, **options.network.how)
        options.network.tell_weights(options.reporting.quiet)
        return network, None
    program = options.network.program(shapes, options.reporting.quiet)
    assert program.origin is not None
    return program.origin, program


def _all_columns(
    options: EstimateOptions, network: Origin, program: Program | None, x: np.ndarray, done: Partial
) -> list[Column]:
    """Part by part, and within a part metric by metric, which share what they can."""
    names = tuple(dict.fromkeys(options.metrics))
    if "walk" in names and len(x) < 2:
        raise InputError("--metric walk needs at least two points", hint="--limit 2, or more")
    parts = [
        Part(network, program, x[k : k + PART], x[k + 1 : k + PART + 1], k, options.settings)
        for k in range(0, len(x), PART)
    ]
    found: dict[str, list[list[Column]]] = {name: [] for name in names}
    with point_progress(options.reporting.quiet, len(x), len(parts) * len(names)) as progress:
        for part, name in product(parts, names):
            columns = done.get(name, part.first)
            if columns is None:
                columns = columns_of(METRICS[name], part, progress.step(name, part.first))
                done.put(name, part.first, columns)
            else:
                progress.step(name, part.first)
            found[name].append(columns)
    # a walk goes from each point to the next, so that the last part may begin none
    return [joined(alike) for name in names for alike in zip(*found[name], strict=True)]


def _fingerprint(asked: dict[str, Any], network: Origin, x: np.ndarray) -> str:
    """A digest of what has to be alike for work to be gone on with."""
    no_matter = ("outputs", "threads", "as_json", "quiet", "debug", "batch")
    kept = {name: value for name, value in asked.items() if name not in no_matter}
    made = hashlib.sha256(json.dumps(kept, sort_keys=True).encode())
    made.update(network.digest.encode() + np.ascontiguousarray(x).tobytes())
    return made.hexdigest()
