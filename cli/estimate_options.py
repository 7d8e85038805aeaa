"""The options of `splineviz estimate`, checked before anything is computed."""

from __future__ import annotations

import importlib.util
import math
from dataclasses import dataclass
from pathlib import Path

import click

from splineviz.errors import InputError
from splineviz.files import check_writable

from .data import Data
from .data_points import read_points
from .estimate_report import SUFFIXES

__all__ = ["EstimateOptions"]


@dataclass(frozen=True)
class EstimateOptions:
    """Each under its own name."""

    model: str
    weights: str | None
    input_shape: tuple[int, ...] | None
    logits: bool
    data: str | None
    key: str | None
    labels: str | None
    mean: tuple[float, ...]
    std: tuple[float, ...]
    transform: str | None
    outputs: tuple[Path, ...]
    limit: int | None
    metrics: tuple[str, ...]
    radii: tuple[float, ...]
    directions: tuple[int, ...]
    planes: int
    frame: str
    sigma: float
    samples: int
    noise: str
    variant: str
    epsilon: float
    eta: float | None
    weight_decay: float | None
    seed: int
    dtype: str
    device: str | None
    batch: int | None
    threads: int | None
    as_json: bool
    quiet: bool
    scaled: bool
    """Whether the request says how data come to the scale of the network."""

    def check(self) -> None:
        """Refuse what cannot be done or written."""
        if self.data is None and self.model != "demo":
            raise click.UsageError("say where to estimate: --data FILE")
        if len({path.resolve() for path in self.outputs}) != len(self.outputs):
            raise click.UsageError("the same -o is given twice")
        for path in self.outputs:
            if path.suffix.lower() not in SUFFIXES:
                raise InputError(
                    f"unknown suffix {path.suffix!r} of {path}, expected one of {', '.join(SUFFIXES)}"
                )
            check_writable(path)
            if path.suffix.lower() == ".parquet":
                _require_pyarrow(path)
        self._check_numbers()

    def _check_numbers(self) -> None:
        # what would else be found out only when another metric is done
        if not all(math.isfinite(radius) and radius > 0 for radius in self.radii):
            raise InputError(
                f"the radius must be greater than 0, got {', '.join(f'{radius:g}' for radius in self.radii)}"
            )
        if {"density", "bounds"} & set(self.metrics) and not (math.isfinite(self.sigma) and self.sigma > 0):
            raise InputError(f"--sigma must be greater than 0 for density and bounds, got {self.sigma:g}")
        if self.eta is not None and not (math.isfinite(self.eta) and self.eta > 0):
            raise InputError(f"--eta must be greater than 0, got {self.eta:g}")
        if self.weight_decay is not None and not 0 < self.weight_decay < 1:
            raise InputError(f"--weight-decay must lie between 0 and 1, got {self.weight_decay:g}")
        if "disagreements" in self.metrics and self.dtype == "float64":
            raise InputError(
                "--metric disagreements compares a lower precision with float64",
                hint="--dtype float32, bfloat16 or float16",
            )

    def read(self) -> Data:
        """The points, as they lie in the file."""
        return read_points(self.data, self.key, self.labels, self.limit, scaled=self.scaled)


def _require_pyarrow(path: Path) -> None:
    if importlib.util.find_spec("pyarrow") is None:
        raise InputError(f"writing {path} needs the package pyarrow", hint="pip install 'splineviz[parquet]'")
