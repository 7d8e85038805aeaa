"""Parquet: points as columns of numbers, as one column of lists, or as one of encoded pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from splineviz.ceilings import check_growth
from splineviz.data.asked import Asked
from splineviz.data.collection import Arrays, Collection
from splineviz.data.columns import chosen_columns
from splineviz.data.named import collection_of, labels_among
from splineviz.data.pictures import decoded
from splineviz.errors import InputError
from splineviz.files import utf8_path
from splineviz.sizes import ensure_fits

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import FileMetaData

__all__ = ["labels_of", "read_parquet"]

_INDEX = re.compile(r"__index_level_\d+__")
"""Row numbers that pandas keeps"""


def read_parquet(path: Path, asked: Asked) -> Collection:
    """Points of a table: its columns of numbers but that of the classes, or those that are asked for.

    Raises
    ------
    InputError
        If pyarrow is missing, a column holds no numbers, or a value is missing.
    """
    table = _table(path)
    if not len(table):
        raise InputError(f"{path} holds no row", hint="a row for each point")
    encoded = [field.name for field in table.schema if _holds_files(field.type)]
    if encoded:
        return _pictures(table, encoded, asked, path)
    if any(_is_list(field.type) for field in table.schema):  # a point is one cell
        return collection_of(_Columns(table, path), asked, str(path))
    texts = {field.name: _word(field.type) for field in table.schema}
    names, label = chosen_columns(texts, asked, str(path))
    points = np.stack([_values(table, name, path) for name in names], axis=1)
    known = None if label is None else asked.classes(_values(table, label, path), len(table), str(path))
    return Arrays(points=points, known=known, source=str(path), limit=asked.limit)


@dataclass(frozen=True, eq=False, kw_only=True)
class Encoded(Collection):
    """Pictures in a column as their files, which are decoded when they are taken."""

    cells: Sequence[dict[str, bytes] | bytes]
    pictures: bool = True

    @property
    def count(self) -> int:
        return len(self.cells)

    def fetch(self, rows: Sequence[int]) -> Sequence[np.ndarray]:
        cells = [(row, self.cells[row]) for row in rows]
        files = [(row, cell["bytes"] if isinstance(cell, dict) else cell) for row, cell in cells]
        return [decoded(BytesIO(content), f"{self.source}, row {row + 1}") for row, content in files]


def _pictures(table: pa.Table, encoded: list[str], asked: Asked, path: Path) -> Encoded:
    """Points of a table that holds pictures."""
    name = encoded[0] if len(encoded) == 1 and asked.key is None else asked.points_in(encoded, str(path))
    column = _complete(table, name, path)
    label = asked.labels_in(table.column_names, name, str(path))
    known = None if label is None else asked.classes(_values(table, label, path), len(table), str(path))
    return Encoded(cells=column.to_pylist(), known=known, source=str(path), limit=asked.limit)


def labels_of(path: Path, key: str | None) -> np.ndarray:
    """The column of labels of a table that holds nothing else, or under a name."""
    return labels_among(_Columns(_table(path), path), key, str(path))


class _Columns(Mapping[str, np.ndarray]):
    """Columns of a table by name, each brought to an array when it is asked for."""

    def __init__(self, table: pa.Table, path: Path) -> None:
        self._table, self._path = table, path

    def __len__(self) -> int:
        return len(self._table.column_names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._table.column_names)

    def __getitem__(self, name: str) -> np.ndarray:
        return _values(self._table, name, self._path)


def _table(path: Path) -> pa.Table:
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise InputError(
            f"reading {path} needs the package pyarrow", hint="pip install 'splineviz[parquet]'"
        ) from error
    with utf8_path(path) as named, ParquetFile(named) as file:
        size = _unpacked(file.metadata)
        check_growth(path, size - path.stat().st_size)
        ensure_fits((size,), 1, f"the columns of {path}", hint="fewer rows or columns in a file")
        table = file.read()
    return table.select([name for name in table.column_names if not _INDEX.fullmatch(name)])


_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8}
"""Bytes of a number as an array holds it, where a column that repeats itself takes hardly any in a file"""


def _unpacked(metadata: FileMetaData) -> int:
    """Bytes of all columns in memory, as the footer of a file tells them."""
    groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
    columns = [group.column(place) for group in groups for place in range(group.num_columns)]
    return sum(
        max(column.total_uncompressed_size, column.num_values * _WIDTHS.get(column.physical_type, 0))
        for column in columns
    )


def _holds_files(kind: pa.DataType) -> bool:
    """Tell a column of files, as they are or with their paths."""
    from pyarrow import types

    if types.is_struct(kind):
        return any(kind.field(i).name == "bytes" for i in range(kind.num_fields))
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def _is_list(kind: pa.DataType) -> bool:
    from pyarrow import types

    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _word(kind: pa.DataType) -> str | None:
    """``None`` for a type of numbers or lists of them, or else its name."""
    from pyarrow import types

    while _is_list(kind):
        kind = kind.value_type
    numbers = types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)
    return None if numbers else str(kind)


def _complete(table: pa.Table, name: str, path: Path) -> pa.ChunkedArray:
    """A column in which no value is missing."""
    column = table.column(name)
    if column.null_count:
        row = column.is_null().to_pylist().index(True)
        raise InputError(
            f"{path}: in row {row + 1} the column {name!r} is missing",
            hint="leave such rows out, or fill them as it was done for training",
        )
    return column


def _values(table: pa.Table, name: str, path: Path) -> np.ndarray:
    column = _complete(table, name, path)
    try:
        values = np.array(column.to_pylist()) if _is_list(column.type) else np.asarray(column.to_numpy())
    except ValueError as error:
        raise InputError(
            f"{path}: the lists in the column {name!r} have several lengths",
            hint="lists of one length, a number for each input",
        ) from error
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        row = int(np.argwhere(~np.isfinite(values))[0, 0])
        raise InputError(
            f"{path}: in row {row + 1} the column {name!r} holds no finite number",
            hint="leave the row out, or fill it in; --key A,B,... takes other columns",
        )
    return values.astype(str) if values.dtype.kind == "O" and _word(column.type) else values
