"""Options of `splineviz slice` for arrangements that are large: budgets, workers, and outputs that are
written batch by batch."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

__all__ = ["Output", "OutputType", "budget_options", "limit_options"]

_UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


@dataclass(frozen=True)
class Output:
    """Where to write: a file, or a folder of shards."""

    path: Path
    folder: bool

    @property
    def suffix(self) -> str:
        return "" if self.folder else self.path.suffix.lower()

    @property
    def streamed(self) -> bool:
        """Whether it can be written batch by batch."""
        return self.folder or self.suffix == ".parquet"

    def __str__(self) -> str:
        return f"{self.path}/" if self.folder else str(self.path)


class OutputType(click.ParamType[Output]):
    """A file, or a folder if it ends with a slash or is one already (but not where its name looks like that
    of a file)."""

    name = "output"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Output:
        if isinstance(value, Output):
            return value
        path = Path(value)
        return Output(path, str(value).endswith(("/", "\\")) or (path.is_dir() and not path.suffix))


class Size(click.ParamType[int]):
    """Bytes, with a suffix K, M, G or T for powers of 1024."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([KMGT]?)(?:i?B)?\s*", str(value), re.IGNORECASE)
        size = 0 if match is None else int(float(match[1]) * 1024 ** _UNITS[match[2].upper()])
        if size < 1:
            self.fail(f"expected a size like 500M or 2G, got {value!r}", param, ctx)
        return size


def budget_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--certify, --max-memory, --max-cells, --seconds, --jobs and --device."""
    options = [
        click.option(
            "--certify",
            type=click.Choice(["full", "fast", "off"]),
            default="fast",
            help="What to do about decisions that error bounds leave open: re-evaluate all of them exactly, "
            "or what takes no long "
            "time; or prove nothing. With full, exit code 5 tells that some could not be settled.",
        ),
        click.option(
            "--max-memory",
            type=Size(),
            metavar="SIZE",
            help="Memory for the work, such as 500M or 2G; by default half of what is free. What is kept "
            "comes on top.",
        ),
        click.option(
            "--max-cells", type=click.IntRange(min=1), metavar="N", help="Stop before there are more cells."
        ),
        click.option(
            "--seconds",
            type=click.FloatRange(min=0, min_open=True),
            metavar="S",
            help="Stop when time is up.",
        ),
        click.option(
            "--jobs", type=click.IntRange(min=1), metavar="N", help="Workers; by default as many as cores."
        ),
        click.option(
            "--device",
            metavar="NAME",
            help="Where products are taken: cpu, cuda, ...; by default cpu. Pays for convolutions.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def limit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Those of `budget_options`, and --dask, --count and --overwrite."""
    options = [
        click.option(
            "--dask",
            metavar="ADDRESS",
            help="Work on a dask cluster: the address of its scheduler, tcp://host:port.",
        ),
        click.option(
            "--count",
            is_flag=True,
            help="Only count: nothing is kept or drawn, so that any number of cells will do.",
        ),
        click.option("--overwrite", is_flag=True, help="Replace the shards of an earlier run in -o FOLDER/."),
    ]
    for option in reversed(options):
        command = option(command)
    return budget_options(command)
