"""`splineviz animate`: the command."""

from __future__ import annotations

import click

from .animate_options import AnimateOptions
from .declaring import generated

_EPILOG = """\b
Examples
  splineviz animate 'run/step-*.pt' --model nets:make --data digits.npz --points 3,14,15 -o training.webp
  splineviz animate run/ --model nets:make --data digits.npz --points 3,14,15 -o training.html -o frames/ \
--jobs 2
  splineviz animate run/ --model nets:make --data digits.npz --points 3,14,15 -o training.webp --follow
"""


@click.command(
    "animate",
    epilog=_EPILOG,
    context_settings={"show_default": True},
    short_help="Animate the cells of a network over the checkpoints of its training.",
)
@generated(AnimateOptions)
def command(options: AnimateOptions) -> int:
    """Draw the cells of every checkpoint on one plane, and put the frames together.

    CHECKPOINTS is a folder, or a pattern in quotes such as 'run/step-*.pt', of .pt, .safetensors or .npz
    files. sv.Recorder writes them while a network is trained.
    """
    from .animate_job import run_animate

    return run_animate(options)
