"""The request behind `splineviz slice`: its options, their contradictions, and the points that they name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import click

from splineviz.errors import InputError
from splineviz.files import check_writable

from .location import Location
from .slice_budget import Output

__all__ = ["PICTURES", "SliceOptions"]

PICTURES = (".png", ".svg", ".pdf")
_FILES = (".npz", ".geojson", ".parquet")


@dataclass(frozen=True)
class SliceOptions(Location):
    """The options of the command, under their own names."""

    model: str
    weights: str | None
    input_shape: tuple[int, ...] | None
    logits: bool
    outputs: tuple[Output, ...]
    output_index: tuple[int, ...] | None
    decisions: bool
    stage: int | None
    color: str
    edges: str
    valid_range: tuple[float, float] | None
    overlay_data: int | None
    title: str | None
    threads: int | None
    max_memory: int | None
    max_cells: int | None
    seconds: float | None
    jobs: int | None
    device: str | None
    certify: Literal["full", "fast", "off"]
    dask: str | None
    count: bool
    overwrite: bool
    as_json: bool
    quiet: bool

    @property
    def on_demo(self) -> bool:
        return self.model == "demo"

    def check(self) -> None:
        """Refuse contradictions, and outputs that cannot be written, before anything is computed."""
        self.check_place()
        if self.overlay_data is not None and not (self.data is not None or self.embedded):
            raise click.UsageError("--overlay-data draws points of --data FILE, which is missing")
        low, high = self.valid_range or (0.0, 1.0)
        if not -math.inf < low < high < math.inf:
            raise InputError(f"--valid-range must be two finite numbers low < high, got {low:g},{high:g}")
        self._check_outputs()

    def _check_outputs(self) -> None:
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
        if len({output.path.resolve() for output in self.outputs}) != len(self.outputs):
            raise click.UsageError("the same -o is given twice")
        for output in self.outputs:
            if output.folder:
                from splineviz.io.shards import check_folder

                check_folder(output.path, overwrite=self.overwrite)
                continue
            if output.suffix not in PICTURES + _FILES:
                raise InputError(
                    f"unknown suffix {output.path.suffix!r} of {output}, expected one of "
                    f"{', '.join(PICTURES + _FILES)}",
                    hint=f"for a folder of shards -o {output}/" if not output.suffix else None,
                )
            check_writable(output.path)
            if output.suffix == ".parquet":
                from splineviz.io.parquet import require_pyarrow

                require_pyarrow()

    @property
    def streamed(self) -> bool:
        """Whether nothing asks for the whole arrangement at once."""
        return self.count or (bool(self.outputs) and all(output.streamed for output in self.outputs))

    @property
    def budget(self) -> dict[str, Any]:
        """What `splineviz.arrange` and `splineviz.stream` take alike."""
        limits = {"max_memory": self.max_memory, "max_cells": self.max_cells, "seconds": self.seconds}
        return {"stage": self.stage, "certify": self.certify, "device": self.device, **limits}

    @property
    def extra(self) -> dict[str, Any]:
        """What every output says beside its provenance."""
        return {"model": self.model, "seed": self.plane_seed}
