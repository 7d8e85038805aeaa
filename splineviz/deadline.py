"""The moment at which the work of a thread has to end, looked at within whatever takes long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["SpentError", "check_time", "until"]

_moment: ContextVar[float | None] = ContextVar("moment", default=None)


class SpentError(Exception):
    """The budget ended before this was finished."""


@contextmanager
def until(moment: float | None) -> Iterator[None]:
    """Have `check_time` end the work of this thread at a moment of ``time.monotonic``; None for no end.

    It is that of the thread, and not an argument, since what takes long (a set of exact questions) lies far
    below what knows of budgets.
    """
    token = _moment.set(moment)
    try:
        yield
    finally:
        _moment.reset(token)


def check_time() -> None:
    """Raise `SpentError` where the time of this thread is up."""
    moment = _moment.get()
    if moment is not None and time.monotonic() > moment:
        raise SpentError
