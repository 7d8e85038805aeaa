"""Carry out `splineviz animate`: read, animate, report."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.files import PAGE
from splineviz.showing import in_line

from .checkpoint_plane import CheckpointPlane, checkpoints_of
from .compiling import begin_compiling
from .data_looks import DataLooks
from .interrupts import shield_workers
from .progress import frame_progress, note
from .saying import say, say_json

if TYPE_CHECKING:
    from splineviz.animation import Animation
    from splineviz.plane import Plane, Window

    from .animate_options import AnimateOptions

__all__ = ["run_animate"]

SCHEMA = "splineviz.animate/1"


def run_animate(options: AnimateOptions) -> int:
    """Carry out one request; returns the exit code."""
    options.check()
    quiet = options.reporting.quiet
    data = options.read()
    finish_compiling = begin_compiling(quiet)
    found = CheckpointPlane.find(options, data)
    program, plane, window, preprocessing = found.program, found.plane, found.window, found.preprocessing
    shape, names = options.image_shape, options.names_of_classes
    paged = any(output.lower().endswith(PAGE) for output in options.outputs)
    looks = DataLooks(options.drawing, preprocessing, data, found.anchors, shape, names, paged)
    how = options.how | looks.options(plane, window, program.input_shape)
    how["overlay_data"] = how.pop("points", None)  # the points of an animation are those of the strip
    if options.lc_points is not None and data is not None:
        how["points"] = preprocessing.apply(
            data.take(range(min(options.lc_points, len(data)))), program.input_shape
        )
    finish_compiling()
    shield_workers()
    done: Animation | None = None
    with frame_progress(quiet) as advance:
        for done in _animations(options, program, plane, window, {**how, "progress": advance}):
            if options.follow:
                note(f"{len(done.steps)} checkpoints, the last of step {done.steps[-1]:,}", quiet)
    if done is None:
        note("no checkpoint came", quiet)
        return 5
    _print(done, options.reporting.as_json)
    for reason in done.left_out.values():
        note(f"left out: {reason}", quiet)
    for step, error in done.errors.items():
        note(f"step {step} is marked: {error}", quiet)
    for step in done.in_doubt:
        note(f"step {step} is marked: some of its cells are in doubt", quiet)
    doubtful = done.in_doubt and options.certify != "off"
    return 5 if done.errors or done.incomplete or doubtful else 0


def _animations(
    options: AnimateOptions, program: Any, plane: Plane, window: Window, how: dict[str, Any]
) -> Iterator[Animation]:
    from splineviz.animation import animate, follow

    places = plane, window, options.outputs
    if options.follow:
        yield from follow(
            program, options.checkpoints, *places, weights_key=options.weights_key, idle=options.idle, **how
        )
    else:
        yield animate(checkpoints_of(options, program), *places, **how)


def _print(done: Animation, as_json: bool) -> None:
    columns = {"cells": done.cells, "exact": done.exact, "proxy": done.proxy, **done.metrics}
    columns = {name: values for name, values in columns.items() if np.isfinite(values).any()}
    if as_json:
        rows = [
            {"step": step, **{n: _number(v[i]) for n, v in columns.items()}, "error": done.errors.get(step)}
            for i, step in enumerate(done.steps)
        ]
        report = {
            "schema": SCHEMA,
            "checkpoints": rows,
            "radius": done.radius,
            "incomplete": list(done.incomplete),
            "in_doubt": list(done.in_doubt),
            "left_out": {str(path): reason for path, reason in done.left_out.items()},
        }
        report |= {
            "computed": done.computed,
            "seconds": done.seconds,
            "files": [str(path) for path in done.paths],
        }
        say_json(report)
        return
    lines = [["step", *(in_line(name.replace("_", " ")) for name in columns)]]
    lines += [[f"{step:,}", *(f"{v[i]:,.6g}" for v in columns.values())] for i, step in enumerate(done.steps)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    say(*("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines))
    say(
        f"{done.computed} of {len(done.steps)} arrangements computed, {done.seconds:.1f} s; "
        f"{', '.join(map(str, done.paths))}"
    )


def _number(value: float) -> float | None:
    if not math.isfinite(value):
        return None
    return int(value) if value == int(value) else float(value)
