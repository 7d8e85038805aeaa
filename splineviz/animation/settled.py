"""Files that another process is done with, told by that they no longer change."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

__all__ = ["Watch"]

_SETTLED = 1.0
"""Seconds without a change after which a file counts as finished"""

_Stamp = tuple[int, int]


class Watch:
    """Files as they were when they were looked at last.

    Times of files are those of the machine that writes them, whose clock may be another: they are compared
    with each other, and never with the time of day.
    """

    def __init__(self) -> None:
        self._seen: dict[Path, tuple[_Stamp, float]] = {}

    def look(self, paths: Iterable[Path]) -> tuple[dict[Path, _Stamp], bool]:
        """Files that have not changed for a while, with their sizes and times; and whether there are others,
        which may come."""
        now, settled, before, self._seen = time.monotonic(), {}, self._seen, {}
        for path in paths:
            try:
                told = path.stat()
            except OSError:  # removed since it was listed, or not there yet
                continue
            stamp = told.st_size, told.st_mtime_ns
            known, since = before.get(path, (None, now))
            self._seen[path] = stamp, since if stamp == known else now
            if stamp == known and now - since >= _SETTLED:
                settled[path] = stamp
        return settled, len(settled) < len(self._seen)
