"""Points and numbers as people have them, and the input of a network as it is: which axis is which."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from contextlib import suppress
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from splineviz.errors import InputError, SplinevizWarning
from splineviz.showing import condensed

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "LARGEST",
    "MOST_FRAMES",
    "MOST_SAMPLES",
    "SQUARABLE",
    "as_inputs",
    "number_of_jobs",
    "numbers_of",
    "one_or_several",
    "real_number",
    "whole_number",
]

SQUARABLE = 1e150
"""Up to which numbers, and their inverses, are squared without overflow"""
MOST_SAMPLES, MOST_FRAMES = 10**6, 10**4
"""Of draws of noise, and of frames or planes of a point: each is a pass over all points"""
LARGEST = 2**63 - 1
"""Of whole numbers that are taken: what 64 bits hold with a sign"""

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


def whole_number(value: object, what: str, least: int, most: int = LARGEST) -> int:
    """A whole number between two that both count, also of NumPy's types or an array without axes.

    Raises
    ------
    InputError
        If it is none.
    """
    plain = _without_axes(value)
    found = int(plain) if not isinstance(plain, bool) and isinstance(plain, Integral) else None
    if found is not None and least <= found <= most:
        return found
    if most < LARGEST:
        raise InputError(f"{what} must be in {least} .. {most}, got {value!r}")
    bound = "most 2^63 - 1" if found is not None and found > most else f"least {least}"
    raise InputError(f"{what} must be a whole number of at {bound}, got {value!r}")


def real_number(
    value: object,
    what: str,
    *,
    above: float = -math.inf,
    least: float = -math.inf,
    most: float = math.inf,
    infinite: bool = False,
) -> float:
    """A finite number above a bound, and from a least to a largest one; also of NumPy's types or an array
    without axes. With ``infinite``, infinity is one.

    Raises
    ------
    InputError
        If it is none.

    Examples
    --------
    >>> real_number(np.float32(0.5), "the margin", least=0.0)
    0.5
    """
    plain = _without_axes(value)
    if not isinstance(plain, bool) and isinstance(plain, Real):
        with suppress(OverflowError):
            found = float(plain)
            if found > above and least <= found <= most and (infinite or math.isfinite(found)):
                return found
    bounds = f" > {above:g}" if above > -math.inf else f" >= {least:g}" if least > -math.inf else ""
    bounds += f" and <= {most:g}" if most < math.inf else ""
    finite = "finite " if not bounds or (isinstance(plain, float) and plain == math.inf) else ""
    raise InputError(f"{what} must be a {finite}number{bounds}, got {value!r}")


def numbers_of(values: object, what: str) -> np.ndarray:
    """A float64 array of numbers in an array, a tensor or nested lists.

    Raises
    ------
    InputError
        If they are no real numbers, or of no one shape.
    """
    try:
        found = _plain_array(values)
    except (NotImplementedError, RuntimeError, TypeError, ValueError) as error:  # such as rows of two lengths
        raise InputError(f"{what} must be numbers in rows of one length: {condensed(error)}") from error
    if found.dtype.kind not in "fiub":
        raise InputError(f"{what} must hold real numbers, got dtype {found.dtype}")
    return found.astype(np.float64)


def _plain_array(values: Any) -> np.ndarray:
    """An array of NumPy's, also of a tensor that is sparse, of a kind that NumPy lacks, or has a gradient."""
    if hasattr(values, "detach"):
        tensor = values.detach().to_dense() if str(values.layout) != "torch.strided" else values.detach()
        values = (tensor.double() if tensor.is_floating_point() else tensor).cpu().numpy()
    return np.asarray(values)


def one_or_several(given: Any) -> tuple[Any, ...]:
    """What is in a list, an array, or another iterable; anything else, also a text, alone."""
    alone = (
        isinstance(given, str | bytes) or not isinstance(given, Iterable) or getattr(given, "ndim", 1) == 0
    )
    return (given,) if alone else tuple(given)


def number_of_jobs(jobs: object) -> int | None:
    """A number of workers: at least 1, or -1 or None for as many as cores.

    Raises
    ------
    InputError
        If it is none.
    """
    if jobs is None or (isinstance(jobs, Integral) and int(jobs) == -1):
        return None if jobs is None else -1
    return whole_number(jobs, "jobs", 1)


def _without_axes(value: Any) -> object:
    """The number in an array or tensor without axes; anything else as it is."""
    return value.item() if getattr(value, "ndim", None) == 0 and hasattr(value, "item") else value
