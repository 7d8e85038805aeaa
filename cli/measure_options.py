"""The options of `splineviz measure`, and their contradictions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from splineviz.measures.measure import Request
from splineviz.measures.registry import MEASURES

from .declaring import flag, option
from .location import Location
from .number_types import AboveZero, Numbers
from .options import ModelSource, Reporting, WorkLimits
from .outputs import check_outputs, check_tables

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
    polygon: tuple[float, ...] | None = option(
        "--polygon",
        type=Numbers(float),
        metavar="U,V,U,V,...",
        help="Corners of a convex polygon on the plane: integrals are over what lies in it.",
    )
    centre: tuple[float, ...] | None = option(
        "--centre",
        type=Numbers(float, 2),
        metavar="U,V",
        help="With --sigma: weight means by a Gaussian about this point of the plane.",
    )
    sigma: float | None = option(
        "--sigma",
        type=AboveZero(),
        metavar="S",
        help="Standard deviation of that Gaussian, in input distance.",
    )
    truth: tuple[int, ...] | None = option(
        "--truth",
        type=Numbers(int),
        metavar="CLASS[,...]",
        help="The class that is right on all that is measured; or three, of which that of the nearest point "
        "of the plane is right.",
    )
    target: tuple[float, ...] | None = option(
        "--target",
        type=Numbers(float),
        metavar="X[,...]",
        help="The outputs that are wanted, for the mean squared error.",
    )
    tolerance: float | None = option(
        "--tolerance",
        type=AboveZero(),
        metavar="X",
        help="How far means that have no closed form may be off, by default 1e-6: cross-entropy, entropy, "
        "probabilities.",
    )
    input_norms: bool = flag(
        "--input-norms",
        help="Measure Jacobians by all inputs, too, which takes several times as long as arranging.",
    )
    grids: tuple[int, ...] | None = option(
        "--grids",
        type=Numbers(int),
        metavar="N[,...]",
        help="Points along either side of the grids that are looked at, by default 50,500,5000.",
    )
    margins: tuple[float, ...] | None = option(
        "--margins",
        type=Numbers(float),
        metavar="X[,...]",
        help="Margins below which the boundary is near, for its thickness; by default 0.1,1,10.",
    )
    location: Location
    budget: WorkLimits
    reporting: Reporting

    @property
    def request(self) -> Request:
        """The request to each measure, without data points."""
        return Request(
            level=self.level,
            polygon=None if self.polygon is None else np.reshape(self.polygon, (-1, 2)),
            centre=self.centre,
            sigma=self.sigma,
            truth=self.truth[0] if self.truth is not None and len(self.truth) == 1 else self.truth,
            target=self.target,
            tolerance=self.tolerance,
            input_norms=self.input_norms,
            grids=self.grids,
            margins=self.margins,
        )

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
        if (self.centre is None) is not (self.sigma is None):
            raise click.UsageError("--centre and --sigma go together")
        if self.polygon is not None and len(self.polygon) % 2:
            raise click.UsageError(f"--polygon has two numbers for each corner, got {len(self.polygon)}")
        self._check_reads()
        check_tables(self.outputs)
        check_outputs(self, self.outputs)

    def _check_reads(self) -> None:
        """Refuse what none of the measures that are asked for reads."""
        chosen = [MEASURES[name] for name in self.metrics or MEASURES]
        unread = [set(one.unread(self.request)) for one in chosen]
        if lost := sorted(set.intersection(*unread)):
            flag, said = lost[0].replace("_", "-"), ", ".join(self.metrics)
            readers = [name for name, one in MEASURES.items() if lost[0] in one.reads]
            raise click.UsageError(f"--{flag} is for --metric {', '.join(readers)}; {said} does not read it")

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
            "--max-memory": self.budget.max_memory,
            "--max-cells": self.budget.max_cells,
            "--jobs": self.budget.jobs,
            "--device": self.budget.device,
            "--input-shape": self.network.reading.input_shape,
            "--output-name": self.network.reading.ports.output_name,
            "--logits": self.network.reading.logits or None,
            "--fix": self.network.reading.ports.fixed or None,
            "--weights-key": self.network.weights_key,
        }
        if several := [name for name, value in given.items() if value is not None]:
            raise click.UsageError(
                f"{self.network.model} holds the cells of a network on a plane, "
                f"so {several[0]} has nothing to choose"
            )
