"""The options of `splineviz measure`, and their contradictions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from splineviz.errors import InputError
from splineviz.files import check_writable
from splineviz.io.rows import TABLES
from splineviz.measures.registry import MEASURES

from .declaring import option
from .location import Location
from .options import ModelSource, Reporting, WorkLimits
from .outputs import check_outputs

__all__ = ["MEASURES", "MeasureOptions"]


@dataclass(frozen=True, kw_only=True)
class MeasureOptions:
    """The request: a network with a window of a plane, or a saved arrangement; measures, and their tables."""

    network: ModelSource
    metrics: tuple[str, ...] = option(
        "--metric",
        multiple=True,
        type=click.Choice(list(MEASURES)),
        help="What to measure, listed below; may be repeated. By default all that need nothing the request "
        "lacks.",
    )
    outputs: tuple[Path, ...] = option(
        "-o",
        "--output",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Tables; the suffix decides: .csv .json .parquet. May be repeated. Beside FILE.csv, "
        "FILE.csv.json tells where its numbers come from.",
    )
    level: float | None = option(
        "--level",
        metavar="X",
        help="For a network with one output: the value that parts its two classes, by default 0.",
    )
    location: Location
    budget: WorkLimits
    reporting: Reporting

    @property
    def saved(self) -> bool:
        """True where a saved arrangement is measured."""
        return self.network.model.lower().endswith(".npz")

    @property
    def on_demo(self) -> bool:
        """True where the demo's network is asked for."""
        return self.network.model == "demo"

    def check(self) -> None:
        """Refuse contradictions, and outputs that cannot be written, before anything is computed."""
        if self.saved:
            self._check_saved()
        else:
            self.location.check(on_demo=self.on_demo)
        for path in self.outputs:
            if path.suffix.lower() not in TABLES:
                raise InputError(
                    f"unknown suffix {path.suffix!r} of {path}, expected one of {', '.join(TABLES)}"
                )
            check_writable(path)
            if path.suffix.lower() == ".parquet":
                from splineviz.io.parquet import require_pyarrow

                require_pyarrow()
        check_outputs(self, self.outputs)

    def _check_saved(self) -> None:
        """Refuse what would choose the plane and the network of a saved arrangement, which has both."""
        location = self.location
        given = {
            "--weights": self.network.weights,
            "--points": location.points,
            "--at": location.at,
            "--radius": location.radius,
            "--cells": location.cells,
            "--jitter": location.jitter,
            "--box": location.box,
        }
        if several := [name for name, value in given.items() if value is not None]:
            raise click.UsageError(
                f"{self.network.model} holds the cells of a network on a plane, "
                f"so {several[0]} has nothing to choose"
            )
