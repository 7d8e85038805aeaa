"""What `splineviz estimate` does: read, estimate part by part, write, report."""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import ExitStack
from dataclasses import asdict
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.errors import InputError
from splineviz.files import atomic_path

from .data import Data, Preprocessing
from .estimate_bounds import TERM, bounds_of
from .estimate_metrics import Column, Part, columns_of
from .estimate_report import print_estimate, report_of, write_table
from .progress import note, point_progress
from .resuming import Partial

if TYPE_CHECKING:
    from splineviz.program import Origin, Program

    from .estimate_options import EstimateOptions

__all__ = ["run_estimate"]

PART = 256
"""Points between two saves of what is done."""


def run_estimate(options: EstimateOptions) -> int:
    """Carry out one request; returns the exit code."""
    began = time.perf_counter()
    options.check()
    preprocessing = Preprocessing.make(options.transform, options.mean, options.std)
    data = options.read()
    if options.threads is not None:
        import torch

        torch.set_num_threads(options.threads)
    network, program = _load(options, data)
    x = preprocessing.apply(data.points, network.input_shape)
    with Partial.open(
        options.outputs[0] if options.outputs else None, _fingerprint(options, network, x)
    ) as done:
        if done.n_parts:
            note(f"going on with {done.n_parts} parts that were done before", options.quiet)
        made = _all_columns(options, network, program, x, done)
        columns, terms = (
            [c for c in made if c.metric.startswith(TERM) is of_bounds] for of_bounds in (False, True)
        )
        bounds, reasons = bounds_of(terms, network, x, options) if terms else ([], [])
        for reason in reasons:
            note(f"left out: {reason}", options.quiet)
        report = report_of(options, network, data, columns, bounds, time.perf_counter() - began)
        with ExitStack() as finished:
            for path in options.outputs:
                write_table(finished.enter_context(atomic_path(path)), report, columns, data.labels)
        done.discard()
    print_estimate(report, as_json=options.as_json)
    return 0


def _load(options: EstimateOptions, data: Data) -> tuple[Origin, Program | None]:
    """The network, and its exact program where a metric needs it."""
    from splineviz.program import read_network

    how: dict[str, Any] = {"weights": options.weights, "logits": options.logits}
    try:
        network = read_network(options.model, input_shape=options.input_shape, **how)
    except InputError:
        if options.input_shape is not None:
            raise
        network = read_network(options.model, input_shape=data.points.shape[1:], **how)
    if not {"walk", "exact"} & set(options.metrics):
        return network, None
    from splineviz.program import load_program

    return network, load_program(options.model, input_shape=network.input_shape, **how)


def _all_columns(
    options: EstimateOptions, network: Origin, program: Program | None, x: np.ndarray, done: Partial
) -> list[Column]:
    """Part by part, and within a part metric by metric, which share what they can."""
    metrics = tuple(dict.fromkeys(options.metrics))
    if "walk" in metrics and len(x) < 2:
        raise InputError("--metric walk needs at least two points")
    starts = range(0, len(x), PART)
    parts = [
        Part(network, program, x[start : start + PART], x[start + 1 : start + PART + 1], start, options)
        for start in starts
    ]
    found: dict[str, list[list[Column]]] = {metric: [] for metric in metrics}
    with point_progress(options.quiet, len(x), len(parts) * len(metrics)) as progress:
        for part, metric in product(parts, metrics):
            columns = done.get(metric, part.first)
            if columns is None:
                columns = columns_of(metric, part, progress.step(metric, part.first))
                done.put(metric, part.first, columns)
            else:
                progress.step(metric, part.first)
            found[metric].append(columns)
    # a walk goes from each point to the next, so that the last part may begin none
    return [_joined(same) for metric in metrics for same in zip(*found[metric], strict=True)]


def _joined(parts: tuple[Column, ...]) -> Column:
    first = parts[0]
    zeros = (
        None
        if first.zeros is None
        else np.concatenate([part.zeros for part in parts if part.zeros is not None])
    )
    values = np.concatenate([part.values for part in parts])
    return Column(first.metric, first.stage, values, first.radius, first.directions, zeros)


def _fingerprint(options: EstimateOptions, network: Origin, x: np.ndarray) -> str:
    """What has to be the same for work to be gone on with."""
    asked = asdict(options)
    for name in ("outputs", "threads", "as_json", "quiet", "batch"):
        del asked[name]
    made = hashlib.sha256(json.dumps(asked, sort_keys=True).encode())
    made.update(network.digest.encode() + np.ascontiguousarray(x).tobytes())
    return made.hexdigest()
