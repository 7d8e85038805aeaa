"""Activations as sums of others, in exact numbers, which tell that two comparisons ask about one thing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from splineviz.program.operations.base import Builder, RefusedError
from splineviz.program.operations.piecewise import (
    MINUS_ONE,
    ZERO,
    Piecewise,
    alone,
    composed,
    distinct,
    fractions,
    multiple,
)
from splineviz.program.program import Affine, Pointwise

__all__ = ["common", "expanded", "in_direction", "shortened", "sum_of_others"]

_SEVERAL = "chooses by several comparisons, of which it cannot be told whether their branches meet"


def sum_of_others(builder: Builder, like: Piecewise, slot: int, until: int | None = None) -> Piecewise:
    """An activation of the shape of ``like`` through sums and scalings, back to what made it or to a slot."""
    slot = builder.same.get(slot, slot)
    node, axes = None if slot == until else builder.made(slot), len(like.shape)
    if isinstance(node, Affine) and node.gain.kind == "sum" and node.run in (torch.add, torch.sub):
        a, b = (sum_of_others(builder, like, i, until) for i in node.inputs)
        return a + (b if node.run is torch.add else b.scaled(MINUS_ONE))
    form = node.form if isinstance(node, Affine) and node.gain.kind == "diagonal" else None
    if node is None or form is None or form.apply is not torch.mul:
        return alone(like.call, slot, like.shape)
    result = sum_of_others(builder, like, node.inputs[0], until).scaled(fractions(form.weights, axes))
    if form.divisors is not None:
        result = result.scaled(1 / fractions(form.divisors, axes))
    if form.constants is not None:
        result = replace(result, constants=result.constants + fractions(form.constants, axes))
    return result


def common(builder: Builder, *functions: Piecewise) -> list[Piecewise]:
    """The functions with one direction, and the same breakpoints.

    Raises
    ------
    RefusedError
        If their directions are not multiples of each other, but for a constant.
    """
    directions = {f.direction for f in functions if f.direction is not None}
    if not directions:
        return list(functions)
    if len(directions) > 1:
        functions = tuple(_below_bends(builder, f) for f in functions)
        first = next(f for f in functions if f.direction is not None)
        functions = tuple(_turned(builder, f, first) for f in functions)
    direction = next(f.direction for f in functions if f.direction is not None)
    kinks = [f.breakpoints for f in functions if f.breakpoints is not None]
    shape = np.broadcast_shapes(*(k.shape[1:] for k in kinks))
    together = distinct(np.concatenate([np.broadcast_to(k, (len(k), *shape)) for k in kinks]))
    return [f.refined(direction, together) for f in functions]


def shortened(builder: Builder, function: Piecewise) -> Piecewise:
    """The function with every activation as a sum of others, as far back as its direction."""
    total = replace(function, slopes={})
    for slot, slope in function.slopes.items():
        value = sum_of_others(builder, function, slot, function.direction)
        factor, value = common(builder, replace(function, slopes={}, constants=slope), value)
        total = total + factor * value
    return total


def expanded(builder: Builder, function: Piecewise) -> Piecewise:
    """The function with every activation as a sum of others, through piecewise-affine functions of what its
    own direction is a multiple of."""
    function = _below_bends(builder, function)
    total = replace(function, slopes={})
    for slot, slope in function.slopes.items():
        factor = replace(function, slopes={}, constants=slope)
        value = sum_of_others(builder, function, slot)
        bends = [base for base in value.slopes if isinstance(builder.made(base), Pointwise)]
        while bends:
            try:
                further = _without(builder, value, bends.pop())
                common(builder, factor, further, total)
            except RefusedError:
                continue  # it stays the sum of activations that it was
            bends += [
                s for s in further.slopes.keys() - value.slopes if isinstance(builder.made(s), Pointwise)
            ]
            value = further
        factor, value, total = common(builder, factor, value, total)
        total = total + factor * value
    return total


def in_direction(builder: Builder, function: Piecewise) -> Piecewise | None:
    """A function as one of its direction alone; None if it is not."""
    assert function.direction is not None
    if all(slot == function.direction or not slope.any() for slot, slope in function.slopes.items()):
        slopes = {function.direction: function.slopes.get(function.direction, ZERO * function.constants)}
        return replace(function, slopes=slopes)
    full = expanded(builder, function)
    assert full.direction is not None
    line = sum_of_others(builder, function, full.direction)
    factor = multiple(full.slopes, line.slopes)
    if factor is None:
        return None
    return replace(full, slopes={full.direction: factor}, constants=full.constants - factor * line.constants)


def _without(builder: Builder, value: Piecewise, base: int) -> Piecewise:
    """A sum of activations with one that a pointwise function makes as that function."""
    bend = _bend(builder, value, base)
    assert bend is not None
    assert bend.direction is not None
    entering = sum_of_others(builder, value, bend.direction)
    factor = replace(value, slopes={}, constants=value.slopes[base])
    rest = replace(value, slopes={s: v for s, v in value.slopes.items() if s != base})
    slope = replace(bend, slopes={}, constants=bend.slopes[bend.direction])
    shift = replace(bend, slopes={})
    factor, rest, slope, shift, entering = common(builder, factor, rest, slope, shift, entering)
    return rest + factor * (slope * entering + shift)


def _bend(builder: Builder, like: Piecewise, slot: int) -> Piecewise | None:
    """The function that makes an activation of another one entry by entry; None if it is not made so."""
    node, axes = builder.made(builder.same.get(slot, slot)), len(like.shape)
    if not isinstance(node, Pointwise):
        return None
    tables = node.slopes, node.intercepts, node.breakpoints
    slopes, constants, kinks = (np.concatenate([fractions(row, axes) for row in table]) for table in tables)
    (entering,) = node.inputs
    slopes, constants = (np.repeat(table, 2, axis=0)[:-1] for table in (slopes, constants))
    return Piecewise(like.call, like.shape, {entering: slopes}, constants, entering, kinks)


def _below_bends(builder: Builder, function: Piecewise) -> Piecewise:
    """A function whose direction is no multiple of what a pointwise function makes."""
    if function.direction is None:
        return function
    line = sum_of_others(builder, function, function.direction)
    slot, *others = line.slopes
    bend = None if others else _bend(builder, function, slot)
    if bend is None or bend.direction is None:
        return function
    inner = bend.scaled(line.slopes[slot])
    return _below_bends(builder, composed(function, inner.shifted(line.constants)))


def _turned(builder: Builder, function: Piecewise, first: Piecewise) -> Piecewise:
    """A function with the direction of the first, of which its own is a multiple, plus a constant."""
    if function.direction in (None, first.direction):
        return function
    assert function.direction is not None
    assert first.direction is not None
    own, other = (sum_of_others(builder, function, d) for d in (function.direction, first.direction))
    factor = multiple(own.slopes, other.slopes)
    if factor is None or not factor.all():
        raise RefusedError(_SEVERAL)
    line = replace(
        function,
        direction=first.direction,
        breakpoints=None,
        slopes={first.direction: np.broadcast_to(factor, own.constants.shape)},
        constants=own.constants - factor * other.constants,
    )
    return composed(function, line)
