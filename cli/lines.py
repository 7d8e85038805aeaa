"""`splineviz lines`: the command."""

from __future__ import annotations

import click

from .declaring import generated
from .lines_options import LinesOptions

_EPILOG = """\b
Columns
  units     that have a line in the window
  moved     how far lines moved since the checkpoint before
  distance  median distance of data points to the nearest edge of the stage
  farther   probability that a data point is farther from it than a uniform point; p of 1/2
  boundary  the same for the decision boundary
\b
Examples
  splineviz lines 'run/step-*.pt' --model nets:make --data digits.npz --points 3,14,15 -o lines.csv
  splineviz lines run/ --model nets:make --box -1,1,-1,1 --units units.parquet
"""


@click.command(
    "lines",
    epilog=_EPILOG,
    context_settings={"show_default": True},
    short_help="Follow the lines of units over the checkpoints of a network.",
)
@generated(LinesOptions)
def command(options: LinesOptions) -> int:
    """Follow the line of every unit over the checkpoints of a network, on one plane.

    CHECKPOINTS is a folder, or a pattern in quotes such as 'run/step-*.pt', of .pt, .safetensors or .npz
    files. Told are how long lines are, how far they move, how far the points of --data are from them, and
    whether they avoid the data or gather at the decision boundary.
    """
    from .lines_job import run_lines

    return run_lines(options)
