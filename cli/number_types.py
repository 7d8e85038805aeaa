"""Types of options that are numbers: whole numbers, finite numbers, and several of them."""

from __future__ import annotations

import math
import re
from typing import Any, TypeVar

import click

__all__ = ["AboveZero", "Number", "Numbers", "Size", "WholeNumber", "finite_number"]

_LARGEST = 2**63 - 1
"""Of whole numbers, as `splineviz.inputs` takes them, which is not loaded to read a word"""

One = TypeVar("One", int, float)

_UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def finite_number(word: str) -> int | float | None:
    """The number that a word says, a whole one as such; None where it says none, one that is not finite or a
    whole one of more than 63 bits."""
    whole, number = _number(int, word), _number(float, word)
    if whole is not None:
        return whole if abs(whole) <= _LARGEST else None
    return number if number is not None and math.isfinite(number) else None


class WholeNumber(click.IntRange):
    """A whole number between two bounds that both count, of at most 63 bits."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number = _number(int, value)
        if number is None or not _lies(number, self.min, self.max):
            self.fail(f"expected a whole number{_within(self.min, self.max)}, got {value!r}", param, ctx)
        if abs(number) > _LARGEST:
            self.fail(f"expected a whole number of at most {_LARGEST}, got {value!r}", param, ctx)
        return number

    def _describe_range(self) -> str:
        return "" if self.min is self.max is None else super()._describe_range()


class Number(click.FloatRange):
    """A finite number between two bounds that both count."""

    name = "float"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = _number(float, value)
        if number is None or not math.isfinite(number) or not _lies(number, self.min, self.max):
            self.fail(f"expected a finite number{_within(self.min, self.max)}, got {value!r}", param, ctx)
        return number

    def _describe_range(self) -> str:
        return "" if self.min is self.max is None else super()._describe_range()


class AboveZero(click.ParamType[float]):
    """A finite number above zero; or also infinity, where that is no limit."""

    name = "number above zero"

    def __init__(self, *, infinite: bool = False) -> None:
        self.infinite = infinite

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = _number(float, value)
        if number is None or not number > 0 or not (self.infinite or math.isfinite(number)):
            finite = "" if self.infinite else "finite "
            self.fail(f"expected a {finite}number above zero, got {value!r}", param, ctx)
        return number


class Numbers(click.ParamType[tuple[float, ...]]):
    """Finite numbers with commas between them, as a tuple."""

    name = "numbers"

    def __init__(self, kind: type[int] | type[float], count: int | None = None) -> None:
        self.kind = kind
        self.count = count

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        listed = isinstance(value, list | tuple)
        parts = value.split(",") if isinstance(value, str) else value if listed else [value]
        one = WholeNumber() if self.kind is int else Number()
        try:
            numbers = tuple(one.convert(part, None, None) for part in parts)
        except click.BadParameter:
            self.fail(f"expected {self._wanted()}, got {value!r}", param, ctx)
        if self.count is not None and len(numbers) != self.count:
            self.fail(f"expected {self._wanted()}, got {len(numbers)}: {value!r}", param, ctx)
        return numbers

    def _wanted(self) -> str:
        kind = "whole numbers" if self.kind is int else "finite numbers"
        return f"{self.count if self.count is not None else 'some'} {kind} with commas between them"


class Size(click.ParamType[int]):
    """Bytes, with a suffix K, M, G or T for powers of 1024."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([KMGT]?)(?:i?B)?\s*", str(value), re.IGNORECASE)
        size = 0.0 if match is None else float(match[1]) * 1024 ** _UNITS[match[2].upper()]
        if not 1 <= size <= _LARGEST:
            self.fail(f"expected a size like 500M or 2G, got {value!r}", param, ctx)
        return int(size)


def _number(kind: type[One], value: Any) -> One | None:
    """The number of a kind that a value says, or None."""
    try:
        return kind(value)
    except (OverflowError, TypeError, ValueError):
        return None


def _lies(number: float, low: float | None, high: float | None) -> bool:
    """Whether a number lies between two bounds, as far as there are any."""
    return (low is None or number >= low) and (high is None or number <= high)


def _within(low: float | None, high: float | None) -> str:
    """Words for two bounds."""
    if low is None:
        return "" if high is None else f" of at most {high:g}"
    return f" of at least {low:g}" if high is None else f" from {low:g} to {high:g}"
