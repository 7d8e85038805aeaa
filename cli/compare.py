"""`splineviz compare`: the options, and nothing else."""

from __future__ import annotations

from typing import Any

import click

from .options import common_options, data_options, place_options, reading_options
from .slice_budget import OutputType, budget_options

_COLORS = ("norm", "class", "random", "area", "stage", "volume", "none")
_EDGES = ("stage", "plain", "none")
_DIFFERENCES = ("map", "decisions", "edges")
_EPILOG = """\b
Examples
  splineviz compare nets:make nets:other --weights a.pt --weights b.pt --data digits.npz --points 3,14,15 -o compare.png
  splineviz compare --model nets:make run/step-0.pt run/step-500.pt run/step-30000.pt --data digits.npz --points 3,14,15 \\
    -o compare.pdf
  splineviz compare demo net.onnx --difference decisions -o compare.svg --json

\b
What each number means is in docs/compare.md.
"""


@click.command(
    "compare",
    epilog=_EPILOG,
    context_settings={"show_default": True},
    short_help="Compare networks, or checkpoints of one, on one plane: cells, decisions, boundaries, maps.",
)
@click.argument("models", nargs=-1, required=True)
@click.option(
    "--model",
    metavar="MODEL",
    help="The network that all of MODELS are weights of, .pt or .safetensors files.",
)
@click.option(
    "--weights",
    multiple=True,
    type=click.Path(),
    metavar="FILE",
    help="State dict: one for each of MODELS, or several for a single one.",
)
@reading_options
@click.option("--names", metavar="A,B,...", help="What to call them; by default after their files.")
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    type=OutputType(),
    metavar="FILE",
    help="Where to draw; the suffix decides: .png .svg .pdf. May be repeated.",
)
@data_options
@place_options
@click.option(
    "--color", type=click.Choice(_COLORS), default="norm", help="What the fills show, on one scale for all."
)
@click.option("--edges", type=click.Choice(_EDGES), default="stage", help="What the lines show.")
@click.option(
    "--difference",
    type=click.Choice(_DIFFERENCES),
    help="What the panels of pairs show: by how much the affine map changed, where decisions differ, "
    "or the edges of either in a "
    "colour of its own. By default map, or edges where outputs differ in number.  [default: map]",
)
@click.option("--title", help="A line above the picture.")
@budget_options
@common_options
def command(**given: Any) -> int:
    """Compare two or more networks on one window of a plane: the cells of each, and what differs between
    every two.

    Each of MODELS is demo, an .onnx file, a .pt2 file of torch.export, or module:factory, with --weights; or,
    with --model, a file of weights for that one network. They may be of different architectures, if they take
    inputs of one size.
    """
    from .compare_job import run_compare
    from .compare_options import CompareOptions

    return run_compare(CompareOptions(**given))
