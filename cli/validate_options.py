"""The options of `splineviz validate`, checked before anything is computed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from splineviz.choices import Certify, Frame
from splineviz.errors import InputError
from splineviz.files import REPORTS, TABLES, check_writable, figures_beside

from .declaring import option, same
from .number_types import Numbers, WholeNumber
from .options import DataSource, ModelSource, Reporting, WorkLimits
from .outputs import check_outputs
from .slice_options import SliceOptions
from .value_types import Output, OutputType, Shard, Threshold

__all__ = ["ValidateOptions"]

_MEDIANS = (1, 5, 20)
_SUFFIXES = (*REPORTS, ".npz", *TABLES)


@dataclass(frozen=True, kw_only=True)
class DesignOptions:
    """Fields of :class:`splineviz.validation.design.Design`, each as an option."""

    radii: tuple[float, ...] = option(
        "--radii",
        type=Numbers(float),
        default=(0.001,),
        metavar="R[,R..]",
        help="Radii, in input distance.",
    )
    medians: tuple[int, ...] | None = option(
        "--medians",
        type=Numbers(int),
        metavar="M[,M..]",
        help="And the radii at which the median point has so many units cut; 0 for none. By default 1, 5 and "
        "20, or those of them that are at most half of the units.",
    )
    directions: tuple[int, ...] | None = option(
        "--directions",
        type=Numbers(int),
        metavar="P[,P..]",
        help="Directions; 2 is added. By default 25, or as many as the input has dimensions.",
    )
    frames: int = option(
        "--frames", type=WholeNumber(min=1), default=10, metavar="N", help="Frames of the proxy."
    )
    planes: int = option(
        "--planes",
        type=WholeNumber(min=1),
        default=2,
        metavar="N",
        help="Exact planes through each point.",
    )
    frame: Frame = option("--frame", default="shared", help="One frame for all points or one each.")
    seed: int = option(
        "--seed", type=WholeNumber(min=0), default=0, help="Of frames, samples and the bootstrap."
    )
    certify: Certify = same(WorkLimits, "certify", help="As for slice.")
    seconds: float | None = same(
        WorkLimits, "seconds", help="Time for one radius at one checkpoint, exactly."
    )
    examples: int = option(
        "--examples",
        type=WholeNumber(min=0),
        default=2,
        metavar="N",
        help="Neighbourhoods to draw, best and worst N.",
    )


@dataclass(frozen=True, kw_only=True)
class ValidateOptions:
    """The request: networks, data points, a design, outputs, and where the work is done."""

    network: ModelSource
    factory: str | None = option(
        "--model",
        reads="file",
        metavar="MODEL",
        help="The network, where MODEL names checkpoints: a folder, or a pattern.",
    )
    source: DataSource
    outputs: tuple[Output, ...] = option(
        "-o",
        "--output",
        multiple=True,
        type=OutputType(),
        metavar="FILE",
        help="Where to write; the suffix decides. May be repeated.",
    )
    design: DesignOptions
    work: Path | None = option(
        "--work",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="FOLDER",
        help="Where finished jobs are kept.",
    )
    shard: tuple[int, int] | None = option(
        "--shard",
        type=Shard(),
        metavar="I/N",
        help="Do only this share of the jobs, and report nothing.",
    )
    max_memory: int | None = same(WorkLimits, "max_memory")
    jobs: int | None = same(WorkLimits, "jobs")
    dask: str | None = same(SliceOptions, "dask")
    fail_below: tuple[tuple[str, float], ...] = option(
        "--fail-below",
        type=Threshold(),
        multiple=True,
        metavar="NAME=X",
        help="Exit with 6 if a number is lower: tau=0.8, ...",
    )
    reporting: Reporting

    def asked(self, n_units: int) -> dict[str, Any]:
        """Fields of a :class:`splineviz.validation.design.Design`, for a network of so many units."""
        given = self.design.medians
        medians = [m for m in _MEDIANS if m <= max(1, n_units // 2)] if given is None else given
        return asdict(self.design) | {"medians": tuple(m for m in medians if m != 0)}

    @property
    def folder(self) -> Path | None:
        """The folder of finished jobs."""
        if self.work is not None:
            return self.work
        return Path(f"{self.files[0]}.jobs") if self.files else None

    @property
    def files(self) -> tuple[Path, ...]:
        """Outputs that are files."""
        return tuple(output.path for output in self.outputs if not output.folder)

    @property
    def folders(self) -> tuple[Path, ...]:
        """Outputs that are folders, for figures."""
        return tuple(output.path for output in self.outputs if output.folder)

    def check(self) -> None:
        """Refuse what can be seen to be wrong without reading anything."""
        if self.source.data is None and (self.factory or self.network.model) != "demo":
            raise click.UsageError("say where to validate: --data FILE")
        figures = (*self.folders, *(figures_beside(path) for path in self.files))
        pictures = (picture for folder in figures for picture in folder.glob("*.png"))
        check_outputs(self, (output.path for output in self.outputs), pictures)
        for path in self.files:
            if path.suffix.lower() not in _SUFFIXES:
                raise InputError(
                    f"cannot write {path}: expected one of {' '.join(_SUFFIXES)}, or a folder FIGURES/"
                )
            check_writable(path)
            if path.suffix.lower() == ".parquet":
                from splineviz.io.parquet import require_pyarrow

                require_pyarrow()
        if self.shard is not None:
            if self.work is None:
                raise InputError("--shard needs --work FOLDER, where all shares put their results")
            if self.outputs:
                raise InputError(
                    "--shard writes no report", hint="run the same without --shard when all shares are done"
                )
        if self.factory is not None and self.network.weights is not None:
            raise InputError("checkpoints bring their own weights: --weights goes with one network only")
