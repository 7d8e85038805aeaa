"""Comparisons of activations, and what is done with them, masks, choices and products, until a continuous
function comes out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import torch

from splineviz.program.operations.base import OPERATIONS, Active, Constant, RefusedError, Step
from splineviz.program.operations.directions import common, in_direction
from splineviz.program.operations.elementwise import combined
from splineviz.program.operations.layout import spread
from splineviz.program.operations.meeting import settled
from splineviz.program.operations.piecewise import MINUS_ONE, ONE, Piecewise, alone, composed, fractions
from splineviz.program.program import Affine

__all__ = ["COMPARISONS", "GATES"]

Gate = Callable[[Step], Piecewise | Active | Constant]

_LESS, _GREATER, _ZERO = (1, 0, 0), (0, 0, 1), (0, 1, 0)
"""Truth below, at and above zero"""
_RELATIONS = {
    **dict.fromkeys(("lt", "less"), _LESS),
    **dict.fromkeys(("gt", "greater"), _GREATER),
    **dict.fromkeys(("le", "less_equal"), (1, 1, 0)),
    **dict.fromkeys(("ge", "greater_equal"), (0, 1, 1)),
    **dict.fromkeys(("ne", "not_equal"), (1, 0, 1)),
    "eq": _ZERO,
}
_MOVES = """
view reshape flatten unflatten squeeze unsqueeze expand permute transpose swapaxes movedim slice select narrow
""".split()


def _compare(step: Step) -> Piecewise:
    return _compared(step, step.arguments["self"], step.arguments["other"], _RELATIONS[step.call.op])


def _sign(step: Step) -> Piecewise:
    return _compared(step, step.arguments["self"], 0.0, (-1, 0, 1))


def _heaviside(step: Step) -> Piecewise:
    x = step.arguments["self"]
    above, at = (_compared(step, x, 0.0, truth) for truth in (_GREATER, _ZERO))
    above, at, value = _operands(step, above, at, step.arguments["values"])
    return above + at * value


def _add(step: Step) -> Piecewise:
    a, b = _operands(step, step.arguments["self"], step.arguments["other"])
    return a + b.scaled(_number(step["alpha"]))


def _subtract(step: Step) -> Piecewise:
    a, b = _operands(step, step.arguments["self"], step.arguments["other"])
    a, b = (b, a) if step.call.op == "rsub" else (a, b)
    return a + b.scaled(-_number(step["alpha"]))


def _negate(step: Step) -> Piecewise:
    (a,) = _operands(step, step.arguments["self"])
    return a.scaled(MINUS_ONE)


def _multiply(step: Step) -> Piecewise:
    a, b = _operands(step, step.arguments["self"], step.arguments["other"])
    return a * b


def _divide(step: Step) -> Piecewise:
    if step.arguments.get("rounding_mode") is not None or not isinstance(step.arguments["self"], Piecewise):
        raise RefusedError("divides by what a comparison chose, or rounds")
    a, b = _operands(step, step.arguments["self"], step.arguments["other"])
    if not b.is_constant or b.direction != a.direction or not b.constants.all():
        raise RefusedError("divides by an activation, or by zero")
    return a.scaled(1 / b.constants)


def _not(step: Step) -> Piecewise:
    (a,) = _truths(step, "self")
    return a.scaled(MINUS_ONE).shifted(ONE)


def _and(step: Step) -> Piecewise:
    a, b = _truths(step, "self", "other")
    return a * b


def _or(step: Step) -> Piecewise:
    a, b = _truths(step, "self", "other")
    return a + b + (a * b).scaled(MINUS_ONE)


def _xor(step: Step) -> Piecewise:
    a, b = _truths(step, "self", "other")
    return a + b + (a * b).scaled(2 * MINUS_ONE)


def _where(step: Step) -> Piecewise:
    condition, yes, no = _operands(step, *(step.arguments[n] for n in ("condition", "self", "other")))
    return _choice(condition, yes, no)


def _masked_fill(step: Step) -> Piecewise:
    condition, yes, no = _operands(step, *(step.arguments[n] for n in ("mask", "value", "self")))
    return _choice(condition, yes, no)


def _take(step: Step) -> Piecewise:
    """Entries that a condition chooses, to be put back later."""
    (mask,) = _operands(step, _mask(step))
    (x,) = _operands(step, step.arguments["self"])
    return replace(x, chosen_by=mask)


def _put(step: Step) -> Piecewise:
    """Entries that a condition chooses, replaced."""
    mask, value = _mask(step), step.arguments["values"]
    if step["accumulate"]:
        raise RefusedError("with accumulate is not supported for entries chosen by a comparison")
    if isinstance(value, Piecewise) and value.chosen_by is not None:
        if not _same(value.chosen_by, mask):
            raise RefusedError("puts entries that one comparison chose where another one chooses")
        value = replace(value, chosen_by=None)
    elif not isinstance(value, Constant) or value.value.numel() != 1:
        raise RefusedError("puts values in places that a comparison chooses: use torch.where")
    condition, yes, no = _operands(step, mask, value, step.arguments["self"])
    return _choice(condition, yes, no)


def _cast(step: Step) -> Piecewise:
    (x,) = _operands(step, step.arguments["self"])
    dtype, other = step.arguments.get("dtype"), step.arguments.get("other")
    dtype = other.value.dtype if isinstance(other, Constant) else dtype
    if dtype == torch.bool:
        return _compared(step, step.arguments["self"], 0.0, _RELATIONS["ne"])
    whole = x.is_constant and all(abs(v) <= 128 and v.denominator == 1 for v in x.constants.flat)
    if dtype not in (None, torch.float32, torch.float64) and not whole:
        raise RefusedError(f"rounds to {str(dtype).removeprefix('torch.')}, which is not continuous")
    return replace(x, call=step.arguments["self"].call)


def _same_values(step: Step) -> Piecewise:
    x: Piecewise = step.arguments["self"]
    return x


def _moved(step: Step) -> Piecewise | Active | Constant:
    """Entries in other places, as the operation table moves those of activations."""
    x: Piecewise = step.arguments["self"]
    if not x.is_constant:
        try:
            whole = replace(step, arguments={**step.arguments, "self": settled(step.builder, x)})
            return whole.recognised(OPERATIONS[step.call.op].lower(whole))
        except RefusedError:
            pass  # it may still meet what it is joined with
    slots = {*x.slopes, *([] if x.direction is None else [x.direction])}
    if not slots or any(isinstance(v, (Active, Piecewise)) for n, v in step.arguments.items() if n != "self"):
        raise RefusedError("moves what no activation decides")
    made: dict[int, int] = {}
    for slot in slots:
        of = replace(step, arguments={**step.arguments, "self": Active(slot, x.shape)})
        result = of.recognised(OPERATIONS[step.call.op].lower(of))
        assert isinstance(result, Active)
        made[slot] = result.slot
    places = torch.arange(math.prod(x.shape)).reshape(1, *x.shape)
    mover = next((step.builder.made(m) for s, m in made.items() if s != m), None)
    if isinstance(mover, Affine):
        places = mover.run(places)

    def move(values: np.ndarray) -> np.ndarray:
        if not any(n > 1 for n in values.shape[1:]):
            return values.reshape(len(values), *(1,) * len(step.shape))
        wide = np.broadcast_to(values, (len(values), *x.shape)).reshape(len(values), -1)
        return wide[:, places.flatten().numpy()].reshape(len(values), *step.shape)

    kinks = None if x.breakpoints is None else move(x.breakpoints)
    slopes = {_first(step, made[slot]): move(slope) for slot, slope in x.slopes.items()}
    direction = None if x.direction is None else _first(step, made[x.direction])
    return Piecewise(x.call, step.shape, slopes, move(x.constants), direction, kinks, compared=x.compared)


def _compared(step: Step, left: Any, right: Any, truth: tuple[int, int, int]) -> Piecewise:
    """The truth values of the sign of a difference."""
    left, right = (_one_activation(step, side) for side in (left, right))
    if isinstance(left, Active) and isinstance(right, Active):
        left, right = combined(step, left, 1.0, right, -1.0), 0.0
    a, b = _operands(step, left, right)
    difference = a + b.scaled(MINUS_ONE)
    if difference.direction is None:
        difference = replace(difference, direction=next(iter({**a.slopes, **b.slopes})))
    inner = in_direction(step.builder, difference)
    if inner is None:
        raise RefusedError("compares what another comparison chose, in more than one direction")
    zero = np.full((1,) * (len(a.shape) + 1), Fraction(0), dtype=object)
    table = np.array([Fraction(t) for t in truth], dtype=object).reshape(3, *zero.shape[1:])
    signs = Piecewise(step.call, a.shape, {}, table, inner.direction, zero, difference.chosen_by)
    made = composed(signs, inner).simplified()
    return replace(made, compared=difference.compared or step.call)


def _one_activation(step: Step, value: Any) -> Any:
    """A value, but the activation itself where there is only one cell."""
    if isinstance(value, Piecewise) and value.simplified().direction is None and not value.is_constant:
        return settled(step.builder, value)
    return value


def _choice(condition: Piecewise, yes: Piecewise, no: Piecewise) -> Piecewise:
    if not condition.is_constant:
        raise RefusedError("takes an activation for a condition")
    return condition.where(yes, no)


def _truths(step: Step, *names: str) -> list[Piecewise]:
    """Arguments as conditions."""
    return _operands(
        step,
        *(
            _compared(step, value, 0.0, _RELATIONS["ne"]) if isinstance(value, (Active, Piecewise)) else value
            for value in (step.arguments[name] for name in names)
        ),
    )


def _mask(step: Step) -> Piecewise:
    """The condition among the indices of a call, which must be the only one."""
    indices = step.arguments["indices"]
    if len(indices) != 1 or not isinstance(indices[0], Piecewise) or indices[0].shape != step.shape:
        raise RefusedError("chooses rows or columns by a comparison, not single entries: use torch.where")
    mask: Piecewise = indices[0]
    return mask


def _operands(step: Step, *values: Any) -> list[Piecewise]:
    """Values as functions of one direction, with the same breakpoints, that have the shape of the result."""
    chosen = [v.chosen_by for v in values if isinstance(v, Piecewise) and v.chosen_by is not None]
    if chosen and not all(
        _same(v.chosen_by, chosen[0])
        if isinstance(v, Piecewise) and v.chosen_by is not None
        else _is_number(v)
        for v in values
    ):
        raise RefusedError("joins entries that a comparison chose with others")
    made = common(step.builder, *(_operand(step, value) for value in values))
    return [replace(x, call=step.call, chosen_by=chosen[0] if chosen else None) for x in made]


def _operand(step: Step, value: Any) -> Piecewise:
    if isinstance(value, Active):
        return alone(step.call, _first(step, spread(step, value).slot), step.shape)
    if not isinstance(value, Piecewise):
        number = fractions(value.value if isinstance(value, Constant) else value, len(step.shape))
        return Piecewise(step.call, step.shape, {}, number)
    if value.shape == step.shape:
        return value
    if not value.is_constant:
        try:
            return _operand(step, settled(step.builder, value))
        except RefusedError:
            pass  # it may still meet what it is joined with

    def wide(slot: int) -> int:
        return spread(step, Active(slot, value.shape)).slot

    slots = {
        slot: wide(slot) for slot in {*value.slopes, *([] if value.direction is None else [value.direction])}
    }
    return replace(
        value,
        shape=step.shape,
        slopes={slots[slot]: slope for slot, slope in value.slopes.items()},
        direction=None if value.direction is None else slots[value.direction],
    )


def _first(step: Step, slot: int) -> int:
    """The slot that held the value of another one before, if one did."""
    return step.builder.same.get(slot, slot)


def _same(a: Piecewise | None, b: Piecewise | None) -> bool:
    """Whether two conditions hold in the same cells."""
    if a is None or b is None:
        return a is b
    a, b = a.simplified(), b.simplified()
    return (
        a.direction == b.direction
        and a.kinks.shape == b.kinks.shape
        and bool((a.kinks == b.kinks).all())
        and bool((a.constants == b.constants).all())
    )


def _is_number(value: Any) -> bool:
    value = value.value if isinstance(value, Constant) else value
    return isinstance(value, (int, float)) or (isinstance(value, torch.Tensor) and value.numel() == 1)


def _number(value: float) -> np.ndarray:
    return np.array(Fraction(value))


COMPARISONS: dict[str, Gate] = {
    **dict.fromkeys(_RELATIONS, _compare),
    **dict.fromkeys(("sign", "sgn"), _sign),
    "heaviside": _heaviside,
}
"""Operations on activations that jump: name of the ATen operation -> what it makes"""

GATES: dict[str, Gate] = {
    **COMPARISONS,
    **dict.fromkeys(("logical_not", "bitwise_not"), _not),
    **dict.fromkeys(("logical_and", "bitwise_and", "__and__"), _and),
    **dict.fromkeys(("logical_or", "bitwise_or", "__or__"), _or),
    **dict.fromkeys(("logical_xor", "bitwise_xor", "__xor__"), _xor),
    "add": _add,
    **dict.fromkeys(("sub", "subtract", "rsub"), _subtract),
    **dict.fromkeys(("neg", "negative"), _negate),
    **dict.fromkeys(("mul", "multiply"), _multiply),
    **dict.fromkeys(("div", "divide", "true_divide"), _divide),
    "where": _where,
    "masked_fill": _masked_fill,
    "index": _take,
    "index_put": _put,
    **dict.fromkeys(("to", "_to_copy", "type_as"), _cast),
    **dict.fromkeys(_MOVES, _moved),
    **dict.fromkeys("clone detach alias contiguous lift_fresh_copy positive".split(), _same_values),
}
"""Operations that may read what comparisons made"""
