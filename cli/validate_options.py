"""The options of `splineviz validate`, checked before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from splineviz.errors import InputError
from splineviz.files import check_writable

from .data import Data
from .data_points import read_points
from .slice_budget import Output

__all__ = ["SUFFIXES", "ValidateOptions"]

REPORTS = (".html", ".md", ".json")
TABLES = (".csv", ".parquet")
SUFFIXES = (*REPORTS, ".npz", *TABLES)


@dataclass(frozen=True)
class ValidateOptions:
    """Each under its own name."""

    model: str
    factory: str | None
    weights: str | None
    input_shape: tuple[int, ...] | None
    logits: bool
    data: str | None
    key: str | None
    labels: str | None
    mean: tuple[float, ...]
    std: tuple[float, ...]
    transform: str | None
    outputs: tuple[Output, ...]
    limit: int | None
    radii: tuple[float, ...]
    medians: tuple[int, ...]
    directions: tuple[int, ...]
    frames: int
    planes: int
    frame: str
    seed: int
    certify: str
    seconds: float | None
    examples: int
    work: Path | None
    shard: tuple[int, int] | None
    jobs: int | None
    dask: str | None
    fail_below: tuple[tuple[str, float], ...]
    as_json: bool
    quiet: bool
    scaled: bool

    @property
    def asked(self) -> dict[str, Any]:
        """The fields of a design."""
        names = ("radii", "directions", "frames", "planes", "frame", "seed", "certify", "seconds", "examples")
        return {name: getattr(self, name) for name in names} | {
            "medians": tuple(m for m in self.medians if m != 0)
        }

    @property
    def folder(self) -> Path | None:
        """Where finished jobs are kept."""
        if self.work is not None:
            return self.work
        return Path(f"{self.files[0]}.jobs") if self.files else None

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(output.path for output in self.outputs if not output.folder)

    @property
    def folders(self) -> tuple[Path, ...]:
        """For figures."""
        return tuple(output.path for output in self.outputs if output.folder)

    def check(self) -> None:
        """Refuse what can be seen to be wrong without reading anything."""
        if self.data is None and (self.factory or self.model) != "demo":
            raise click.UsageError("say where to validate: --data FILE")
        for path in self.files:
            if path.suffix.lower() not in SUFFIXES:
                raise InputError(
                    f"cannot write {path}: expected one of {' '.join(SUFFIXES)}, or a folder FIGURES/"
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
        if self.factory is not None and self.weights is not None:
            raise InputError("checkpoints bring their own weights: --weights goes with one network only")

    def read(self) -> Data:
        """The points, as they lie in the file."""
        return read_points(self.data, self.key, self.labels, self.limit, scaled=self.scaled)
