"""`splineviz validate`: the options, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import Numbers, common_options, data_options, model_options
from .slice_budget import OutputType

_EPILOG = """\b
Outputs
  .html            the report, one file that opens offline
  .md .json        the same as Markdown (figures beside it) and as numbers
  .npz             the study itself, for sv.Study.load
  .csv .parquet    a row for each checkpoint, radius, frame and point
  FOLDER/          every figure alone

Finished jobs lie in --work FOLDER, by default FILE.jobs beside the first output until that is written: what was interrupted
goes on there.

\b
Examples
  splineviz validate nets:make --weights net.pt --data digits.npz --limit 500 -o report.html
  splineviz validate 'run/step-*.pt' --model nets:make --data digits.npz --limit 500 --radii 0.001 -o report.html -o study.npz
  splineviz validate 'run/step-*.pt' --model nets:make --data digits.npz --work jobs --shard 2/4
  splineviz validate nets:make --weights net.pt --data digits.npz --fail-below tau=0.8
"""


class Shard(click.ParamType[tuple[int, int]]):
    """Two whole numbers, i/n."""

    name = "shard"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        number, slash, of = str(value).partition("/")
        if not (slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
            self.fail(f"expected i/n with 1 <= i <= n, such as 2/4, got {value!r}", param, ctx)
        return int(number), int(of)


class Threshold(click.ParamType[tuple[str, float]]):
    """A name and a number, name=value."""

    name = "threshold"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, float]:
        if isinstance(value, tuple):
            return value
        name, _, number = str(value).partition("=")
        try:
            return name.strip(), float(number)
        except ValueError:
            self.fail(f"expected name=value, such as tau=0.8, got {value!r}", param, ctx)


@click.command(
    "validate",
    epilog=_EPILOG,
    context_settings={"show_default": True},
    short_help="Hold the proxy of local complexity against exact counts, and report.",
)
@model_options
@click.option(
    "--model",
    "factory",
    metavar="MODEL",
    help="The network, where MODEL names checkpoints: a folder, or a pattern.",
)
@data_options
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    type=OutputType(),
    metavar="FILE",
    help="Where to write; the suffix decides. May be repeated.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N points of the data.")
@click.option(
    "--radii", type=Numbers(float), default="0.001", metavar="R[,R..]", help="Radii, in input distance."
)
@click.option(
    "--medians",
    type=Numbers(int),
    default="1,5,20",
    metavar="M[,M..]",
    help="And the radii at which the median point has so many units cut; 0 for none.",
)
@click.option(
    "--directions", type=Numbers(int), default="2,25", metavar="P[,P..]", help="Directions; 2 is added."
)
@click.option("--frames", type=click.IntRange(min=1), default=10, metavar="N", help="Frames of the proxy.")
@click.option(
    "--planes", type=click.IntRange(min=1), default=2, metavar="N", help="Exact planes through each point."
)
@click.option(
    "--frame",
    type=click.Choice(("shared", "per-point")),
    default="shared",
    help="One frame for all points or one each.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of frames, samples and the bootstrap.")
@click.option("--certify", type=click.Choice(("full", "fast", "off")), default="fast", help="As for slice.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    metavar="S",
    help="Time for one radius at one checkpoint, exactly.",
)
@click.option(
    "--examples",
    type=click.IntRange(min=0),
    default=2,
    metavar="N",
    help="Neighbourhoods to draw, best and worst N.",
)
@click.option(
    "--work",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where finished jobs are kept.",
)
@click.option(
    "--shard", type=Shard(), metavar="I/N", help="Do only this share of the jobs, and report nothing."
)
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Workers; by default as many as cores.")
@click.option(
    "--dask", metavar="ADDRESS", help="Work on a dask cluster: the address of its scheduler, tcp://host:port."
)
@click.option(
    "--fail-below",
    type=Threshold(),
    multiple=True,
    metavar="NAME=X",
    help="Exit with 6 if a number is lower: tau=0.8, ...",
)
@common_options
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> int:
    """Hold the proxy of local complexity against the exact counts of the same neighbourhoods.

    MODEL is demo, an .onnx file, a .pt2 file of torch.export, or module:factory with --weights FILE; or, with
    --model, a folder of checkpoints or a pattern of their names.
    """
    from .data_points import scale_is_told
    from .validate_job import run_validate
    from .validate_options import ValidateOptions

    return run_validate(ValidateOptions(**given, scaled=scale_is_told(ctx)))
