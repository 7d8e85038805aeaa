"""Continuity of what comparisons make: proven in exact numbers, then one pointwise function of the direction,
added to a sum of activations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import reduce

import numpy as np
import torch
from torch import Tensor

from splineviz.program.operations.base import Active, Builder, Constant, RefusedError, Step
from splineviz.program.operations.directions import expanded, in_direction, shortened, sum_of_others
from splineviz.program.operations.elementwise import combined, scaled
from splineviz.program.operations.piecewise import MINUS_ONE, ZERO, Piecewise, alone, multiple
from splineviz.program.refused import JUMPS

__all__ = ["settled"]

_PARTIAL = (
    "makes a tensor whose size depends on values: put what was chosen by a comparison back where it was "
    "taken from, or use torch.where"
)
_ADVICE = "let both sides meet there, as those of relu, leaky_relu, abs and clamp do"
_ROUNDING = 1e-6
_BY_ROUNDING = (
    "write the branch from there on, as c + slope * (x - c), so that both sides meet to the last bit"
)


def settled(builder: Builder, function: Piecewise) -> Active | Constant:
    """The activation that a function is.

    Raises
    ------
    RefusedError
        If it is not proven to be continuous.
    """
    if function.chosen_by is not None:
        raise RefusedError(_PARTIAL)
    call = function.compared or function.call
    step, function = Step(call, {}, function.shape, builder), function.simplified()
    if function.direction is None:
        return _sum(step, function)
    near = alone(function.call, function.direction, function.shape)
    for form, line in ((function, near), (shortened(builder, function).simplified(), near)):
        if form.direction is None:
            return _sum(step, form)
        changes = _changes(form, line)
        if changes is not None:
            return _made(step, form, line, changes)
    form = expanded(builder, function).simplified()
    if form.direction is None:
        return _sum(step, form)
    line = sum_of_others(builder, form, form.direction)
    changes = _changes(form, line)
    if changes is None:
        raise RefusedError(_jump(builder, function))
    return _made(step, form, line, changes)


def _changes(function: Piecewise, line: Piecewise) -> list[np.ndarray] | None:
    """Changes of the slope at each breakpoint, along the direction, which is the sum ``line``; None where the
    sides are not seen to meet."""
    changes = []
    for k, kink in enumerate(function.kinks):
        left, at, right = (_cell(function, 2 * k + i) for i in range(3))
        slopes = []
        for side in (at, right):
            step = side + left.scaled(MINUS_ONE)
            slope = multiple(step.slopes, line.slopes)
            if slope is None or (step.constants != slope * (line.constants - kink)).any():
                return None
            slopes.append(slope)
        changes.append(slopes[1])
    return changes


def _cell(function: Piecewise, number: int) -> Piecewise:
    """The sum that a function is in one cell."""
    one = function.with_cells(lambda values: values[number : number + 1])
    return replace(one, direction=None, breakpoints=None)


def _made(
    step: Step, function: Piecewise, line: Piecewise, changes: Sequence[np.ndarray]
) -> Active | Constant:
    """Nodes of a continuous function: one of the direction alone, and the sum that is left."""
    assert function.direction is not None
    kept = [k for k, change in enumerate(changes) if change.any()]
    if not kept:
        return _sum(step, _cell(function, 0))
    changes, kinks = [changes[k] for k in kept], function.kinks[kept]
    direction, first = Active(function.direction, function.shape), _cell(function, 0)
    slope = multiple(first.slopes, line.slopes)
    start = (ZERO, ZERO) if slope is None else (slope, first.constants - slope * line.constants)
    bent = _bent(step, direction, start, changes, kinks)
    return bent if slope is not None else combined(step, _sum(step, first), 1.0, bent, 1.0)


def _bent(
    step: Step,
    x: Active,
    start: tuple[np.ndarray, np.ndarray],
    changes: Sequence[np.ndarray],
    kinks: np.ndarray,
) -> Active:
    """A continuous function of one activation, that begins with a slope and an intercept."""
    slopes, intercepts = [start[0]], [start[1]]
    for change, kink in zip(changes, kinks, strict=True):
        slopes.append(slopes[-1] + change)
        intercepts.append(intercepts[-1] - change * kink)
    tables = [_numbers(x, values) for values in (list(kinks), slopes, intercepts)]
    if all(exact for _, exact in tables):
        return _pointwise(step, x, *(table for table, _ in tables))
    # Pieces whose numbers float64 cannot hold would not meet; those of one function for each breakpoint do.
    (at, _), (height, _) = _numbers(x, list(kinks)), _numbers(x, [start[0] * kinks[0] + start[1]])
    total: Active | Constant = Constant(height)
    for k, change in enumerate(changes):
        sides = slopes[:2] if k == 0 else [ZERO, change]
        bend = combined(step, x, 1.0, Constant(at[k : k + 1]), -1.0)
        zero = _numbers(x, [ZERO])[0]
        bent = _pointwise(step, bend, zero, _numbers(x, sides)[0], torch.cat([zero, zero]))
        total = combined(step, total, 1.0, bent, 1.0)
    assert isinstance(total, Active)
    return total


def _pointwise(step: Step, x: Active, breakpoints: Tensor, slopes: Tensor, intercepts: Tensor) -> Active:
    def run(z: Tensor) -> Tensor:
        result = slopes[0] * z + intercepts[0]
        for kink, slope, intercept in zip(breakpoints, slopes[1:], intercepts[1:], strict=True):
            result = torch.where(z > kink, slope * z + intercept, result)
        return result

    return step.pointwise(x, step.call.op, run, breakpoints, slopes, intercepts)


def _sum(step: Step, function: Piecewise) -> Active | Constant:
    """Nodes of a sum of activations."""
    constants, _ = _numbers(Active(0, function.shape), [function.constants])
    terms: list[Active | Constant] = []
    for slot, slope in function.slopes.items():
        term, (factor, _) = Active(slot, function.shape), _numbers(Active(slot, function.shape), [slope])
        terms.append(term if bool((factor == 1).all()) else scaled(step, term, factor))
    if constants.any() or not terms:
        terms.append(Constant(constants.expand(1, *function.shape), per_batch=True))
    return reduce(lambda a, b: combined(step, a, 1.0, b, 1.0), terms)


def _numbers(x: Active, values: Sequence[np.ndarray]) -> tuple[Tensor, bool]:
    """(N, *broadcastable) exact numbers as float64, and whether it holds them."""
    axes = len(x.shape)
    arrays = [np.asarray(value, dtype=object) for value in values]
    same = [v[0] if v.ndim > axes else v.reshape((1,) * (axes - v.ndim) + v.shape) for v in arrays]
    table = np.stack(np.broadcast_arrays(*same))
    floats = [float(v) for v in table.flat]
    exact = all(Fraction(f) == v for f, v in zip(floats, table.flat, strict=True))
    return torch.tensor(floats, dtype=torch.float64).reshape(table.shape), exact


def _jump(builder: Builder, function: Piecewise) -> str:
    """Reason why a function is refused: how far it jumps, where that is one number."""
    along = in_direction(builder, function)
    if along is not None:
        for k, kink in enumerate(along.kinks):
            (slope,) = (s[2 * k : 2 * k + 3] for s in along.slopes.values())
            heights = slope * kink + along.constants[2 * k : 2 * k + 3]
            gaps = abs(heights[1:] - heights[:1]).max(0)
            if gaps.any():
                gap, place = float(gaps.max()), float(np.broadcast_to(kink, gaps.shape)[gaps != 0][0])
                advice = (
                    _ADVICE if gap > _ROUNDING * float(abs(heights).max() + abs(kink).max()) else _BY_ROUNDING
                )
                return f"{JUMPS} by {gap:.3g} where its condition switches, at {place:.6g}; {advice}"
    return f"{JUMPS}, or is not seen to be continuous, where its condition switches; {_ADVICE}"
