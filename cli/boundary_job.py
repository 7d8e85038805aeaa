"""Carry out `splineviz slice --only boundary`: find the segments, write and report them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from splineviz.errors import InputError
from splineviz.files import PICTURES, atomic_path, check_writable

from .aligned import aligned
from .cluster import on_cluster
from .progress import stage_progress
from .saying import say, say_json

if TYPE_CHECKING:
    from splineviz.arrangement.decisions.boundary_result import DecisionBoundary
    from splineviz.program import Program

    from .place import Place
    from .slice_options import SliceOptions

__all__ = ["check_boundary_options", "find_boundary", "print_boundary", "write_boundary"]

SCHEMA = "splineviz.boundary/1"


def check_boundary_options(options: SliceOptions) -> None:
    """Refuse options that have nothing to say about segments, and outputs that hold cells."""
    from splineviz.io.boundary_files import BOUNDARIES

    drawing = options.drawing
    unused = {
        "--stage": options.stage is not None,
        "--decisions": options.decisions,
        "--affine": options.affine,
        "--count": options.count,
        "--estimate": options.estimate,
        "--overwrite": options.overwrite,
        "--color": drawing.color != "random",
        "--cmap": drawing.cmap is not None,
        "--edges": drawing.edges != "stage",
        "--no-boundary": not drawing.boundary,
        "--valid-range": drawing.valid_range is not None,
        "--overlay-data": drawing.overlay_data is not None,
    }
    for name, given in unused.items():
        if given:
            raise click.UsageError(f"--only boundary finds no cells, so {name} has nothing to do")
    known = (*PICTURES, *BOUNDARIES)
    for output in options.outputs:
        if output.suffix not in known:
            raise InputError(
                f"{output} cannot hold a boundary alone, expected one of {', '.join(known)}",
                hint="leave out --only boundary for the cells",
            )
        check_writable(output.path)


def find_boundary(
    options: SliceOptions, program: Program, place: Place, limits: dict[str, Any]
) -> DecisionBoundary:
    """The segments on the window of a request."""
    from splineviz.engine.boundary import decision_boundary

    limits = {name: value for name, value in limits.items() if name != "stage"}
    with on_cluster(options.dask), stage_progress(options.reporting.quiet) as advance:
        return decision_boundary(
            program,
            place.plane,
            place.window,
            level=options.drawing.level,
            jobs=options.budget.jobs,
            progress=advance,
            **limits,
        )


def write_boundary(
    options: SliceOptions, found: DecisionBoundary, style: Mapping[str, Any], extra: Mapping[str, Any]
) -> None:
    """Write every file, or none."""
    from splineviz.io.boundary_files import boundary_card, boundary_table

    with ExitStack() as finished:
        for output in options.outputs:
            if output.suffix == ".csv":
                finished.enter_context(boundary_table(found, output.path, extra))
                continue
            if output.suffix not in PICTURES:
                found.save(finished.enter_context(atomic_path(output.path)), extra=extra)
                continue
            from splineviz.render.save import write_figure

            temporary, drawing = finished.enter_context(atomic_path(output.path)), options.drawing
            names = ("anchors", "images", "labels", "title", "note", "legend", "ticks", "width")
            ax = found.draw(**{name: style[name] for name in names if name in style})
            card = boundary_card(found, extra)
            write_figure(ax.get_figure(root=True), temporary, card, drawing.dpi, text=drawing.text)


def print_boundary(
    found: DecisionBoundary, options: SliceOptions, place: Place, seconds: float, extra: Mapping[str, Any]
) -> None:
    """Report the segments and the files they went to, as a short table or one JSON object."""
    from splineviz.io.boundary_files import boundary_card
    from splineviz.io.provenance import certificate_note

    card = boundary_card(found, extra)
    if options.reporting.as_json:
        say_json({
            "schema": SCHEMA,
            "segments": len(found),
            "length": found.length,
            "level": found.level,
            "cells": found.n_cells,
            "left_out": list(found.left_out),
            "status": found.status.name.lower(),
            "message": found.verdict,
            "exact": card["exact"],
            "seconds": found.stats.seconds,
            "seconds_total": seconds,
            "files": [str(output) for output in options.outputs],
            "provenance": card,
            **place.extra,
        })  # fmt: skip
        return
    left_out = "  ".join(f"{stage}: {n:,}" for stage, n in enumerate(found.left_out))
    say(*aligned([
        ("segments", f"{len(found):,}"),
        ("length", f"{found.length:.6g}"),
        ("cells", f"{found.n_cells:,}, which it may cross"),
        *([("faces left out", f"{left_out} before each stage")] if left_out else []),
        ("status", found.verdict),
        ("decisions", certificate_note(card["exact"])),
        ("seconds", f"{found.stats.seconds:.2f} for the boundary, {seconds:.2f} in all"),
        *(("chosen", said) for said in place.said),
        *(("written", str(output)) for output in options.outputs),
    ]))  # fmt: skip
