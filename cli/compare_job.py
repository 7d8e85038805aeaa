"""Carry out `splineviz compare`: read, arrange, compare, draw, report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from splineviz.errors import InputError
from splineviz.files import PAGE, atomic_path

from .compare_options import CompareOptions
from .compare_report import print_comparison
from .compiling import begin_compiling
from .data_looks import DataLooks
from .location import class_names
from .media import on_page, on_paper
from .options import ModelSource
from .place import Place, find_place
from .progress import check_progress, note

if TYPE_CHECKING:
    from splineviz.comparison import Comparison
    from splineviz.program import Program

__all__ = ["run_compare"]


def run_compare(options: CompareOptions) -> int:
    """Carry out one request; returns the exit code."""
    began = time.perf_counter()
    options.check()
    location, budget, quiet = options.location, options.budget, options.reporting.quiet
    preprocessing = location.source.preprocessing()
    data = location.read(on_demo=options.on_demo)
    finish_compiling = begin_compiling(quiet)
    found = location.find(data, preprocessing, lambda shapes: _load(options, shapes), on_demo=options.on_demo)
    programs, anchors, preprocessing = found.programs, found.points, found.preprocessing
    finish_compiling()
    resources: dict[str, Any] = {
        "max_memory": budget.max_memory,
        "device": budget.device,
        "jobs": budget.jobs,
    }
    set_out = time.monotonic()  # what is loaded before is no work on the comparison
    half = None if budget.seconds is None else budget.seconds / 2
    place = find_place(location, preprocessing, found, seconds=half, **resources)
    from splineviz.comparison import compare

    names, limits = options.called(), {"jobs": budget.jobs, **budget.limits_after(time.monotonic() - set_out)}
    with check_progress(quiet) as progress:
        comparison = compare(programs, place.plane, place.window, names=names, progress=progress, **limits)
    classes, shape = class_names(location.class_names, on_demo=options.on_demo), location.image_shape
    paged = any(output.suffix == PAGE for output in options.outputs)
    looks = DataLooks(options.drawing, preprocessing, data, anchors, shape, classes, paged)
    _write(options, comparison, looks.options(place.plane, place.window, programs[0].input_shape), place)
    if not options.outputs:
        note("no -o FILE, so nothing is drawn", quiet)
    print_comparison(comparison, options, place, time.perf_counter() - began)
    doubtful = comparison.in_doubt and budget.certify != "off"
    return 5 if doubtful or (comparison.undecided and budget.certify == "full") else 0


def _load(options: CompareOptions, shapes: Sequence[tuple[int, ...]]) -> list[Program]:
    programs = []
    named = zip(options.called(), options.networks(), options.keys(), strict=True)
    for name, (model, weights), key in named:
        network = ModelSource(model=model, weights=weights, weights_key=key, reading=options.reading)
        try:
            programs.append(network.program(shapes, options.reporting.quiet))
        except InputError as error:
            raise error.about(name) from error
    return programs


def _write(options: CompareOptions, comparison: Comparison, style: dict[str, Any], place: Place) -> None:
    """Write every picture, or none."""
    style |= {"difference": options.difference}
    style["title"] = "; ".join([*([style["title"]] if style["title"] else []), *place.said]) or None
    extra = {"seed": options.location.plane_seed, **place.extra}
    with ExitStack() as finished:
        for output in options.outputs:
            temporary = finished.enter_context(atomic_path(output.path))
            if output.suffix == PAGE:
                from splineviz.pages.writing import page

                page(comparison, temporary, extra=extra, **on_page(style))
            else:
                comparison.save_figure(temporary, extra=extra, **on_paper(style))
