"""`splineviz measure`: the command."""

from __future__ import annotations

import click

from .declaring import generated
from .measure_options import MEASURES, MeasureOptions

_EPILOG = (
    """\b
Measures
"""
    + "".join(f"  {measure.name:<14} {measure.about}\n" for measure in MEASURES.values())
    + """
\b
Examples
  splineviz measure demo
  splineviz slice demo -o cells.npz --affine && splineviz measure cells.npz --metric regions -o regions.csv
  splineviz measure nets:make --weights net.pt --data digits.npz --points 3,14,15 -o all.parquet --json
"""
)


@click.command(
    "measure",
    epilog=_EPILOG,
    context_settings={"show_default": True},
    short_help="Measure the cells, decisions and outputs of a network on a plane.",
)
@generated(MeasureOptions)
def command(options: MeasureOptions) -> int:
    """Measure the exact cells of MODEL on a plane, or those of an arrangement that was saved.

    MODEL is FILE.npz, as splineviz slice --affine has written it; or what splineviz slice takes: demo, an
    .onnx file, a .pt2 file of torch.export, or module:factory with --weights FILE.
    """
    from .measure_job import run_measure

    return run_measure(options)
