"""Carry out `splineviz slice`: read, arrange, write, report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from splineviz.files import PAGE, PICTURES, atomic_path

from .boundary_job import find_boundary, print_boundary, write_boundary
from .cluster import on_cluster
from .compiling import begin_compiling
from .media import on_page, on_paper
from .outlook import advise, print_estimate, tell_if_long
from .place import Place, find_place
from .progress import Advance, note, stage_progress
from .slice_numbers import GRACE, found_in_time
from .slice_options import SliceOptions
from .slice_report import print_slice, print_totals
from .slice_style import drawing_options
from .value_types import Output

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement
    from splineviz.io.totals import Totals
    from splineviz.program import Program

__all__ = ["run_slice"]


def run_slice(options: SliceOptions) -> int:
    """Carry out one request; returns the exit code."""
    began = time.perf_counter()
    options.check()
    reporting, location, jobs = options.reporting, options.location, options.budget.jobs
    preprocessing = location.source.preprocessing()
    data = location.read(on_demo=options.on_demo)
    if options.threads is not None:
        _set_threads(options.threads)
    finish_compiling = begin_compiling(reporting.quiet)
    found = location.find(
        data, preprocessing, lambda shapes: [_load(options, shapes)], on_demo=options.on_demo
    )
    (program,), anchors, preprocessing = found.programs, found.points, found.preprocessing
    finish_compiling()
    set_out = time.monotonic()  # what is loaded before is no work on the slice
    budget, how = options.budget, dict[str, Any](stage=options.stage, jobs=jobs)
    how |= {"max_memory": budget.max_memory, "device": budget.device}
    half = None if budget.seconds is None else budget.seconds / 2
    place = find_place(location, preprocessing, found, seconds=half, **how)
    if options.estimate:
        print_estimate(options, program, place)
        return 0
    if options.only is not None:
        limits = options.limits_after(time.monotonic() - set_out)
        boundary, extra = find_boundary(options, program, place, limits), {**options.extra, **place.extra}
        style = drawing_options(options, program, preprocessing, data, anchors, place)
        write_boundary(options, boundary, style, extra)
        print_boundary(boundary, options, place, time.perf_counter() - began, extra)
        return options.budget.exit_code(boundary.status.name)
    told, extra = tell_if_long(options, program, place), {**options.extra, **place.extra}
    limits = options.limits_after(time.monotonic() - set_out)
    if options.streamed:
        if jobs is not None and jobs > 1:
            note("batches are streamed, one after the other, so --jobs has no effect", reporting.quiet)
        totals = _stream(options, program, place, limits, extra)
        if totals.incomplete and not told:
            advise(options, program, place)
        print_totals(totals, options, place, time.perf_counter() - began)
        return options.budget.exit_code(totals.status.name)
    from splineviz.engine.arrange import arrange

    with on_cluster(options.dask), stage_progress(reporting.quiet) as advance:
        arr = arrange(program, place.plane, place.window, jobs=jobs, progress=advance, **limits)
    if not arr.status.covers and not told:
        advise(options, program, place)
    end = None if budget.seconds is None else set_out + budget.seconds + GRACE
    regions = found_in_time(arr, end)
    style = drawing_options(options, program, preprocessing, data, anchors, place)
    if not regions:
        note("time was up before linear regions and decision regions were found", reporting.quiet)
        style["boundary"] = False
    _write(options, arr, style, extra)
    if not options.outputs:
        note("no -o FILE, so nothing is drawn", reporting.quiet)
    print_slice(arr, options, place, time.perf_counter() - began, regions=regions)
    return options.budget.exit_code(arr.status.name)


def _set_threads(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)


def _load(options: SliceOptions, shapes: Sequence[tuple[int, ...]]) -> Program:
    program = options.network.program(shapes, options.reporting.quiet)
    if options.output_index is not None:
        from splineviz.program.select import select_outputs

        program = select_outputs(program, options.output_index)
    if options.decisions:
        from splineviz.program.decisions import with_decisions

        program = with_decisions(program)
    return program


def _stream(
    options: SliceOptions, program: Program, place: Place, limits: dict[str, Any], extra: dict[str, Any]
) -> Totals:
    """Write each batch as it is finished, and keep only counts."""
    from splineviz.engine.arrange import stream
    from splineviz.io.totals import Totals

    totals = Totals()
    with stage_progress(options.reporting.quiet) as advance:
        batches = stream(program, place.plane, place.window, **limits)
        _into(options, extra, _counted(batches, totals, advance))
    return totals


def _counted(
    batches: Iterable[Arrangement], totals: Totals, advance: Advance | None
) -> Iterable[Arrangement]:
    for batch in batches:
        totals.add(batch)
        if advance is not None:
            advance(totals.covered, totals.cells)
        yield batch


def _into(options: SliceOptions, extra: dict[str, Any], batches: Iterable[Arrangement]) -> None:
    """Hand every batch to all outputs that take batches."""
    with ExitStack() as finished:
        writers = [
            finished.enter_context(_batch_writer(options, output, extra)) for output in options.outputs
        ]
        for batch in batches:
            for add in writers:
                add(batch)


def _batch_writer(options: SliceOptions, output: Output, extra: dict[str, Any]) -> Any:
    from splineviz.io import parquet_writer, shard_writer

    if output.folder:
        return shard_writer(output.path, overwrite=options.overwrite, extra=extra)
    return parquet_writer(output.path, extra=extra)


def _write(options: SliceOptions, arr: Arrangement, style: dict[str, Any], extra: dict[str, Any]) -> None:
    """Write every file, or none."""
    with ExitStack() as finished:
        for output in options.outputs:
            if output.streamed:
                writer = _batch_writer(options, output, extra)
                add: Callable[[Arrangement], None] = finished.enter_context(writer)
                add(arr)
                continue
            temporary = finished.enter_context(atomic_path(output.path))
            if output.suffix in PICTURES:
                from splineviz.render import save_figure

                save_figure(arr, temporary, extra=extra, **on_paper(style))
            elif output.suffix == PAGE:
                from splineviz.pages.writing import page

                page(arr, temporary, extra=extra, **on_page(style))
            elif output.suffix == ".npz":
                from splineviz.io import save

                if options.affine:
                    _ = arr.linear_regions  # computes the kinks, too, and both go with the maps
                save(arr, temporary, affine=options.affine, extra=extra)
            else:
                from splineviz.io import save_geojson

                save_geojson(arr, temporary, extra=extra)
