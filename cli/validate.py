"""`splineviz validate`: the command."""

from __future__ import annotations

import click

from .declaring import generated
from .validate_options import ValidateOptions

_EPILOG = """\b
Outputs
  .html            the report, one file that opens offline
  .md .json        the same as Markdown (figures beside it) and as numbers
  .npz             the study itself, for sv.Study.load
  .csv .parquet    a row for each checkpoint, radius, frame and point
                   (and in FILE.csv.json beside FILE.csv, the design)
  FOLDER/          every figure alone

Finished jobs lie in --work FOLDER, by default FILE.jobs beside the first output until that is written: \
what was interrupted
goes on there.

\b
Examples
  splineviz validate nets:make --weights net.pt --data digits.npz --limit 500 -o report.html
  splineviz validate 'run/step-*.pt' --model nets:make --data digits.npz --limit 500 --radii 0.001 -o \
report.html -o study.npz
  splineviz validate 'run/step-*.pt' --model nets:make --data digits.npz --work jobs --shard 2/4
  splineviz validate nets:make --weights net.pt --data digits.npz --fail-below tau=0.8
"""


@click.command(
    "validate",
    epilog=_EPILOG,
    context_settings={"show_default": True},
    short_help="Hold the proxy of local complexity against exact counts, and report.",
)
@generated(ValidateOptions)
def command(options: ValidateOptions) -> int:
    """Hold the proxy of local complexity against the exact counts of the same neighbourhoods.

    MODEL is demo, an .onnx file, a .pt2 file of torch.export, or module:factory with --weights FILE; or, with
    --model, a folder of checkpoints or a pattern of their names.
    """
    from .validate_job import run_validate

    return run_validate(options)
