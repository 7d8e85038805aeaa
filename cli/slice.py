"""`splineviz slice`: the options, and nothing else."""

from __future__ import annotations

from typing import Any

import click

from .options import Numbers, common_options, data_options, model_options, place_options
from .slice_budget import OutputType, limit_options

_COLORS = ("random", "norm", "jacobian", "class", "area", "kink", "stage", "volume", "none")
_EDGES = ("stage", "kink", "plain", "none")
_EPILOG = """\b
Examples
  splineviz slice demo -o demo.png
  splineviz slice nets:make --weights net.pt --data digits.npz --points 3,14,15 -o slice.png -o cells.npz
  splineviz slice nets:make --weights net.pt --data digits.npz --at 3 --radius 0.05 -o near.svg --json
  splineviz slice nets:wide --data digits.npz --points 3,14,15 --max-memory 2G --count
  splineviz slice nets:wide --data digits.npz --points 3,14,15 --seconds 600 -o cells/ -o cells.parquet
"""


@click.command(
    "slice",
    epilog=_EPILOG,
    context_settings={"show_default": True},
    short_help="Draw the exact cells of a network on a plane.",
)
@model_options
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    type=OutputType(),
    metavar="FILE",
    help="Where to write; the suffix decides: .png .svg .pdf .npz .geojson .parquet. May be repeated. "
    "FOLDER/ is for NPZ shards "
    "and an index.json. If there are only folders and .parquet, they are written as batches are "
    "finished, and no more is kept.",
)
@data_options
@place_options
@click.option(
    "--output-index",
    type=Numbers(int),
    metavar="I[,J..]",
    help="Only these outputs: one gives its level set 0.",
)
@click.option("--decisions", is_flag=True, help="One stage more, the largest output: cells of one class.")
@click.option("--stage", type=int, metavar="N", help="Stop after this stage, counted from 0.")
@click.option("--color", type=click.Choice(_COLORS), default="random", help="What the fills show.")
@click.option("--edges", type=click.Choice(_EDGES), default="stage", help="What the lines show.")
@click.option(
    "--valid-range",
    type=Numbers(float, 2),
    metavar="LO,HI",
    help="Shade where an entry of the data leaves this range.",
)
@click.option(
    "--overlay-data",
    type=click.IntRange(min=1),
    metavar="N",
    help="Draw the N data points nearest to the plane.",
)
@click.option("--title", help="A line above the picture.")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Threads for the matrix products.")
@limit_options
@common_options
def command(**given: Any) -> int:
    """Draw the exact cells of MODEL on a plane through three data points, and count them.

    MODEL is demo, an .onnx file, a .pt2 file of torch.export, or module:factory with --weights FILE.
    """
    from .slice_job import run_slice
    from .slice_options import SliceOptions

    return run_slice(SliceOptions(**given))
