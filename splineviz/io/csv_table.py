"""CSV tables that need no options to be read, each with its provenance in a second file beside it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from splineviz.files import atomic_path
from splineviz.showing import in_csv, in_json

__all__ = ["card_path", "csv_table"]


def card_path(table: Path) -> Path:
    """Path of the provenance of a CSV file.

    Examples
    --------
    >>> card_path(Path("results/lc.csv")).name
    'lc.csv.json'
    """
    return table.with_name(f"{table.name}.json")


@contextmanager
def csv_table(
    path: Path, head: Iterable[str], rows: Iterable[Iterable[Any]], card: Mapping[str, Any]
) -> Iterator[None]:
    """Write a table and its card; both files appear when the block ends without an error.

    None and masked entries are left empty, and no word is a formula to a spreadsheet. The card could be a
    first line of comment, but that is what spreadsheets and ``pandas.read_csv(path)`` would take for the head
    of the table.
    """
    with atomic_path(card_path(path)) as beside, atomic_path(path) as temporary:
        beside.write_text(in_json(card, indent=1) + "\n", encoding="utf-8")
        with temporary.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(map(in_csv, head))
            table.writerows(map(in_csv, row) for row in rows)
        yield
