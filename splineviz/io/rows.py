"""Tables of rows as files: CSV, JSON or Parquet, each with the card of where its numbers come from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from splineviz.files import atomic_path
from splineviz.io.csv_table import csv_table
from splineviz.io.parquet import require_pyarrow
from splineviz.showing import in_json, in_unicode

__all__ = ["written_rows"]


@contextmanager
def written_rows(
    path: Path, kinds: Mapping[str, str], rows: Iterable[tuple[Any, ...]], card: Mapping[str, Any]
) -> Iterator[None]:
    """Write a table; the file appears when the block ends without an error.

    The card goes into a file beside a CSV table, into the schema of a Parquet one, or into the object of
    JSON.

    Parameters
    ----------
    path
        The file: .csv, .json or .parquet.
    kinds
        Columns, each with its type in Parquet: ``int64``, ``float64``, ``string``.
    rows
        Of as many cells as there are columns; None is empty.
    """
    if path.suffix.lower() == ".csv":
        with csv_table(path, kinds, rows, card):
            yield
        return
    with atomic_path(path) as temporary:
        if path.suffix.lower() == ".json":
            named = [dict(zip(kinds, row, strict=True)) for row in rows]
            temporary.write_text(in_json({**card, "rows": named}) + "\n", encoding="utf-8")
        else:
            _to_parquet(temporary, kinds, rows, card)
        yield


def _to_parquet(
    path: Path, kinds: Mapping[str, str], rows: Iterable[tuple[Any, ...]], card: Mapping[str, Any]
) -> None:
    pa = require_pyarrow()
    words = [[in_unicode(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    columns = zip(*words, strict=True) if words else [()] * len(kinds)
    made = pa.table(
        {name: pa.array(column, kind) for (name, kind), column in zip(kinds.items(), columns, strict=True)}
    )
    with path.open("wb") as stream:  # pyarrow takes names in UTF-8 only
        pa.parquet.write_table(made.replace_schema_metadata({"splineviz": in_json(card)}), stream)
