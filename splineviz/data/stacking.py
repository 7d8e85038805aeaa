"""Points of one shape as one array; grey pictures among coloured ones, and for networks of the other kind."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import numpy as np

from splineviz.errors import InputError, SplinevizWarning

__all__ = ["in_its_colors", "stacked"]


def stacked(points: Sequence[np.ndarray], names: Sequence[str], *, pictures: bool = False) -> np.ndarray:
    """(n, ...) array of points; grey pictures among coloured ones have the same in all three channels.

    Raises
    ------
    InputError
        If they have several shapes, or depths of colour, naming two of them.
    """
    if pictures and {point.ndim for point in points} == {2, 3}:
        warnings.warn(
            "grey pictures among coloured ones are taken as red = green = blue",
            SplinevizWarning,
            stacklevel=2,
        )
        points = [_colored(point) if point.ndim == 2 else point for point in points]
    first = points[0]
    for point, name in zip(points, names, strict=True):
        if point.shape != first.shape:
            raise InputError(
                f"the points must have one shape: {names[0]} has {_shape(first)}, {name} has {_shape(point)}",
                hint="bring each to the network's input first",
                command_hint="--transform module:function, which brings each to the network's input",
            )
        if pictures and point.dtype != first.dtype:
            depths = [8 * array.dtype.itemsize for array in (first, point)]
            raise InputError(
                f"{names[0]} has {depths[0]} bits a channel, {name} has {depths[1]}",
                hint="save all of them with the same number",
            )
    return np.stack(list(points))


def in_its_colors(pictures: np.ndarray, input_shape: tuple[int, ...]) -> np.ndarray:
    """Pictures (n, height, width) or (n, height, width, 3) with as many channels as a network takes, where it
    has them.

    Grey becomes red = green = blue, and these become grey where they are equal, both with a warning.

    Raises
    ------
    InputError
        If colours would have to be mixed, or which axis of a network holds them cannot be told.
    """
    size, wanted = pictures[0].size, math.prod(input_shape)
    grey = pictures.ndim == 3
    if grey and 3 * size == wanted and len(input_shape) > 1:
        warnings.warn(
            "the pictures are grey, and are taken as red = green = blue", SplinevizWarning, stacklevel=2
        )
        pictures, grey, size = _colored(pictures), False, wanted
    if not grey and size == 3 * wanted:
        if not (pictures == pictures[..., :1]).all():
            raise InputError(
                f"the pictures have colours, the network takes {input_shape}: there are several ways to grey",
                hint="the transform that was used for training",
                command_hint="--transform module:function, the one that was used for training",
            )
        warnings.warn(
            "the pictures have red = green = blue everywhere, and are taken as grey",
            SplinevizWarning,
            stacklevel=2,
        )
        return pictures[..., 0]
    if not grey and size == wanted and len(input_shape) == 1:
        raise InputError(
            f"the pictures have the shape {pictures.shape[1:]}, the network takes {input_shape}: in which "
            "order are the colours?",
            hint="x.transpose(2, 0, 1) for the order of PyTorch",
            command_hint="--transform module:function; x.transpose(2, 0, 1) is the order of PyTorch",
        )
    if not grey and tuple(pictures.shape[i] for i in (3, 1, 2)) == input_shape:
        return pictures.transpose(0, 3, 1, 2)
    return pictures


def _colored(grey: np.ndarray) -> np.ndarray:
    return np.repeat(grey[..., None], 3, axis=-1)


def _shape(array: np.ndarray) -> str:
    return " x ".join(map(str, array.shape)) or "no axis"
