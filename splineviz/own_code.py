"""Objects that users name as ``module:name``: the only way for code of a folder to run."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["current_folder_first", "named_object"]


@contextmanager
def current_folder_first() -> Iterator[None]:
    """Have modules of the current folder found before all others, as Python does for a script.

    Nothing else is imported from there: what is loaded later must not be a file that happens to lie in it.
    """
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    finally:
        if here in sys.path:
            sys.path.remove(here)


def named_object(reference: str) -> object:
    """The object that ``module:name`` or ``module:outer.name`` means; raises whatever importing it raises."""
    module, _, names = reference.partition(":")
    found: object = importlib.import_module(module)
    for name in names.split("."):
        found = getattr(found, name)
    return found
