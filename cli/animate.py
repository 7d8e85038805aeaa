"""`splineviz animate`: the options, and nothing else."""

from __future__ import annotations

from typing import Any

import click

from .options import Anchors, Numbers, common_options, data_options

_COLORS = ("random", "norm", "class", "area", "stage", "volume", "none")
_EDGES = ("stage", "plain", "none")
_EPILOG = """\b
Examples
  splineviz animate 'run/step-*.pt' --model nets:make --data digits.npz --points 3,14,15 -o training.webp
  splineviz animate run/ --model nets:make --data digits.npz --points 3,14,15 -o training.html -o frames/ --jobs 2
  splineviz animate run/ --model nets:make --data digits.npz --points 3,14,15 -o training.webp --follow
"""


@click.command(
    "animate",
    epilog=_EPILOG,
    context_settings={"show_default": True},
    short_help="Animate the cells of a network over the checkpoints of its training.",
)
@click.argument("checkpoints")
@click.option(
    "--model", required=True, metavar="MODEL", help="The network: module:factory, an .onnx or .pt2 file."
)
@click.option(
    "--weights-key",
    metavar="NAME",
    help="The entry of each file that holds the weights, where there are several: ema.",
)
@click.option(
    "--input-shape",
    type=Numbers(int),
    metavar="N,N,...",
    help="Shape of one input, where the model does not tell it.",
)
@click.option("--logits", is_flag=True, help="Cut off a last softmax, sigmoid or argmax.")
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    required=True,
    metavar="FILE",
    help="Where to write; the suffix decides: .webp .apng .gif .html .mp4; frames/%04d.png or .svg, or "
    "FOLDER/, for single frames. "
    "May be repeated.",
)
@data_options
@click.option(
    "--points",
    type=Anchors(),
    metavar="I,J,K",
    help="Points for the plane: indices into --data, or three files A,B,C.",
)
@click.option(
    "--margin",
    type=float,
    default=0.25,
    help="How far the window reaches beyond the points, over its longer side.",
)
@click.option(
    "--box", type=Numbers(float, 4), metavar="U0,U1,V0,V1", help="The window itself, in plane coordinates."
)
@click.option("--radius", type=float, default=0.05, metavar="R", help="Of local complexity at the points.")
@click.option(
    "--lc-points",
    type=click.IntRange(min=1),
    metavar="N",
    help="Local complexity at the first N of --data, not the anchors.",
)
@click.option("--seed", type=int, default=0, help="Of the directions of local complexity.")
@click.option(
    "--image-shape",
    type=Numbers(int),
    metavar="H,W",
    help="Shape of the thumbnails, where the data are flat.",
)
@click.option("--class-names", metavar="A,B,...", help="Names of the classes, for the legend.")
@click.option("--color", type=click.Choice(_COLORS), default="random", help="What the fills show.")
@click.option("--edges", type=click.Choice(_EDGES), default="stage", help="What the lines show.")
@click.option("--title", help="Before the step, above each frame.")
@click.option(
    "--duration",
    type=click.FloatRange(min=0, min_open=True),
    metavar="S",
    help="Seconds; by default half one a frame.",
)
@click.option("--width", type=click.IntRange(min=300), default=605, metavar="PIXELS", help="Of a frame.")
@click.option(
    "--max-cells",
    type=click.IntRange(min=1),
    metavar="N",
    help="Of one frame: stop before there are more cells.",
)
@click.option(
    "--certify", type=click.Choice(["full", "fast", "off"]), default="fast", help="As in splineviz slice."
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Checkpoints at a time; by default as many as cores.",
)
@click.option(
    "--cache",
    type=click.Path(),
    metavar="FOLDER",
    help="For what is computed; by default .splineviz-cache beside -o.",
)
@click.option(
    "--follow", is_flag=True, help="Go on: write anew when there are more checkpoints, until interrupted."
)
@click.option(
    "--idle",
    type=click.FloatRange(min=0),
    metavar="S",
    help="With --follow: stop when none came for so many seconds.",
)
@common_options
def command(**given: Any) -> int:
    """Draw the cells of every checkpoint on one plane, and put the frames together.

    CHECKPOINTS is a folder, or a pattern in quotes such as 'run/step-*.pt', of .pt, .safetensors or .npz
    files. sv.Recorder writes them while a network is trained.
    """
    from .animate_job import AnimateOptions, run_animate

    return run_animate(AnimateOptions(**given))
