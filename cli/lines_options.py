"""The options of `splineviz lines`, and their contradictions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from splineviz.choices import Certify

from .animate_options import AnimateOptions
from .checkpoint_plane import check_plane
from .declaring import argument, option, same
from .location import Location, read_points_of
from .number_types import WholeNumber
from .options import DataSource, Reading, Reporting, WorkLimits
from .outputs import check_outputs, check_tables

if TYPE_CHECKING:
    from splineviz.data import Collection

__all__ = ["LinesOptions"]


@dataclass(frozen=True, kw_only=True)
class LinesOptions:
    """The request: checkpoints, a window of a plane, data points, tests, and tables."""

    checkpoints: str = argument(reads="weights")
    model: str = same(AnimateOptions, "model")
    weights_key: str | None = same(AnimateOptions, "weights_key")
    reading: Reading
    outputs: tuple[Path, ...] = option(
        "-o",
        "--output",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Tables by checkpoint and stage; the suffix decides: .csv .json .parquet. May be repeated. "
        "Beside FILE.csv, FILE.csv.json tells where its numbers come from.",
    )
    units: tuple[Path, ...] = option(
        "--units",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Such tables by checkpoint and unit: length, edges, pieces, area swept, how far the line moved.",
    )
    source: DataSource
    points: tuple[int | str, ...] | None = same(Location, "points")
    margin: float = same(Location, "margin")
    box: tuple[float, float, float, float] | None = same(Location, "box")
    permutations: int = option(
        "--permutations",
        type=WholeNumber(min=1, max=1_000_000),
        default=999,
        metavar="N",
        help="Of data and uniform points, for the test whether lines avoid the data.",
    )
    shifts: int = option(
        "--shifts",
        type=WholeNumber(min=1, max=1_000_000),
        default=199,
        metavar="N",
        help="Of the decision boundary, for the test whether lines gather there.",
    )
    seed: int = option(
        "--seed",
        type=WholeNumber(min=0),
        default=0,
        help="Of permutations, shifts and uniform points, and of --classes and --errors.",
    )
    certify: Certify = same(WorkLimits, "certify", help="As in splineviz slice.")
    max_memory: int | None = same(WorkLimits, "max_memory")
    jobs: int | None = same(WorkLimits, "jobs")
    reporting: Reporting

    def check(self) -> None:
        """Refuse contradictions before anything is read."""
        check_plane(self.source, self.points, self.box)
        tables = (*self.outputs, *self.units)
        check_tables(tables)
        check_outputs(self, tables)

    def read(self) -> Collection | None:
        """The data."""
        return read_points_of(self.points, self.source, self.seed, None)

    @property
    def how(self) -> dict[str, Any]:
        """Keywords of :func:`splineviz.lines_over_training`."""
        names = ("permutations", "shifts", "seed", "certify", "max_memory", "jobs")
        return {name: getattr(self, name) for name in names}
