"""Outputs of which none may take the place of another, or of what is read."""

from __future__ import annotations

import glob
import importlib.util
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from splineviz.errors import InputError
from splineviz.files import TABLES, check_writable

from .declaring import Reads, names_read

__all__ = ["CONFIG", "check_outputs", "check_tables"]

_TABLES = (*TABLES, ".json")

CONFIG = "splineviz.config"
"""Where the context of the command holds the path of its configuration"""


def check_outputs(request: Any, outputs: Iterable[Path], beside: Iterable[Path] = ()) -> None:
    """Refuse outputs of which one would take the place of another, or of a file that the request reads, be it
    by another spelling, a symbolic or a hard link.

    ``beside`` are further files that may be replaced.
    """
    outputs = list(outputs)
    _check_distinct(outputs)
    cards = [_card(path) for path in outputs if path.suffix.lower() == ".csv"]
    replaced = {_identity(path): path for path in (*outputs, *cards, *beside)}
    replaced.pop(None, None)
    if not replaced:
        return
    for read in _read_by(request):
        place = _identity(read)
        if place in replaced:
            raise InputError(
                f"cannot write {replaced[place]}: {read}, which is read, would be replaced",
                hint="give another name",
            )


def check_tables(paths: Iterable[Path]) -> None:
    """Refuse tables of an unknown suffix, and those that cannot be written."""
    for path in paths:
        if path.suffix.lower() not in _TABLES:
            raise InputError(
                f"unknown suffix {path.suffix!r} of {path}, expected one of {', '.join(_TABLES)}"
            )
        check_writable(path)
        if path.suffix.lower() == ".parquet" and importlib.util.find_spec("pyarrow") is None:
            raise InputError(
                f"writing {path} needs the package pyarrow", hint="pip install 'splineviz[parquet]'"
            )


def _check_distinct(outputs: list[Path]) -> None:
    """Refuse a path that is given twice, or that is written beside another one: the card of a CSV table."""
    given = [path.resolve() for path in outputs]
    there = [place for path in outputs if (place := _identity(path)) is not None]
    if len(set(given)) != len(given) or len(set(there)) != len(there):
        raise click.UsageError("the same -o is given twice")
    for path in given:
        if path.suffix.lower() == ".csv" and _card(path) in given:
            raise click.UsageError(
                f"{_card(path).name} is written beside {path.name}, with where its numbers come from"
            )


def _card(path: Path) -> Path:
    from splineviz.io.csv_table import card_path

    return card_path(path)


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file a path leads to; None if there is none."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino) if path.is_file() else None


def _read_by(request: Any) -> Iterator[Path]:
    """All files that a request reads, as far as its options name them."""
    context = click.get_current_context(silent=True)
    if context is not None and CONFIG in context.meta:
        yield context.meta[CONFIG]
    for name, kind in names_read(request):
        yield from _files(name, kind)


def _files(name: str, kind: Reads) -> Iterator[Path]:
    """Files that a name stands for: itself, those in a folder, or those that match a pattern."""
    try:
        matching = [Path(name)] if Path(name).exists() else map(Path, glob.iglob(name, recursive=True))
    except (OSError, ValueError):  # it is no path
        return
    for path in matching:
        if path.is_dir():
            ends = _ends(kind)
            yield from (file for file in path.rglob("*") if file.name.lower().endswith(ends))
        else:
            yield path


def _ends(kind: Reads) -> tuple[str, ...]:
    """Ends of the names of the files that are read of a folder."""
    if kind == "file":
        return ()
    if kind == "pictures":
        from splineviz.data.pictures import SUFFIXES as OF_PICTURES

        return OF_PICTURES
    from splineviz.program.weight_files import SUFFIXES

    return (*SUFFIXES, ".index.json")
