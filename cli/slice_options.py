"""The request behind `splineviz slice`: its options, their contradictions, and the points that they name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import click

from splineviz.errors import InputError
from splineviz.files import check_writable

from .data import Data, read_data, read_literal
from .slice_limits import Output

__all__ = ["PICTURES", "SliceOptions"]

PICTURES = (".png", ".svg", ".pdf")
_FILES = (".npz", ".geojson", ".parquet")


@dataclass(frozen=True)
class SliceOptions:
    """The options of the command, under their own names."""

    model: str
    weights: str | None
    input_shape: tuple[int, ...] | None
    logits: bool
    outputs: tuple[Output, ...]
    data: str | None
    key: str | None
    labels: str | None
    points: tuple[int | str, ...] | None
    at: int | None
    radius: float | None
    seed: int
    margin: float
    box: tuple[float, float, float, float] | None
    mean: tuple[float, ...]
    std: tuple[float, ...]
    transform: str | None
    image_shape: tuple[int, ...] | None
    class_names: str | None
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
    certify: Literal["full", "fast", "off"]
    dask: str | None
    count: bool
    overwrite: bool
    as_json: bool
    quiet: bool

    @property
    def embedded(self) -> bool:
        """Whether the points are the demo's own digits."""
        return self.model == "demo" and self.data is None and not self._literal

    @property
    def _literal(self) -> bool:
        return self.points is not None and isinstance(self.points[0], str)

    def check(self) -> None:
        """Refuse contradictions, and outputs that cannot be written, before anything is computed."""
        if self.at is not None and self.points is not None:
            raise click.UsageError("--at and --points exclude each other")
        if (self.at is None and self.radius is not None) or (self.at is not None and self.radius is None and self.box is None):
            raise click.UsageError("--at INDEX and --radius R belong together")
        has_points = self.data is not None or self._literal or self.embedded
        if not has_points and (self.at is not None or self.points is not None):
            raise click.UsageError("--points and --at are indices into --data FILE, which is missing")
        if not has_points and self.box is None:
            raise click.UsageError("say where to look: --data FILE --points I,J,K, or --box for a network with two inputs")
        if self.data is not None and self.at is None and self.points is None and self.box is None:
            raise click.UsageError("say which of the data: --points I,J,K, or --at INDEX --radius R")
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
            what = "--count counts" if self.count else "outputs of the kinds FOLDER/ and .parquet alone are written"
            raise click.UsageError(f"{what} one batch after the other in this process, so --dask has nothing to do")
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
                    f"unknown suffix {output.path.suffix!r} of {output}, expected one of {', '.join(PICTURES + _FILES)}",
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
        return {"stage": self.stage, "certify": self.certify, **limits}

    @property
    def extra(self) -> dict[str, Any]:
        """What every output says beside its provenance."""
        return {"model": self.model, "seed": self.plane_seed}

    def read(self) -> Data | None:
        """All points that the request can name."""
        if self.embedded:
            from splineviz import demo

            return Data(demo.load_points().reshape(-1, *demo.IMAGE_SHAPE), demo.load_labels(), "the demo")
        if self._literal:
            assert self.points is not None
            return read_literal([str(path) for path in self.points])
        return None if self.data is None else read_data(self.data, self.key, self.labels)

    def rows(self) -> list[int]:
        """Which of them the plane is made from."""
        if self.at is not None:
            return [self.at]
        if self.points is None:
            return [0, 1, 2] if self.embedded else []
        return [0, 1, 2] if self._literal else [int(row) for row in self.points]

    @property
    def plane_seed(self) -> int | None:
        """The seed, where chance had a part."""
        return self.seed if self.at is not None else None
