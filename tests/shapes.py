"""The checker of array shapes in signatures; it runs in the tests only.

Only arrays: whether other arguments have the right type is for mypy to say, and tests hand over wrong ones on
purpose.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from beartype import beartype

_Function = TypeVar("_Function", bound=Callable[..., object])
_ARRAY = re.compile(r"\b(Bool|Float|Int|UInt)\d*\[")


def check(function: _Function) -> _Function:
    """Check the annotations of ``function`` that are jaxtyping's."""
    kept = {name: hint for name, hint in function.__annotations__.items() if _ARRAY.search(str(hint))}
    function.__annotations__ = kept
    return beartype(function)
