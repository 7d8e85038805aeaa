"""`splineviz slice`: the command."""

from __future__ import annotations

import click

from .declaring import generated
from .slice_options import SliceOptions

_EPILOG = """\b
Examples
  splineviz slice demo -o demo.png
  splineviz slice nets:make --weights net.pt --data digits.npz --points 3,14,15 -o slice.png -o cells.npz
  splineviz slice nets:image --box=-1,1,-1,1 --color value --edges none -o image.png
  splineviz slice nets:make --weights net.pt --data digits.npz --at 3 --radius 0.05 -o near.svg --json
  splineviz slice nets:surface --box=-1,1,-1,1 --only boundary --level 0 -o surface.svg -o surface.csv
  splineviz slice nets:wide --data digits.npz --points 3,14,15 --max-memory 2G --count
  splineviz slice nets:wide --data digits.npz --points 3,14,15 --seconds 600 -o cells/ -o cells.parquet
"""


@click.command(
    "slice",
    epilog=_EPILOG,
    context_settings={"show_default": True},
    short_help="Draw the exact cells of a network on a plane.",
)
@generated(SliceOptions)
def command(options: SliceOptions) -> int:
    """Draw the exact cells of MODEL on a plane through three data points, and count them.

    MODEL is demo, an .onnx file, a .pt2 file of torch.export, or module:factory with --weights FILE.
    """
    from .slice_job import run_slice

    return run_slice(options)
