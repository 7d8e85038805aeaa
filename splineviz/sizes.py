"""Sizes of data, told before they are read."""

from __future__ import annotations

import math

import psutil

from splineviz.errors import InputError

__all__ = ["FEWER", "ensure_fits", "in_words"]

FEWER = {"hint": "limit=N for the first N points", "command_hint": "--limit N for the first N points"}
"""Advice where the points of a source are too many"""


def ensure_fits(
    shape: tuple[int, ...], itemsize: int, what: str, *, hint: str, command_hint: str | None = None
) -> None:
    """Refuse an array that is larger than the memory that is free.

    Raises
    ------
    InputError
        Which names the shape and both sizes.
    """
    size, free = math.prod(shape) * itemsize, psutil.virtual_memory().available
    if size > free:
        values = f" ({' x '.join(map(str, shape))} values)" if len(shape) > 1 else ""
        raise InputError(
            f"{what}{values}: {in_words(size)}, and {in_words(free)} of memory are free",
            hint=hint,
            command_hint=command_hint,
        )


def in_words(size: float) -> str:
    """Bytes in the unit that suits them.

    Examples
    --------
    >>> in_words(300), in_words(5 * 2**20), in_words(3.2 * 2**40)
    ('300 bytes', '5 MB', '3.2 TB')
    """
    for power, name in ((2**40, "TB"), (2**30, "GB"), (2**20, "MB"), (2**10, "KB")):
        if size >= power:
            return f"{float(f'{size / power:.3g}'):g} {name}"
    return f"{size:.0f} bytes"
