"""`splineviz estimate`: the command."""

from __future__ import annotations

import click

from .declaring import generated
from .estimate_options import METRICS, EstimateOptions

_EPILOG = (
    """\b
Metrics
"""
    + "".join(f"  {metric.name:<14} {metric.about}\n" for metric in METRICS.values())
    + """
\b
Work that was interrupted goes on where it stopped: what is done lies in \
FILE.partial until all of it is.

\b
Examples
  splineviz estimate nets:make --weights net.pt --data digits.npz --radius 0.005,0.05 \\
    --directions 2,25 -o lc.csv
  splineviz estimate nets:make --weights net.pt --data digits.npz --metric lc --metric density -o both.parquet
  splineviz estimate nets:make --weights net.pt --data digits.npz --metric bounds --sigma 0.01 --json
"""
)


@click.command(
    "estimate",
    epilog=_EPILOG,
    context_settings={"show_default": True},
    short_help="Count local complexity at data points.",
)
@generated(EstimateOptions)
def command(options: EstimateOptions) -> int:
    """Estimate the local complexity of MODEL at data points, without its exact cells. MODEL need not be
    piecewise affine.

    MODEL is demo, an .onnx file, a .pt2 file of torch.export, or module:factory with --weights FILE.
    """
    from .estimate_job import run_estimate

    return run_estimate(options)
