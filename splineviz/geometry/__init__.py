"""The planar subdivision and its refinement by lines: arrays and compiled kernels, no networks.

`subdivision` is the data, `refine` the one verb. A refinement takes three decisions only, all of them in `predicates`:
the sign of a unit at a vertex, the order of two crossings on an edge, the order of two crossings on a chord.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def _stamp_alike() -> None:
    """Give all kernels one time stamp.

    A compiled kernel is cached by the time stamp of its own file, but contains what it calls from other files: after an update
    of one of those the cache would run old code on new records.
    """
    stamps = {path: path.stat().st_mtime_ns for path in Path(__file__).parent.glob("*.py")}
    newest = max(stamps.values())
    for path, stamp in stamps.items():
        if stamp != newest:
            # An installation that cannot be written to was written all at once.
            with contextlib.suppress(OSError):
                os.utime(path, ns=(newest, newest))


_stamp_alike()
