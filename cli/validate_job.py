"""Carry out `splineviz validate`: read, count, write, report."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.files import REPORTS, TABLES

from .cluster import on_cluster
from .compiling import begin_compiling
from .data_points import chosen_points, points_of
from .progress import job_progress, note
from .saying import say, say_json

if TYPE_CHECKING:
    from splineviz.data import Data
    from splineviz.program.checkpoints import Checkpoints
    from splineviz.program.program import Program
    from splineviz.validation import Findings, Study

    from .validate_options import ValidateOptions

__all__ = ["run_validate"]


def run_validate(options: ValidateOptions) -> int:
    """Carry out one request; returns the exit code."""
    options.check()
    preprocessing = options.source.preprocessing()
    every = points_of(options.source, options.design.seed)
    from splineviz.report import json_report
    from splineviz.validation import Validation, findings
    from splineviz.validation.findings import check_thresholds
    from splineviz.validation.verdict import verdict

    check_thresholds(dict(options.fail_below))
    finish_compiling = begin_compiling(options.reporting.quiet)
    network, program = _load(options, preprocessing.shapes(every.take([0])))
    preprocessing = preprocessing.before([program])
    data = chosen_points(options.source, every, preprocessing, lambda: _last(network))
    x = preprocessing.apply(data, program.input_shape)
    finish_compiling()
    with on_cluster(options.dask), job_progress(options.reporting.quiet) as progress:
        validation = Validation(
            network, x, options.asked(program.n_units), options.folder, options.max_memory
        )
        if options.shard is not None:
            done, of = validation.work(options.jobs, shard=options.shard, progress=progress)
            if options.reporting.as_json:
                say_json({"schema": "splineviz.validate-shard/1", "done": done, "jobs": of})
            else:
                say(f"{done} of {of} jobs are done, in {options.folder}")
            return 0
        study = validation.run(options.jobs, about=_about(data), progress=progress)
    found = findings(study, seed=options.design.seed)
    _write(options, study, found)
    if options.work is None:
        validation.discard()
    if options.reporting.as_json:
        say_json(json_report(study, found))
    else:
        say(*verdict(study, found))
    failed = found.check(dict(options.fail_below))
    for line in failed:
        say(f"failed: {line}", err=True)
    return 6 if failed else _exit_code(options, study)


def _load(
    options: ValidateOptions, shapes: Sequence[tuple[int, ...]]
) -> tuple[Program | Checkpoints, Program]:
    """The network or its checkpoints, and the program that was traced."""
    network = options.network
    if options.factory is None:
        program = network.program(shapes, options.reporting.quiet)
        return program, program
    from splineviz.program.checkpoints import Checkpoints

    program = replace(network, model=options.factory, weights_key=None).program(shapes, quiet=True)
    runs = Checkpoints(program, network.model, weights_key=network.weights_key)
    for reason in runs.left_out.values():
        note(f"left out: {reason}", options.reporting.quiet)
    return runs, program


def _last(network: Program | Checkpoints) -> Program:
    from splineviz.program.program import Program

    return network if isinstance(network, Program) else network[-1]


def _about(data: Data) -> dict[str, Any]:
    return {"command": shlex.join(["splineviz", *sys.argv[1:]]), "data": data.source}


def _write(options: ValidateOptions, study: Study, found: Findings) -> None:
    from splineviz.report import save_figures, write_report

    for path in options.files:
        if path.suffix.lower() in REPORTS:
            write_report(study, path, found=found)
        elif path.suffix.lower() in TABLES:
            study.save_table(path)
        else:
            study.save(path)
    for folder in options.folders:
        save_figures(study, folder, found=found)
    if not options.outputs:
        note("no -o FILE, so nothing is written", options.reporting.quiet)


def _exit_code(options: ValidateOptions, study: Study) -> int:
    unwanted = {"fast": study.in_doubt, "full": study.in_doubt + study.undecided, "off": np.zeros(1)}
    return 5 if not study.counted.all() or unwanted[options.design.certify].any() else 0
