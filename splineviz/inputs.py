"""Points and whole numbers as people have them, and the input of a network as it is: which axis is which."""

from __future__ import annotations

import math
import warnings
from numbers import Integral
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from splineviz.errors import InputError, SplinevizWarning

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["as_inputs", "whole_number"]

Points = TypeVar("Points", np.ndarray, "Tensor")


def as_inputs(points: Points, input_shape: tuple[int, ...]) -> Points:
    """Points (n, ...) in the shape of a network's input, (n, *input_shape).

    Flat points, and axes of length one more or fewer, are no other layout. Images whose channels are last
    where the network has them first, or the other way round, are turned, with a warning.

    Raises
    ------
    InputError
        If they have another number of values, or as many in another layout that cannot be told.
    """
    shape = tuple(points.shape[1:])
    size = math.prod(input_shape)
    if math.prod(shape) != size:
        raise InputError(
            f"the points have shape {shape}, {math.prod(shape)} values; the network takes {input_shape}, "
            f"{size} values",
            hint="bring them to the network's input first, as it was done for training",
        )
    told: list[int] = [n for n in shape if n != 1]
    wanted = [n for n in input_shape if n != 1]
    if told == wanted or len(told) <= 1 or len(wanted) <= 1:
        return points.reshape(len(points), *input_shape)
    to_front, to_back = [*told[2:], *told[:2]] == wanted, [*told[1:], *told[:1]] == wanted
    if len(told) != 3 or to_front == to_back:
        raise InputError(
            f"the points have shape {shape}, the network takes {input_shape}: as many values, but which axis "
            "is which?",
            hint="transpose them to the network's layout; flat points are taken as they are",
        )
    which = "last, and are moved to the front" if to_front else "first, and are moved to the end"
    warnings.warn(
        f"the points have shape {shape}, the network takes {input_shape}: their channels are {which}",
        SplinevizWarning,
        stacklevel=3,
    )
    order = (0, 3, 1, 2) if to_front else (0, 2, 3, 1)
    plain = points.reshape(len(points), *told)
    moved: Points = plain.transpose(order) if isinstance(plain, np.ndarray) else plain.permute(order)
    return moved.reshape(len(points), *input_shape)


def whole_number(value: object, what: str, least: int) -> int:
    """A whole number of at least so many, also of NumPy's types.

    Raises
    ------
    InputError
        If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise InputError(f"{what} must be a whole number of at least {least}, got {value!r}")
    return int(value)
