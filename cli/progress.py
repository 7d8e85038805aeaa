"""The progress bar, on stderr, and only where someone sees it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

__all__ = ["announce_compilation", "note", "stage_progress"]

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
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0)

        def advance(share: float, cells: int) -> None:
            bar.update(task, completed=share, description=f"{share:.0%}, {cells:,} cells in work")

        yield advance
