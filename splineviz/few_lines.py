"""Long lists in a few lines, for the representations of large things."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["few_lines"]

_MOST = 7


def few_lines(lines: Sequence[str]) -> list[str]:
    """The lines, at most seven: of more the first and the last, and how many are between them.

    Examples
    --------
    >>> few_lines([f"line {k}" for k in range(20)])
    ['line 0', 'line 1', 'line 2', 'line 3', '... 14 more', 'line 18', 'line 19']
    """
    if len(lines) <= _MOST:
        return list(lines)
    return [*lines[: _MOST - 3], f"... {len(lines) - _MOST + 1} more", *lines[-2:]]
