"""Types of the values of options: how a word of the command line is read."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

__all__ = [
    "AboveZero",
    "Anchors",
    "AutoRadius",
    "ExactCells",
    "FixedInput",
    "Numbers",
    "Output",
    "OutputType",
    "RadiusType",
    "Shard",
    "Size",
    "Threshold",
    "Words",
]

_MOST = 1000
"""Numbers in a range that is still read as one"""
_UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


class Numbers(click.ParamType[tuple[float, ...]]):
    """Numbers with commas between them, as a tuple."""

    name = "numbers"

    def __init__(self, kind: type[int] | type[float], count: int | None = None) -> None:
        self.kind = kind
        self.count = count

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        listed = isinstance(value, list | tuple)
        parts = value.split(",") if isinstance(value, str) else value if listed else [value]
        try:
            numbers = tuple(self.kind(part) for part in parts)
        except (TypeError, ValueError):
            self.fail(f"expected {self._wanted()}, got {value!r}", param, ctx)
        if self.count is not None and len(numbers) != self.count:
            self.fail(f"expected {self._wanted()}, got {len(numbers)}: {value!r}", param, ctx)
        return numbers

    def _wanted(self) -> str:
        kind = "whole numbers" if self.kind is int else "numbers"
        return f"{self.count if self.count is not None else 'some'} {kind} with commas between them"


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


class AboveZero(click.FloatRange):
    """A number above zero."""

    name = "number above zero"

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"expected a number above zero, got {value!r}", param, ctx)
        return number


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
        if not (name.strip() and equals and given.strip()):
            self.fail(f"expected name=FILE or name=NUMBER, such as t=t.npy, got {value!r}", param, ctx)
        for kind in (int, float):
            try:
                return name.strip(), kind(given)
            except ValueError:
                continue
        return name.strip(), given.strip()


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
        if word == "auto" and units.isdecimal() and int(units) >= 1:
            return AutoRadius(int(units))
        try:
            return float(value)
        except ValueError:
            self.fail(f"expected a number, auto, or auto:N with N >= 1, got {value!r}", param, ctx)


class Size(click.ParamType[int]):
    """Bytes, with a suffix K, M, G or T for powers of 1024."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([KMGT]?)(?:i?B)?\s*", str(value), re.IGNORECASE)
        size = 0 if match is None else int(float(match[1]) * 1024 ** _UNITS[match[2].upper()])
        if size < 1:
            self.fail(f"expected a size like 500M or 2G, got {value!r}", param, ctx)
        return size


class ExactCells(click.ParamType[int | str]):
    """A whole number of cells, or all."""

    name = "cells"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        if value == "all":
            return "all"
        try:
            number = int(value)
        except ValueError:
            number = -1
        if number < 0:
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
        number, slash, of = str(value).partition("/")
        if not (slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
            self.fail(f"expected i/n with 1 <= i <= n, such as 2/4, got {value!r}", param, ctx)
        return int(number), int(of)


class Threshold(click.ParamType[tuple[str, float]]):
    """A name and a number, name=value."""

    name = "threshold"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, float]:
        if isinstance(value, tuple):
            return value
        name, _, number = str(value).partition("=")
        try:
            return name.strip(), float(number)
        except ValueError:
            self.fail(f"expected name=value, such as tau=0.8, got {value!r}", param, ctx)
