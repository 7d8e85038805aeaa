"""Types of the values of options: how a word of the command line is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from .number_types import finite_number

__all__ = [
    "Anchors",
    "AutoRadius",
    "ExactCells",
    "FixedInput",
    "Output",
    "OutputType",
    "RadiusType",
    "Shard",
    "Threshold",
    "Words",
]

_NO_NUMBERS = ("nan", "inf", "infinity")
_MOST = 1000
"""Numbers in a range that is still read as one"""


class Words(click.ParamType[tuple[str, ...]]):
    """Words with commas between them, as a tuple."""

    name = "words"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        listed = value.split(",") if isinstance(value, str) else value
        words = tuple(
            str(word).strip() for word in (listed if isinstance(listed, list | tuple) else [listed])
        )
        if not all(words):
            self.fail(f"expected words with commas between them, got {value!r}", param, ctx)
        return words


class Anchors(click.ParamType[tuple[int | str, ...]]):
    """Three whole numbers, of which a range 10:13 is those from 10 to 12, or three file names, as a tuple."""

    name = "points"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int | str, ...]:
        listed = value.split(",") if isinstance(value, str) else list(value)
        parts = [number for part in listed for number in self._numbers(str(part).strip())]
        if len(parts) != 3:
            self.fail(f"expected three points I,J,K, or three files, got {len(parts)}: {value!r}", param, ctx)
        try:
            return tuple(int(part) for part in parts)
        except ValueError:
            return tuple(parts)

    def _numbers(self, part: str) -> list[str]:
        """The numbers of a range, or else the part itself."""
        match = re.fullmatch(r"(-?\d+):(-?\d+)", part)
        if match is None:
            return [part]
        begin, end = int(match[1]), int(match[2])
        return [str(number) for number in range(begin, end)] if end - begin <= _MOST else [part]


class FixedInput(click.ParamType[tuple[str, float | str]]):
    """A name and a number or a file, name=value."""

    name = "fixed input"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, float | str]:
        if isinstance(value, tuple):
            return value
        name, equals, given = str(value).partition("=")
        number, said = finite_number(given), given.strip().lstrip("+-").lower()
        if not (name.strip() and equals and given.strip()) or said in _NO_NUMBERS:
            self.fail(
                f"expected name=FILE or name=NUMBER, a finite one, such as t=t.npy, got {value!r}", param, ctx
            )
        return name.strip(), given.strip() if number is None else number


@dataclass(frozen=True)
class Output:
    """A place to write to: a file, or a folder of shards."""

    path: Path
    folder: bool

    @property
    def suffix(self) -> str:
        """Suffix in lower case; empty for a folder."""
        return "" if self.folder else self.path.suffix.lower()

    @property
    def streamed(self) -> bool:
        """True where it can be written batch by batch."""
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


@dataclass(frozen=True)
class AutoRadius:
    """A radius by what it cuts."""

    units: int = 100

    def __str__(self) -> str:
        return f"auto:{self.units}"


class RadiusType(click.ParamType[float | AutoRadius]):
    """A number, or auto or auto:N for the radius that so many units cut."""

    name = "radius"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | AutoRadius:
        if isinstance(value, AutoRadius):
            return value
        word, colon, units = str(value).partition(":")
        if word == "auto" and not colon:
            return AutoRadius()
        if word == "auto" and isinstance(number := finite_number(units), int) and number >= 1:
            return AutoRadius(number)
        number = finite_number(str(value))
        if number is None:
            self.fail(f"expected a finite number, auto, or auto:N with N >= 1, got {value!r}", param, ctx)
        return float(number)


class ExactCells(click.ParamType[int | str]):
    """A whole number of cells, or all."""

    name = "cells"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        if value == "all":
            return "all"
        number = finite_number(str(value))
        if not isinstance(number, int) or number < 0:
            self.fail(f"expected a whole number of cells, or all, got {value!r}", param, ctx)
        return number


class Shard(click.ParamType[tuple[int, int]]):
    """Two whole numbers, i/n."""

    name = "shard"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        number, n = (finite_number(part) for part in str(value).partition("/")[::2])
        if not (isinstance(number, int) and isinstance(n, int) and 1 <= number <= n):
            self.fail(f"expected i/n with 1 <= i <= n, such as 2/4, got {value!r}", param, ctx)
        return number, n


class Threshold(click.ParamType[tuple[str, float]]):
    """A name and a number, name=value."""

    name = "threshold"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, float]:
        if isinstance(value, tuple):
            return value
        name, _, given = str(value).partition("=")
        number = finite_number(given)
        if number is None:
            self.fail(f"expected name=value with a finite number, such as tau=0.8, got {value!r}", param, ctx)
        return name.strip(), float(number)
