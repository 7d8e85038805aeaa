"""The progress bar, on stderr, and only where someone sees it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

__all__ = ["announce_compilation", "check_progress", "note", "point_progress", "stage_progress"]

Advance = Callable[[float, int], None]


def note(text: str, quiet: bool) -> None:
    """A hint on stderr."""
    if not quiet:
        click.echo(f"note: {text}", err=True)


def announce_compilation(quiet: bool) -> None:
    """Say so when the compiled kernels are not there yet, for then the first arrangement takes its time."""
    from splineviz.geometry.extend import extend_values

    cache = extend_values.stats.cache_path
    if cache is None or not any(Path(cache).glob("*.nbi")):
        note("compiling the geometry kernels, once after installation; this takes about 20 seconds", quiet)


@contextmanager
def stage_progress(quiet: bool) -> Iterator[Advance | None]:
    """A callback ``(share of the work that is done, cells in work)`` that moves a bar; None where stderr is no terminal."""
    with _bar(quiet) as move:
        yield None if move is None else lambda share, cells: move(share, f"{share:.0%}, {cells:,} cells in work")


@contextmanager
def point_progress(quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A callback ``(what is estimated, points that are done, points in all)`` that moves a bar where someone sees it."""
    with _bar(quiet) as move:
        yield lambda what, done, total: None if move is None else move(done / total, f"{what}: {done:,} of {total:,} points")


@contextmanager
def check_progress(quiet: bool) -> Iterator[Callable[[float, str], None] | None]:
    """A callback ``(share of the work that is done, what is done next)`` that moves a bar; None where stderr is no terminal."""
    with _bar(quiet) as move:
        yield move


@contextmanager
def _bar(quiet: bool) -> Iterator[Callable[[float, str], None] | None]:
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0)

        def move(share: float, text: str) -> None:
            bar.update(task, completed=share, description=text)

        yield move
