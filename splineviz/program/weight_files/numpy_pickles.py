"""Arrays and numbers of NumPy out of pickles, without the constructors of NumPy: called with arguments of
another's choice, these take bytes for the addresses of objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["MAKERS", "resolved"]

_NUMBERS = frozenset("biufc")
"""Kinds of numbers: what is made of these has no objects in it"""


class _Kind:
    """Data type of numbers; of anything else the stand-in of none."""

    def __init__(self, code: object = "", *_how: object) -> None:
        dtype = np.dtype(code) if isinstance(code, str) and code[1:].isdigit() else None
        self.numbers = dtype if dtype is not None and dtype.kind in _NUMBERS else None

    def __setstate__(self, state: object) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
        if self.numbers is not None and order in ("<", ">"):
            self.numbers = self.numbers.newbyteorder(order)


class _Array:
    """Array that a state is still to come for; without numbers it stays none."""

    def __init__(self, *_arguments: object) -> None:
        self.value: np.ndarray | None = None

    def __setstate__(self, state: object) -> None:
        if isinstance(state, tuple) and len(state) == 5:
            _, shape, kind, by_columns, raw = state
            self.value = _made(raw, kind, shape, "F" if by_columns else "C")


class _Name:
    """Stand-in for a class that is only named, as an argument."""


def _made(raw: object, kind: object, shape: object, order: object) -> np.ndarray | None:
    """The array of some bytes, which it has a copy of; None where there are no numbers in it."""
    if not isinstance(kind, _Kind) or kind.numbers is None or not isinstance(raw, bytes | bytearray):
        return None
    if not isinstance(shape, tuple) or order not in ("C", "F"):
        return None
    array: np.ndarray = np.frombuffer(raw, kind.numbers).reshape(shape, order=order)
    return array.copy()


def _from_buffer(raw: object, kind: object, shape: object, order: object) -> _Array:
    result = _Array()
    result.value = _made(raw, kind, shape, order)
    return result


def _scalar(kind: object, raw: object = None) -> object:
    array = _made(raw, kind, (), "C")
    return None if array is None else array[()]


MAKERS: Mapping[str, Callable[..., Any]] = {
    "numpy.ndarray": _Name,
    "numpy.dtype": _Kind,
    **{f"numpy.{core}.multiarray._reconstruct": _Array for core in ("core", "_core")},
    **{f"numpy.{core}.multiarray.scalar": _scalar for core in ("core", "_core")},
    **{f"numpy.{core}.numeric._frombuffer": _from_buffer for core in ("core", "_core")},
}
"""What stands for the functions and classes that pickles of arrays name"""


def resolved(content: Any, seen: dict[int, Any] | None = None) -> Any:
    """Content of a pickle with the arrays in place of what came out of it for them; dicts and lists are the
    same ones."""
    seen = {} if seen is None else seen
    if isinstance(content, _Array):
        return content.value
    if id(content) in seen:
        return seen[id(content)]
    if isinstance(content, tuple) and type(content) is tuple:
        seen[id(content)] = content
        return tuple(resolved(item, seen) for item in content)
    if isinstance(content, dict | list):
        seen[id(content)] = content
        places = list(content) if isinstance(content, dict) else range(len(content))
        for place in places:
            content[place] = resolved(content[place], seen)
    return content
