"""What `splineviz validate` does: read, count, write, report."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

from .cluster import on_cluster
from .compiling import begin_compiling
from .data import Data, Preprocessing
from .progress import job_progress, note
from .validate_options import REPORTS, TABLES

if TYPE_CHECKING:
    from splineviz.program.checkpoints import Checkpoints
    from splineviz.program.program import Program
    from splineviz.validation import Findings, Study

    from .validate_options import ValidateOptions

__all__ = ["run_validate"]


def run_validate(options: ValidateOptions) -> int:
    """Carry out one request; returns the exit code."""
    options.check()
    preprocessing = Preprocessing.make(options.transform, options.mean, options.std)
    data = options.read()
    from splineviz.report import json_report
    from splineviz.validation import Validation, findings
    from splineviz.validation.findings import check_thresholds
    from splineviz.validation.verdict import verdict

    check_thresholds(dict(options.fail_below))
    finish_compiling = begin_compiling(options.quiet)
    network, shape = _load(options, data)
    x = preprocessing.apply(data.points, shape)
    finish_compiling()
    with on_cluster(options.dask), job_progress(options.quiet) as progress:
        validation = Validation(network, x, options.asked, options.folder)
        if options.shard is not None:
            done, of = validation.work(options.jobs, shard=options.shard, progress=progress)
            as_json = json.dumps({"schema": "splineviz.validate-shard/1", "done": done, "jobs": of})
            click.echo(as_json if options.as_json else f"{done} of {of} jobs are done, in {options.folder}")
            return 0
        study = validation.run(options.jobs, about=_about(data), progress=progress)
    found = findings(study, seed=options.seed)
    _write(options, study, found)
    click.echo(
        json.dumps(json_report(study, found), allow_nan=False)
        if options.as_json
        else "\n".join(verdict(study, found))
    )
    failed = found.check(dict(options.fail_below))
    for line in failed:
        click.echo(f"failed: {line}", err=True)
    return 6 if failed else _exit_code(options, study)


def _load(options: ValidateOptions, data: Data) -> tuple[Program | Checkpoints, tuple[int, ...]]:
    """What is looked at, and the shape of one input."""
    from splineviz.program.sources import program_for

    how: dict[str, Any] = {"input_shape": options.input_shape, "logits": options.logits}
    shape = data.points.shape[1:]
    if options.factory is None:
        program = program_for(options.model, shape, weights=options.weights, **how)
        return program, program.input_shape
    from splineviz.program.checkpoints import Checkpoints

    program = program_for(options.factory, shape, **how)
    return Checkpoints(program, options.model), program.input_shape


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
    if options.work is None and options.folder is not None:
        shutil.rmtree(options.folder, ignore_errors=True)
    if not options.outputs:
        note("no -o FILE, so nothing is written", options.quiet)


def _exit_code(options: ValidateOptions, study: Study) -> int:
    return 5 if not study.counted.all() or (options.certify == "full" and study.undecided.any()) else 0
