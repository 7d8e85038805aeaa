"""What `splineviz animate` does: read, animate, report."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import click
import numpy as np

from splineviz.plane import Plane, Window

from .compiling import begin_compiling
from .data import Data, Preprocessing, read_data, read_literal
from .location import captions, class_names, thumbnails
from .progress import frame_progress, note

if TYPE_CHECKING:
    from splineviz.animation import Animation

__all__ = ["AnimateOptions", "run_animate"]

SCHEMA = "splineviz.animate/1"


@dataclass(frozen=True)
class AnimateOptions:
    """The options of the command, under their own names."""

    checkpoints: str
    model: str
    weights_key: str | None
    input_shape: tuple[int, ...] | None
    logits: bool
    outputs: tuple[str, ...]
    data: str | None
    key: str | None
    labels: str | None
    mean: tuple[float, ...]
    std: tuple[float, ...]
    transform: str | None
    points: tuple[int | str, ...] | None
    margin: float
    box: tuple[float, float, float, float] | None
    radius: float
    lc_points: int | None
    seed: int
    image_shape: tuple[int, ...] | None
    class_names: str | None
    color: str
    edges: str
    title: str | None
    duration: float | None
    width: int
    max_cells: int | None
    certify: Literal["full", "fast", "off"]
    jobs: int | None
    cache: str | None
    follow: bool
    idle: float | None
    as_json: bool
    quiet: bool

    @property
    def _literal(self) -> bool:
        return self.points is not None and isinstance(self.points[0], str)

    def check(self) -> None:
        """Refuse contradictions before anything is read."""
        if self.points is not None and self.data is None and not self._literal:
            raise click.UsageError("--points are indices into --data FILE, which is missing")
        if self.data is not None and self.points is None:
            raise click.UsageError("say which of the data: --points I,J,K")
        if self.points is None and self.box is None:
            raise click.UsageError(
                "say where to look: --data FILE --points I,J,K, or --box for a network with two inputs"
            )
        if self.lc_points is not None and self.data is None:
            raise click.UsageError("--lc-points are the first of --data FILE, which is missing")
        if self.idle is not None and not self.follow:
            raise click.UsageError("--idle belongs to --follow")

    def read(self) -> Data | None:
        """All points that the request can name."""
        if self._literal:
            assert self.points is not None
            return read_literal([str(path) for path in self.points])
        return None if self.data is None else read_data(self.data, self.key, self.labels)

    @property
    def rows(self) -> list[int]:
        """Which of them the plane is made from."""
        return list(range(3)) if self._literal else [int(row) for row in self.points or ()]

    def style(self, anchors: Data | None) -> dict[str, Any]:
        """How :func:`splineviz.animate` is to do it."""
        names = class_names(self.class_names, on_demo=self.model == "demo")
        how: dict[str, Any] = {
            "radius": self.radius,
            "seed": self.seed,
            "color": self.color,
            "edges": self.edges,
        }
        how |= {"title": self.title, "seconds": self.duration, "dpi": self.width / 5.5, "class_names": names}
        how |= {"max_cells": self.max_cells, "certify": self.certify, "jobs": self.jobs, "cache": self.cache}
        if anchors is not None:
            how |= {
                "images": thumbnails(self.image_shape, anchors),
                "labels": captions(self.rows, anchors, names),
            }
        return how


def run_animate(options: AnimateOptions) -> int:
    """Carry out one request; returns the exit code."""
    options.check()
    preprocessing = Preprocessing.make(options.transform, options.mean, options.std)
    data = options.read()
    anchors = None if data is None else data.take(options.rows)
    shape = None if anchors is None else anchors.points.shape[1:]
    finish_compiling = begin_compiling(options.quiet)
    from splineviz.program.sources import program_for

    program = program_for(options.model, shape, input_shape=options.input_shape, logits=options.logits)
    plane = (
        Plane.identity()
        if anchors is None
        else Plane.through(*preprocessing.apply(anchors.points, program.input_shape))
    )
    window = Window.around(plane, options.margin) if options.box is None else Window.box(*options.box)
    how = options.style(anchors)
    if options.lc_points is not None and data is not None:
        how["points"] = preprocessing.apply(data.points[: options.lc_points], program.input_shape)
    finish_compiling()
    done: Animation | None = None
    with frame_progress(options.quiet) as advance:
        for done in _animations(options, program, plane, window, {**how, "progress": advance}):
            if options.follow:
                note(f"{len(done.steps)} checkpoints, the last of step {done.steps[-1]:,}", options.quiet)
    if done is None:
        note("no checkpoint came", options.quiet)
        return 5
    _print(done, options.as_json)
    for step, error in done.errors.items():
        note(f"step {step} is marked: {error}", options.quiet)
    return 5 if done.errors or done.incomplete else 0


def _animations(
    options: AnimateOptions, program: Any, plane: Plane, window: Window, how: dict[str, Any]
) -> Iterator[Animation]:
    from splineviz.animation import animate, follow
    from splineviz.program.checkpoints import Checkpoints

    places = plane, window, options.outputs
    if options.follow:
        yield from follow(
            program, options.checkpoints, *places, key=options.weights_key, idle=options.idle, **how
        )
    else:
        yield animate(Checkpoints(program, options.checkpoints, key=options.weights_key), *places, **how)


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
        }
        report |= {
            "computed": done.computed,
            "seconds": done.seconds,
            "files": [str(path) for path in done.paths],
        }
        click.echo(json.dumps(report))
        return
    lines = [["step", *(name.replace("_", " ") for name in columns)]]
    lines += [[f"{step:,}", *(f"{v[i]:,.6g}" for v in columns.values())] for i, step in enumerate(done.steps)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    click.echo(
        "\n".join(
            "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines
        )
    )
    click.echo(
        f"{done.computed} of {len(done.steps)} arrangements computed, {done.seconds:.1f} s; "
        f"{', '.join(map(str, done.paths))}"
    )


def _number(value: float) -> float | None:
    if not math.isfinite(value):
        return None
    return int(value) if value == int(value) else float(value)
