"""The pictures of the frames, each kept in the cache under what it shows and how; missing ones are drawn by
several processes."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from splineviz.animation.measure import Advance, CheckpointMeasurement
from splineviz.engine.workers import end_with
from splineviz.io.store import Store, code_version, digest_of
from splineviz.plane import Window
from splineviz.render.film import Sheet, save_picture
from splineviz.render.strip import on_log_axis

__all__ = ["FrameLook", "pictures", "shared_limits", "timing"]

_FEW = 3
"""Pictures up to which no processes are started: they take as long to start as a picture or two."""


@dataclass(frozen=True, eq=False)
class FrameLook:
    """Look that all frames share."""

    sheet: Sheet
    window: Window
    title: str | None
    """Words before the step, above each frame."""
    style: Mapping[str, Any]
    """Options of :func:`splineviz.draw`."""

    def caption(self, step: int) -> str:
        """Words above the frame of a step."""
        return f"{self.title}, step {step:,}" if self.title else f"step {step:,}"


def pictures(
    found: Sequence[CheckpointMeasurement],
    look: FrameLook,
    suffix: str,
    store: Store,
    jobs: int,
    advance: Advance | None,
) -> list[Path]:
    """Draw every checkpoint that is not drawn; returns a .png or .svg file for each."""
    keys, tasks = [], []
    for measured in found:
        caption = look.caption(measured.step)
        error = None if measured.error is None else measured.error.message
        what = (error, measured.key, caption, look.window.vertices, look.sheet)
        keys.append(digest_of(what, sorted(look.style.items()), code_version("render")))
        if store.find(keys[-1], suffix) is None:
            of_file = None if error is not None else store.path(measured.key, ".npz")
            tasks.append((keys[-1], look, of_file, caption, error or ""))
    workers = 1 if len(tasks) <= _FEW else min(jobs, len(tasks))
    with ExitStack() as unfinished:
        # Files that other processes write are this one's, which removes them should it be interrupted.
        files = deque[ExitStack]()

        def begun() -> Iterator[Any]:
            for key, *how in tasks:
                files.append(unfinished.enter_context(ExitStack()))
                temporary = files[-1].enter_context(store.keep(key, suffix))
                yield joblib.delayed(_draw)(os.getpid(), temporary, *how)

        drawn = joblib.Parallel(n_jobs=workers, return_as="generator")(begun())
        for done, _ in enumerate(drawn, len(found) - len(tasks) + 1):
            files.popleft().close()
            if advance is not None:
                advance(done, len(found), "drawing")
    return [store.path(key, suffix) for key in keys]


def shared_limits(found: Sequence[CheckpointMeasurement], color: str) -> tuple[float, float] | None:
    """Ends of the scale of all frames: the smallest of the lower ends to the largest of the upper ones."""
    ends = [measured.limits[color] for measured in found if measured.limits and color in measured.limits]
    return (min(low for low, _ in ends), max(high for _, high in ends)) if ends else None


def _draw(parent: int, path: Path, look: FrameLook, of_file: Path | None, caption: str, message: str) -> None:
    from splineviz.io.npz import load

    end_with(parent)
    arr = None if of_file is None else load(of_file)
    save_picture(path, look.sheet, look.window, arr, title=caption, message=message, **look.style)


def timing(steps: Sequence[int], total: float) -> list[float]:
    """Seconds that each frame is shown: until the next on the logarithm of the steps, so that early training
    is seen.

    The last is held for as long as the longest. No frame takes more than four times, or less than a quarter,
    of an equal share.

    Examples
    --------
    >>> [round(s, 9) for s in timing([0, 1, 3, 7], total=8.0)]
    [2.0, 2.0, 2.0, 2.0]
    """
    gaps = np.diff(on_log_axis(steps)).tolist()
    weights = [*gaps, max(gaps, default=1.0)]
    mean = sum(weights) / len(weights)
    clipped = [min(max(weight, mean / 4), 4 * mean) for weight in weights]
    return [total * weight / sum(clipped) for weight in clipped]
