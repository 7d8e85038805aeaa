"""Carry out `splineviz lines`: read, follow, write, report."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.io.rows import written_rows

from .aligned import aligned
from .checkpoint_plane import CheckpointPlane, checkpoints_of
from .compiling import begin_compiling
from .measure_report import KINDS
from .progress import frame_progress, note
from .saying import say, say_json

if TYPE_CHECKING:
    from splineviz.measures.lines_result import LinesOverTraining

    from .lines_options import LinesOptions

__all__ = ["run_lines"]

SCHEMA = "splineviz.lines/1"
_KINDS = {"b": "string", "i": "int64", "f": "float64"}
_SHOWN = {
    "units with a line": "units",
    "length": "length",
    "moved": "moved",
    "median distance of points": "distance",
    "points farther": "farther",
    "points p": "p",
    "boundary farther": "boundary",
    "boundary p": "its p",
}
"""Columns on stdout, with what stands above them"""


def run_lines(options: LinesOptions) -> int:
    """Carry out one request; returns the exit code."""
    began = time.perf_counter()
    options.check()
    quiet = options.reporting.quiet
    data = options.read()
    finish_compiling = begin_compiling(quiet)
    place = CheckpointPlane.find(options, data)
    runs = checkpoints_of(options, place.program)
    for reason in runs.left_out.values():
        note(f"left out: {reason}", quiet)
    points = None
    if data is not None and options.source.data is not None:
        points = place.preprocessing.apply(data.take(range(len(data))), place.program.input_shape)
    finish_compiling()
    from splineviz.measures.lines_over_training import lines_over_training

    with frame_progress(quiet, "checkpoints") as advance:
        found = lines_over_training(runs, place.plane, place.window, points, progress=advance, **options.how)
    report = {
        "schema": SCHEMA,
        "model": options.model,
        "checkpoints": len(found.steps),
        "points": len(found.points),
        "inside": int(found.inside.sum()),
        "provenance": found.provenance,
        "seconds": time.perf_counter() - began,
    }
    _write(options, found, report)
    _print(options, found, report)
    doubtful = any(card["exact"]["in_doubt"] for card in found.provenance["checkpoints"])
    return 5 if doubtful and options.certify != "off" else 0


def _write(options: LinesOptions, found: LinesOverTraining, report: dict[str, Any]) -> None:
    """The tables: by stage as quantities with their errors, by unit as columns."""
    columns = found.by_unit
    kinds = {name: _KINDS[column.dtype.kind] for name, column in columns.items()}
    listed = [_cells(column) for column in columns.values()]
    with ExitStack() as finished:
        for path in options.outputs:
            finished.enter_context(written_rows(path, KINDS, found.rows, report))
        for path in options.units:
            finished.enter_context(written_rows(path, kinds, zip(*listed, strict=True), report))


def _cells(column: np.ndarray) -> list[Any]:
    """A column as cells of a table: yes and no in words, nothing for what is not known."""
    if column.dtype.kind == "b":
        return np.where(column, "yes", "no").tolist()  # type: ignore[no-any-return]
    if column.dtype.kind == "f":
        return [None if np.isnan(value) else value for value in column.tolist()]
    return column.tolist()  # type: ignore[no-any-return]


def _print(options: LinesOptions, found: LinesOverTraining, report: dict[str, Any]) -> None:
    """A row for each checkpoint and stage, or one JSON object."""
    files = [str(path) for path in (*options.outputs, *options.units)]
    if options.reporting.as_json:
        say_json({**report, **found.to_dict(), "files": files})
        return
    columns = found.by_stage
    named = {said: columns[name] for name, said in _SHOWN.items() if name in columns}
    rows = [("step", "stage", *named)]
    for k, (step, stage) in enumerate(zip(columns["step"], columns["stage"], strict=True)):
        cells = ("" if np.isnan(column[k]) else f"{column[k]:,.4g}" for column in named.values())
        rows.append((f"{step:,}", "all" if stage < 0 else str(stage), *cells))
    inside = (
        f", {report['inside']:,} of {report['points']:,} points in the window" if report["points"] else ""
    )
    say(*aligned(rows))
    say(
        f"{report['checkpoints']} checkpoints of {options.model}{inside}, {report['seconds']:.1f} s",
        *(f"written {file}" for file in files),
    )
