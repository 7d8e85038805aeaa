"""What `splineviz compare` does: read, arrange, compare, draw, report."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from splineviz.errors import InputError
from splineviz.files import atomic_path

from .compare_options import CompareOptions
from .compare_report import print_comparison
from .compiling import begin_compiling
from .data import Data, Preprocessing
from .progress import check_progress, note

if TYPE_CHECKING:
    from splineviz.comparison import Comparison
    from splineviz.program import Program

__all__ = ["run_compare"]


def run_compare(options: CompareOptions) -> int:
    """Carry out one request; returns the exit code."""
    began = time.perf_counter()
    options.check()
    preprocessing = Preprocessing.make(options.transform, options.mean, options.std)
    data = options.read()
    anchors = None if data is None or not options.rows() else data.take(options.rows())
    finish_compiling = begin_compiling(options.quiet)
    programs = _load(options, anchors)
    plane, window = options.find(programs[0], preprocessing, anchors)
    finish_compiling()
    from splineviz.comparison import compare

    with check_progress(options.quiet) as progress:
        comparison = compare(
            programs, plane, window, names=options.called(), progress=progress, **options.limits
        )
    _write(options, comparison, anchors)
    if not options.outputs:
        note("no -o FILE, so nothing is drawn", options.quiet)
    print_comparison(comparison, options, time.perf_counter() - began)
    return 5 if comparison.undecided and options.certify == "full" else 0


def _load(options: CompareOptions, anchors: Data | None) -> list[Program]:
    from splineviz.program.sources import program_for

    shape = None if anchors is None else anchors.points.shape[1:]
    programs = []
    for name, (model, weights) in zip(options.called(), options.networks(), strict=True):
        try:
            programs.append(
                program_for(
                    model, shape, input_shape=options.input_shape, weights=weights, logits=options.logits
                )
            )
        except InputError as error:
            raise InputError(f"{name}: {error.message}", hint=error.hint) from error
    return programs


def _write(options: CompareOptions, comparison: Comparison, anchors: Data | None) -> None:
    """Every picture, or none."""
    style: dict[str, Any] = {"color": options.color, "edges": options.edges, "difference": options.difference}
    style |= {"title": options.title, "class_names": options.names_of_classes()}
    if anchors is not None:
        style |= {"images": options.thumbnails(anchors), "labels": options.captions(anchors)}
    with ExitStack() as finished:
        for output in options.outputs:
            temporary = finished.enter_context(atomic_path(output.path))
            comparison.save_figure(temporary, extra={"seed": options.plane_seed}, **style)
