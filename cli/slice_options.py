"""The options of `splineviz slice`, and their contradictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import click

from splineviz.errors import InputError
from splineviz.files import ARRANGEMENTS, PAGE, PICTURES, check_writable

from .declaring import flag, option
from .location import Location, class_names
from .looks import DataDrawing
from .number_types import Numbers, WholeNumber
from .options import ModelSource, Reporting, WorkLimits
from .outputs import check_outputs
from .value_types import Output, OutputType

__all__ = ["SliceOptions"]


@dataclass(frozen=True, kw_only=True)
class SliceOptions:
    """The request: a network, a window of a plane, outputs, and how the work is done."""

    network: ModelSource
    outputs: tuple[Output, ...] = option(
        "-o",
        "--output",
        multiple=True,
        type=OutputType(),
        metavar="FILE",
        help="Where to write; the suffix decides: .png .svg .pdf .npz .geojson .parquet, or .html, a page "
        "to look closely at. May be repeated. FOLDER/ is for NPZ shards and an index.json. If there are "
        "only folders and .parquet, they are "
        "written as batches are finished, and no more is kept.",
    )
    location: Location
    output_index: tuple[int, ...] | None = option(
        "--output-index",
        type=Numbers(int),
        metavar="I[,J..]",
        help="Only these outputs: one gives its level set 0.",
    )
    decisions: bool = flag("--decisions", help="One stage more, the largest output: cells of one class.")
    only: Literal["boundary"] | None = option(
        "--only",
        help="Find the decision boundary, or the level set --level of a single output, and none of the cells "
        "that it does not touch. For .png .svg .pdf, and .csv .json .geojson .npz of segments.",
    )
    stage: int | None = option("--stage", metavar="N", help="Stop after this stage, counted from 0.")
    drawing: DataDrawing
    affine: bool = flag(
        "--affine",
        help="Keep the affine map of each cell in .npz, so that splineviz draw can restyle it without the "
        "network.",
    )
    threads: int | None = option(
        "--threads", type=WholeNumber(min=1, max=1024), metavar="N", help="Threads for the matrix products."
    )
    budget: WorkLimits
    dask: str | None = option(
        "--dask",
        metavar="ADDRESS",
        help="Work on a dask cluster: the address of its scheduler, tcp://host:port.",
    )
    estimate: bool = flag(
        "--estimate", help="Only tell about how many cells there are and how long they take; write nothing."
    )
    count: bool = flag(
        "--count", help="Only count: nothing is kept or drawn, so that any number of cells will do."
    )
    overwrite: bool = flag("--overwrite", help="Replace the shards of an earlier run in -o FOLDER/.")
    reporting: Reporting

    @property
    def on_demo(self) -> bool:
        """True where the demo's network is asked for."""
        return self.network.model == "demo"

    @property
    def names_of_classes(self) -> list[str] | None:
        """Names by class number, where they are known."""
        return class_names(self.location.class_names, on_demo=self.on_demo)

    def check(self) -> None:
        """Refuse contradictions, and outputs that cannot be written, before anything is computed."""
        self.location.check(on_demo=self.on_demo)
        has_data = self.location.has_data(on_demo=self.on_demo)
        self.drawing.check([output.path for output in self.outputs], has_data=has_data)
        if self.only is not None:
            from .boundary_job import check_boundary_options

            check_boundary_options(self)
            check_outputs(self, (output.path for output in self.outputs))
            return
        if self.affine and not any(output.suffix == ".npz" for output in self.outputs):
            raise click.UsageError("--affine is for -o FILE.npz")
        self._check_outputs()

    def _check_outputs(self) -> None:
        if self.count and self.estimate:
            raise click.UsageError("--count counts all cells, and --estimate stops before: choose one")
        if self.count and self.outputs:
            raise click.UsageError("--count keeps nothing, so there is nothing for -o to write")
        if self.streamed and self.dask is not None:
            what = (
                "--count counts"
                if self.count
                else "outputs of the kinds FOLDER/ and .parquet alone are written"
            )
            raise click.UsageError(
                f"{what} one batch after the other in this process, so --dask has nothing to do"
            )
        if self.overwrite and not any(output.folder for output in self.outputs):
            raise click.UsageError("--overwrite is for -o FOLDER/; files are replaced anyway")
        shards = (shard for output in self.outputs if output.folder for shard in output.path.glob("*"))
        check_outputs(self, (output.path for output in self.outputs), shards)
        for output in self.outputs:
            self._check_output(output)

    def _check_output(self, output: Output) -> None:
        if output.folder:
            from splineviz.io.shards import check_folder

            check_folder(output.path, overwrite=self.overwrite)
            return
        known = (*PICTURES, PAGE, *ARRANGEMENTS)
        if output.suffix not in known:
            raise InputError(
                f"unknown suffix {output.path.suffix!r} of {output}, expected one of {', '.join(known)}",
                hint=f"for a folder of shards -o {output}/" if not output.suffix else None,
            )
        check_writable(output.path)
        if output.suffix == ".parquet":
            from splineviz.io.parquet import require_pyarrow

            require_pyarrow()

    @property
    def streamed(self) -> bool:
        """True where nothing asks for the whole arrangement at once."""
        return self.count or (bool(self.outputs) and all(output.streamed for output in self.outputs))

    @property
    def extra(self) -> dict[str, Any]:
        """Entries of every output beside its provenance."""
        return {"model": self.network.model, "seed": self.location.plane_seed}

    def limits_after(self, spent: float) -> dict[str, Any]:
        """Keywords that `splineviz.arrange` and `splineviz.stream` take alike, where so many seconds of the
        budget are over."""
        return {"stage": self.stage, **self.budget.limits_after(spent)}
