"""A network over the integers: the forms of each slot share one denominator, known beforehand, so only
integers are multiplied."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm

from tests.oracles.network import Add, Concat, Form, Linear, Maximum, Network, Pointwise
from tests.oracles.polygon import Triple

__all__ = ["Bend", "Choice", "Integral", "Mix"]

Forms = Sequence[Triple]


@dataclass(frozen=True)
class Mix:
    """An affine step."""

    inputs: tuple[int, ...]
    apply: Callable[..., list[Triple]]


@dataclass(frozen=True)
class Bend:
    """A pointwise step: breakpoints and pieces in the denominators of their slots."""

    inputs: tuple[int, ...]
    breakpoints: tuple[tuple[int, int], ...]
    """Numerator and denominator of a switch: denominator * form - numerator."""
    pieces: tuple[tuple[tuple[int, ...], int], ...]
    """Slopes, one or one an entry, and the constant."""

    def switch(self, k: int, form: Triple) -> Triple:
        numerator, denominator = self.breakpoints[k]
        if not numerator:
            return form
        return form[0] * denominator, form[1] * denominator, form[2] * denominator - numerator

    def piece(self, entry: int, k: int, form: Triple) -> Triple:
        slopes, constant = self.pieces[k]
        slope = slopes[entry % len(slopes)]
        return slope * form[0], slope * form[1], slope * form[2] + constant


@dataclass(frozen=True)
class Choice:
    """A step of maxima."""

    inputs: tuple[int, ...]
    op: Maximum


@dataclass(frozen=True)
class Integral:
    network: Network
    frame: tuple[Form, ...]
    """Each input as a form in (u, v, 1)."""

    @cached_property
    def start(self) -> tuple[Triple, ...]:
        return tuple(_times(form, self.denominators[0]) for form in self.frame)

    @cached_property
    def denominators(self) -> tuple[int, ...]:
        return tuple(self._compiled[1])

    @cached_property
    def steps(self) -> tuple[Mix | Bend | Choice, ...]:
        return tuple(self._compiled[0])

    @cached_property
    def _compiled(self) -> tuple[list[Mix | Bend | Choice], list[int]]:
        denominators = [lcm(*(c.denominator for form in self.frame for c in form))]
        steps: list[Mix | Bend | Choice] = []
        for step in self.network.steps:
            before = [denominators[i] for i in step.inputs]
            compiled, after = _compile(step.op, step.inputs, before)
            steps.append(compiled)
            denominators.append(after)
        return steps, denominators


def _times(numbers: Iterable[Fraction], factor: int) -> tuple[int, ...]:
    """Fractions times a multiple of their denominators."""
    return tuple(x.numerator * (factor // x.denominator) for x in numbers)


def _denominator(numbers: Iterable[Fraction]) -> int:
    return lcm(*(x.denominator for x in numbers))


def _compile(op: object, inputs: tuple[int, ...], before: list[int]) -> tuple[Mix | Bend | Choice, int]:
    match op:
        case Linear():
            after = lcm(before[0] * _denominator(w for row in op.weight for w in row), _denominator(op.bias))
            rows = [[(j, w) for j, w in enumerate(_times(row, after // before[0])) if w] for row in op.weight]
            return Mix(inputs, _linear(rows, _times(op.bias, after))), after
        case Add() | Concat():
            after = lcm(*before)
            factors = [after // b for b in before]
            return Mix(inputs, _added(factors) if isinstance(op, Add) else _joined(factors)), after
        case Pointwise():
            after = lcm(
                before[0] * _denominator(s for slopes in op.slopes for s in slopes),
                _denominator(op.intercepts),
            )
            breakpoints = tuple((b.numerator * before[0], b.denominator) for b in op.breakpoints)
            constants = _times(op.intercepts, after)
            pieces = tuple(
                (_times(slopes, after // before[0]), c)
                for slopes, c in zip(op.slopes, constants, strict=True)
            )
            return Bend(inputs, breakpoints, pieces), after
        case Maximum():
            return Choice(inputs, op), before[0]
    raise TypeError(f"the oracle does not know {type(op).__name__}")


def _linear(rows: list[list[tuple[int, int]]], bias: Sequence[int]) -> Callable[..., list[Triple]]:
    def apply(forms: Forms) -> list[Triple]:
        out = []
        for row, c in zip(rows, bias, strict=True):
            a = b = 0
            for j, w in row:
                p, q, r = forms[j]
                a, b, c = a + w * p, b + w * q, c + w * r
            out.append((a, b, c))
        return out

    return apply


def _scaled(factor: int, forms: Forms) -> Forms:
    return forms if factor == 1 else [(factor * a, factor * b, factor * c) for a, b, c in forms]


def _added(factors: list[int]) -> Callable[..., list[Triple]]:
    def apply(*values: Forms) -> list[Triple]:
        scaled = [_scaled(factor, forms) for factor, forms in zip(factors, values, strict=True)]
        return [
            (sum(a), sum(b), sum(c))
            for a, b, c in (zip(*forms, strict=True) for forms in zip(*scaled, strict=True))
        ]

    return apply


def _joined(factors: list[int]) -> Callable[..., list[Triple]]:
    def apply(*values: Forms) -> list[Triple]:
        return [
            form for factor, forms in zip(factors, values, strict=True) for form in _scaled(factor, forms)
        ]

    return apply
