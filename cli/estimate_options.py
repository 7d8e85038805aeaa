"""The options of `splineviz estimate`, checked before anything is computed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import click

from splineviz.choices import Frame, Noise, Precision, Variant
from splineviz.errors import InputError
from splineviz.estimators.metrics.metric import Settings
from splineviz.estimators.metrics.registry import registered
from splineviz.neighbourhoods import exact_metric
from splineviz.segments import walk_metric

from .declaring import option, same
from .number_types import Numbers, WholeNumber
from .options import DataSource, ModelSource, Reporting
from .outputs import check_outputs, check_tables
from .resuming import partial_path
from .slice_options import SliceOptions

__all__ = ["METRICS", "WITH_DIRECTIONS", "EstimateOptions"]

METRICS = registered(exact_metric.METRIC, walk_metric.METRIC)
WITH_DIRECTIONS = {"lc", "deformation", "disagreements"}
"""Metrics that read --directions"""


@dataclass(frozen=True, kw_only=True)
class SettingsOptions(Settings):
    """The settings of metrics, each as an option."""

    radii: tuple[float, ...] = option(
        "--radius",
        type=Numbers(float),
        default=(0.005,),
        metavar="R[,R..]",
        help="Radii of the neighbourhoods.",
    )
    directions: tuple[int, ...] | None = option(
        "--directions",
        type=Numbers(int),
        metavar="P[,P..]",
        help="Directions: P make 2P vertices; by default 25, or as many as the input has dimensions.",
    )
    planes: int = option(
        "--planes", type=WholeNumber(min=1), default=1, help="exact: random planes through each point."
    )
    frame: Frame = option("--frame", default="shared", help="lc, exact: one frame, or a fresh one a point.")
    sigma: float = option(
        "--sigma",
        default=0.05,
        help="density, rank, variation, not-good, bounds: deviation of the noise.",
    )
    samples: int = option(
        "--samples",
        type=WholeNumber(min=1),
        default=10,
        help="Draws of the noise; 50 times as many for patterns.",
    )
    noise: Noise = option("--noise", default="bias", help="density and its kin: what is noisy.")
    variant: Variant = option("--variant", default="theorem", help="density: which form of it.")
    epsilon: float = option(
        "--epsilon", default=0.01, help="rank, bounds: singular values from here on count."
    )
    eta: float | None = option(
        "--eta",
        metavar="E",
        help="bounds: units further from their breakpoint are far; by default 2 sigma.",
    )
    weight_decay: float | None = option(
        "--weight-decay", metavar="D", help="bounds: that of the training, which (17) speaks of."
    )
    seed: int = option(
        "--seed",
        type=WholeNumber(min=0),
        default=0,
        help="Of frames, noise, samples and the bootstrap.",
    )
    dtype: Precision = option("--dtype", default="float64", help="lc, disagreements: precision.")
    device: str | None = option(
        "--device", metavar="NAME", help="cpu, cuda, ...; by default cpu, where exact and walk stay."
    )
    batch: int | None = option(
        "--batch",
        type=WholeNumber(min=1),
        metavar="N",
        help="Points at a time; by default as many as are quick.",
    )


@dataclass(frozen=True, kw_only=True)
class EstimateOptions:
    """The request: a network, data points, metrics with their settings, and outputs."""

    network: ModelSource
    source: DataSource
    outputs: tuple[Path, ...] = option(
        "-o",
        "--output",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Where to write; the suffix decides: .csv .parquet .json. May be repeated. Beside FILE.csv, "
        "FILE.csv.json tells where its numbers come from.",
    )
    metrics: tuple[str, ...] = option(
        "--metric",
        type=click.Choice(tuple(METRICS)),
        multiple=True,
        default=("lc",),
        help="What to estimate. May be repeated.",
    )
    settings: SettingsOptions
    threads: int | None = same(SliceOptions, "threads")
    reporting: Reporting

    def check(self) -> None:
        """Refuse what cannot be done or written."""
        if self.source.data is None and self.network.model != "demo":
            raise click.UsageError("say where to estimate: --data FILE")
        check_outputs(self, self.outputs, map(partial_path, self.outputs))
        check_tables(self.outputs)
        self._check_numbers()

    def _check_numbers(self) -> None:
        # these would else be found out only when another metric is done
        settings = self.settings
        if not all(math.isfinite(radius) and radius > 0 for radius in settings.radii):
            radii = ", ".join(f"{radius:g}" for radius in settings.radii)
            raise InputError(f"the radius must be greater than 0, got {radii}")
        if {"density", "bounds"} & set(self.metrics) and not (
            math.isfinite(settings.sigma) and settings.sigma > 0
        ):
            raise InputError(f"--sigma must be greater than 0 for density and bounds, got {settings.sigma:g}")
        if settings.eta is not None and not (math.isfinite(settings.eta) and settings.eta > 0):
            raise InputError(f"--eta must be greater than 0, got {settings.eta:g}")
        if settings.weight_decay is not None and not 0 < settings.weight_decay < 1:
            raise InputError(f"--weight-decay must lie between 0 and 1, got {settings.weight_decay:g}")
        if "disagreements" in self.metrics and settings.dtype == "float64":
            raise InputError(
                "--metric disagreements compares a lower precision with float64",
                hint="--dtype float32, bfloat16 or float16",
            )
