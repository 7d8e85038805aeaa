"""Outputs of which none may take the place of another."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

__all__ = ["check_distinct"]


def check_distinct(paths: Iterable[Path]) -> None:
    """Refuse a path that is given twice, or that is written beside another one: the card of a CSV table."""
    from splineviz.io.csv_table import card_path

    given = [path.resolve() for path in paths]
    if len(set(given)) != len(given):
        raise click.UsageError("the same -o is given twice")
    for path in given:
        if path.suffix.lower() == ".csv" and card_path(path) in given:
            raise click.UsageError(
                f"{card_path(path).name} is written beside {path.name}, with where its numbers come from"
            )
