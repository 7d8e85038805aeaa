"""`splineviz compare`: the command."""

from __future__ import annotations

import click

from .compare_options import CompareOptions
from .declaring import generated

_EPILOG = """\b
Examples
  splineviz compare nets:make nets:other --weights a.pt --weights b.pt --data digits.npz --points 3,14,15 \
-o compare.png
  splineviz compare --model nets:make run/step-0.pt run/step-500.pt run/step-30000.pt --data digits.npz \
--points 3,14,15 \\
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
@generated(CompareOptions)
def command(options: CompareOptions) -> int:
    """Compare two or more networks on one window of a plane: the cells of each, and what differs between
    every two.

    Each of MODELS is demo, an .onnx file, a .pt2 file of torch.export, or module:factory, with --weights; or,
    with --model, a file of weights for that one network. They may be of different architectures, if they take
    inputs of one size.
    """
    from .compare_job import run_compare

    return run_compare(options)
