"""The progress bar, on stderr, and only where someone sees it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from splineviz.showing import in_line

from .saying import say

__all__ = [
    "PointProgress",
    "check_progress",
    "frame_progress",
    "job_progress",
    "note",
    "point_progress",
    "stage_progress",
]

Advance = Callable[[float, int], None]


def note(text: str, quiet: bool) -> None:
    """A hint on stderr."""
    if not quiet:
        say(f"note: {text}", err=True)


@contextmanager
def stage_progress(quiet: bool) -> Iterator[Advance | None]:
    """A callback ``(share of the work that is done, cells in work)`` that moves a bar; None where stderr is
    no terminal."""
    with _bar(quiet) as move:
        yield (
            None
            if move is None
            else lambda share, cells: move(share, f"{share:.0%}, {cells:,} cells in work")
        )


@contextmanager
def frame_progress(quiet: bool, things: str = "frames") -> Iterator[Callable[[int, int, str], None] | None]:
    """A callback ``(frames that are done, or other things, of how many, with what)`` that moves a bar; None
    where stderr is no terminal."""
    with _bar(quiet) as move:
        yield (
            None
            if move is None
            else lambda done, of_all, what: move(done / of_all, f"{done} of {of_all} {things}, {what}")
        )


class PointProgress:
    """A bar over steps, each of which is some of the points for one metric; where nobody sees it, nothing."""

    def __init__(self, move: Callable[[float, str], None] | None, n_points: int, n_steps: int) -> None:
        self._move, self._n_points, self._n_steps, self._begun = move, n_points, n_steps, 0

    def step(self, metric: str, first: int) -> Callable[[int, int], None]:
        """Begin the next step, for points from number ``first`` on; returns a callback (points that are done,
        of this step)."""
        before = self._begun
        self._begun += 1

        def done(points: int, of_step: int) -> None:
            if self._move is not None:
                text = f"{metric}: {first + points:,} of {self._n_points:,} points"
                self._move((before + points / of_step) / self._n_steps, text)

        done(0, 1)
        return done


@contextmanager
def point_progress(quiet: bool, n_points: int, n_steps: int) -> Iterator[PointProgress]:
    """A bar that moves where someone sees it."""
    with _bar(quiet) as move:
        yield PointProgress(move, n_points, n_steps)


@contextmanager
def job_progress(quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A callback ``(jobs that are done, jobs)`` that moves a bar; None where stderr is no terminal."""
    with _bar(quiet) as move:
        yield None if move is None else lambda done, of: move(done / of, f"{done:,} of {of:,} jobs")


@contextmanager
def check_progress(quiet: bool) -> Iterator[Callable[[float, str], None] | None]:
    """A callback ``(share of the work that is done, what is done next)`` that moves a bar; None where stderr
    is no terminal."""
    with _bar(quiet) as move:
        yield move


@contextmanager
def _bar(quiet: bool) -> Iterator[Callable[[float, str], None] | None]:
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0)

        def move(share: float, text: str) -> None:
            bar.update(task, completed=share, description=in_line(text))

        yield move
