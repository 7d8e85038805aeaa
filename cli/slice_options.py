"""The options of `splineviz slice`, and their contradictions."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from splineviz.choices import CellColor, EdgeStyle
from splineviz.errors import InputError
from splineviz.files import ARRANGEMENTS, PICTURES, check_writable

from .declaring import flag, option
from .location import Location, class_names
from .options import ModelSource, Reporting, WorkLimits
from .outputs import check_outputs
from .value_types import Numbers, Output, OutputType

__all__ = ["Drawing", "SliceOptions"]


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """Looks of the picture."""

    color: CellColor = option("--color", default="random", help="What the fills show.")
    cmap: str | None = option(
        "--cmap", metavar="NAME", help="Colour map of matplotlib for a quantity; by default a light cividis."
    )
    edges: EdgeStyle = option("--edges", default="stage", help="What the lines show.")
    boundary: bool = option("--boundary/--no-boundary", default=True, help="Draw the decision boundary.")
    level: float | None = option(
        "--level",
        metavar="X",
        help="Of a single output: draw where it equals X, in place of 0, as the boundary.",
    )
    valid_range: tuple[float, float] | None = option(
        "--valid-range",
        type=Numbers(float, 2),
        metavar="LO,HI",
        help="Shade where an entry of the data leaves this range.",
    )
    title: str | None = option("--title", help="A line above the picture.")
    legend: bool = option(
        "--legend/--no-legend", default=True, help="What colours and lines mean, and the points."
    )
    ticks: bool | None = option(
        "--ticks/--no-ticks",
        default=None,
        help="Plane coordinates on the axes; by default for networks with two inputs.",
    )
    width: float = option(
        "--width", type=click.FloatRange(min=1), default=5.5, metavar="INCHES", help="Of the picture."
    )
    dpi: int = option("--dpi", type=click.IntRange(min=10), default=300, metavar="N", help="Pixels per inch.")
    text: bool = flag("--text", help="Keep letters in .svg as text, which needs the font, and not as shapes.")

    @property
    def style(self) -> dict[str, Any]:
        """Keywords of :func:`splineviz.render.save_figure`, without those that the data decide."""
        names = ("color", "cmap", "edges", "boundary", "level", "title", "legend", "ticks", "width", "dpi")
        return {name: getattr(self, name) for name in (*names, "text")}

    def check(self, outputs: Iterable[Path]) -> None:
        """Refuse contradictions, and options that no output heeds."""
        low, high = self.valid_range or (0.0, 1.0)
        if not -math.inf < low < high < math.inf:
            raise InputError(f"--valid-range must be two finite numbers low < high, got {low:g},{high:g}")
        if self.level is not None and not (math.isfinite(self.level) and self.boundary):
            raise click.UsageError("--level X is a finite number, and is drawn as the boundary")
        if self.text and not any(path.suffix.lower() == ".svg" for path in outputs):
            raise click.UsageError("--text is for -o FILE.svg")


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
        help="Where to write; the suffix decides: .png .svg .pdf .npz .geojson .parquet. May be repeated. "
        "FOLDER/ is for NPZ shards and an index.json. If there are only folders and .parquet, they are "
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
    stage: int | None = option("--stage", metavar="N", help="Stop after this stage, counted from 0.")
    drawing: Drawing
    overlay_data: int | None = option(
        "--overlay-data",
        type=click.IntRange(min=1),
        metavar="N",
        help="Draw the N data points nearest to the plane.",
    )
    affine: bool = flag(
        "--affine",
        help="Keep the affine map of each cell in .npz, so that splineviz draw can restyle it without the "
        "network.",
    )
    threads: int | None = option(
        "--threads", type=click.IntRange(min=1), metavar="N", help="Threads for the matrix products."
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
        has_data = self.location.source.data is not None or self.location.embedded(on_demo=self.on_demo)
        if self.overlay_data is not None and not has_data:
            raise click.UsageError("--overlay-data draws points of --data FILE, which is missing")
        self.drawing.check(output.path for output in self.outputs)
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
        if output.suffix not in PICTURES + ARRANGEMENTS:
            raise InputError(
                f"unknown suffix {output.path.suffix!r} of {output}, expected one of "
                f"{', '.join(PICTURES + ARRANGEMENTS)}",
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
    def limits(self) -> dict[str, Any]:
        """Keywords that `splineviz.arrange` and `splineviz.stream` take alike."""
        return {"stage": self.stage, **self.budget.limits}

    @property
    def extra(self) -> dict[str, Any]:
        """Entries of every output beside its provenance."""
        return {"model": self.network.model, "seed": self.location.plane_seed}

    def limits_after(self, spent: float) -> dict[str, Any]:
        """Limits, where so many seconds of the budget are over."""
        left = None if self.budget.seconds is None else max(1e-9, self.budget.seconds - spent)
        return {**self.limits, "seconds": left}
