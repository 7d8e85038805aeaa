"""What `splineviz estimate` does: read, estimate part by part, write, report."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from splineviz.errors import InputError
from splineviz.io.files import atomic_path, check_writable

from .data import Data, Preprocessing, read_data
from .estimate_metrics import Column, columns_of
from .estimate_report import SUFFIXES, print_estimate, report_of, write_table
from .partial import Partial
from .progress import note, point_progress

if TYPE_CHECKING:
    from splineviz.program import Origin, Program

__all__ = ["EstimateOptions", "run_estimate"]

PART = 256
"""Points between two saves of what is done."""


@dataclass(frozen=True)
class EstimateOptions:
    """The options of the command, under their own names."""

    model: str
    weights: str | None
    input_shape: tuple[int, ...] | None
    logits: bool
    data: str | None
    key: str | None
    labels: str | None
    mean: tuple[float, ...]
    std: tuple[float, ...]
    transform: str | None
    outputs: tuple[Path, ...]
    limit: int | None
    metrics: tuple[str, ...]
    radii: tuple[float, ...]
    directions: tuple[int, ...]
    frame: str
    sigma: float
    samples: int
    noise: str
    variant: str
    epsilon: float
    seed: int
    dtype: str
    device: str | None
    batch: int | None
    threads: int | None
    as_json: bool
    quiet: bool

    def check(self) -> None:
        """Refuse what cannot be done or written before anything is computed."""
        if self.data is None and self.model != "demo":
            raise click.UsageError("say where to estimate: --data FILE")
        if len({path.resolve() for path in self.outputs}) != len(self.outputs):
            raise click.UsageError("the same -o is given twice")
        for path in self.outputs:
            if path.suffix.lower() not in SUFFIXES:
                raise InputError(f"unknown suffix {path.suffix!r} of {path}, expected one of {', '.join(SUFFIXES)}")
            check_writable(path)
            if path.suffix.lower() == ".parquet":
                _require_pyarrow(path)

    def read(self) -> Data:
        """The points, as they lie in the file."""
        if self.data is not None:
            data = read_data(self.data, self.key, self.labels)
        else:
            from splineviz import demo

            data = Data(demo.load_points(), demo.load_labels(), "the demo")
        return data if self.limit is None else data.take(range(min(self.limit, len(data))))

    def noise_options(self, first: int) -> dict[str, Any]:
        """What the estimators under noise take, for points from number ``first`` on."""
        how = {"sigma": self.sigma, "samples": self.samples, "noise": self.noise, "seed": self.seed + first}
        return how | {"device": self.device, "batch": self.batch}


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
    with Partial.open(options.outputs[0] if options.outputs else None, _fingerprint(options, network, x)) as done:
        if done.n_parts:
            note(f"going on with {done.n_parts} parts that were done before", options.quiet)
        columns = _all_columns(options, network, program, x, done)
        report = report_of(options, network, data, columns, time.perf_counter() - began)
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
    if "walk" not in options.metrics:
        return network, None
    from splineviz.program import load_program

    return network, load_program(options.model, input_shape=network.input_shape, **how)


def _all_columns(options: EstimateOptions, network: Origin, program: Program | None, x: np.ndarray, done: Partial) -> list[Column]:
    columns: list[Column] = []
    with point_progress(options.quiet) as advance:
        for metric in dict.fromkeys(options.metrics):
            # a walk goes from each point to the next, so that the last point begins none
            count = len(x) - 1 if metric == "walk" else len(x)
            if count < 1:
                raise InputError("--metric walk needs at least two points")
            parts = []
            for start in range(0, count, PART):
                stop = min(start + PART, count)
                found = done.get(metric, start)
                if found is None:
                    found = columns_of(metric, network, program, x[start:stop], x[start + 1 : stop + 1], start, options)
                    done.put(metric, start, found)
                parts.append(found)
                advance(metric, stop, count)
            columns += [_joined(same) for same in zip(*parts, strict=True)]
    return columns


def _joined(parts: tuple[Column, ...]) -> Column:
    first = parts[0]
    zeros = None if first.zeros is None else np.concatenate([part.zeros for part in parts if part.zeros is not None])
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


def _require_pyarrow(path: Path) -> None:
    if importlib.util.find_spec("pyarrow") is None:
        raise InputError(f"writing {path} needs the package pyarrow", hint="pip install 'splineviz[parquet]'")
