"""`splineviz estimate`: the options, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import Numbers, common_options, data_options, model_options

METRICS = {
    "lc": "the proxy: units that separate the vertices x ± r v_p",
    "exact": "what random planes really cut: cells, units, linear regions",
    "disagreements": "signs at those vertices that --dtype and float64 see differently",
    "density": "expected kinks per volume under noise (Theorem 2)",
    "rank": "local rank: singular values of a Jacobian",
    "variation": "norm of the output's derivative",
    "not-good": "units that the output does not depend on",
    "bounds": "both sides of the theory's inequalities, as printed and corrected",
    "deformation": "eccentricity and diameter of the embedded vertices",
    "volume": "sqrt(det A'A) on the slice of the first two directions",
    "walk": "crossings and deviation from linearity on the way to the next point",
    "first-order": "units with |z| < r |grad z|",
    "patterns": "distinct patterns among random samples of a ball",
    "distance": "mean |z|",
}
_VARIANTS = ("theorem", "kinks", "all-edges", "script", "gradient")
_EPILOG = (
    """\b
Metrics
"""
    + "".join(f"  {name:<14} {what}\n" for name, what in METRICS.items())
    + """
\b
Work that was interrupted goes on where it stopped: what is done lies in FILE.partial until all of it is.

\b
Examples
  splineviz estimate nets:make --weights net.pt --data digits.npz --radius 0.005,0.05 --directions 2,25 -o lc.csv
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
@model_options
@data_options
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to write; the suffix decides: .csv .parquet .json. May be repeated.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N points of the data.")
@click.option(
    "--metric",
    "metrics",
    type=click.Choice(tuple(METRICS)),
    multiple=True,
    default=("lc",),
    help="What to estimate. May be repeated.",
)
@click.option(
    "--radius",
    "radii",
    type=Numbers(float),
    default="0.005",
    metavar="R[,R..]",
    help="Radii of the neighbourhoods.",
)
@click.option(
    "--directions", type=Numbers(int), default="25", metavar="P[,P..]", help="Directions: P make 2P vertices."
)
@click.option(
    "--planes", type=click.IntRange(min=1), default=1, help="exact: random planes through each point."
)
@click.option(
    "--frame",
    type=click.Choice(("shared", "per-point")),
    default="shared",
    help="lc, exact: one frame, or a fresh one a point.",
)
@click.option(
    "--sigma",
    type=float,
    default=0.05,
    help="density, rank, variation, not-good, bounds: deviation of the noise.",
)
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    default=10,
    help="Draws of the noise; 50 times as many for patterns.",
)
@click.option(
    "--noise",
    type=click.Choice(("bias", "weights")),
    default="bias",
    help="density and its kin: what is noisy.",
)
@click.option("--variant", type=click.Choice(_VARIANTS), default="theorem", help="density: which form of it.")
@click.option("--epsilon", type=float, default=0.01, help="rank, bounds: singular values from here on count.")
@click.option(
    "--eta",
    type=float,
    metavar="E",
    help="bounds: units further from their breakpoint are far; by default 2 sigma.",
)
@click.option(
    "--weight-decay", type=float, metavar="D", help="bounds: that of the training, which (17) speaks of."
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, help="Of frames, noise, samples and the bootstrap."
)
@click.option(
    "--dtype",
    type=click.Choice(("float64", "float32", "bfloat16", "float16")),
    default="float64",
    help="lc, disagreements: precision.",
)
@click.option("--device", metavar="NAME", help="cpu, cuda, ...; by default cpu, where exact and walk stay.")
@click.option(
    "--batch",
    type=click.IntRange(min=1),
    metavar="N",
    help="Points at a time; by default as many as are quick.",
)
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Threads for the matrix products.")
@common_options
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> int:
    """Estimate the local complexity of MODEL at data points, without its exact cells. MODEL need not be
    piecewise affine.

    MODEL is demo, an .onnx file, a .pt2 file of torch.export, or module:factory with --weights FILE.
    """
    from .data_points import scale_is_told
    from .estimate_job import run_estimate
    from .estimate_options import EstimateOptions

    return run_estimate(EstimateOptions(**given, scaled=scale_is_told(ctx)))
