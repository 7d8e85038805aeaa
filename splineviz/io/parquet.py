"""Parquet: one row per cell, written batch by batch, for the tools of large tables."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.arrangement.blocks import blocks
from splineviz.arrangement.polygons import rows_between
from splineviz.errors import InputError
from splineviz.files import atomic_path
from splineviz.io.export import cell_class, centroids
from splineviz.io.totals import Totals
from splineviz.showing import in_json

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement

__all__ = ["COLUMNS", "SCHEMA", "parquet_writer", "require_pyarrow"]

SCHEMA = "splineviz.cells/1"
_REPEATED = ["window", "stage", "class"]  # a dictionary of others takes time and room for nothing
_ROWS = 1 << 15  # in a row group, at least, but for the last, and less than twice as many

COLUMNS = {
    "cell": "running number, from 0",
    "window": "number of the window, from 0",
    "stage": "the stage that separated the cell last, -1 if none did",
    "area": "in squared input distance",
    "centroid": "of the area: u, v",
    "polygon": "u0, v0, u1, v1, ...: counter-clockwise, the first corner not repeated; every bit of the "
    "coordinates",
    "pattern_hash": "16 bytes of the activation pattern: two little-endian unsigned numbers of 64 bits",
    "class": "largest output at the mean of the corners, for one output 1 where it is positive; null "
    "before the last stage",
    "in_doubt": "whether the cell contradicts others",
}
"""Content of each column, in words; in the file, too, as metadata of its field."""


def require_pyarrow() -> Any:
    """The package that writes Parquet.

    Raises
    ------
    InputError
        If it is not there.
    """
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise InputError(
            "writing .parquet needs the package pyarrow", hint="pip install 'splineviz[parquet]'"
        ) from error
    return pyarrow


@contextmanager
def parquet_writer(
    path: str | os.PathLike[str], *, extra: Mapping[str, Any] | None = None
) -> Iterator[Callable[[Arrangement], None]]:
    """A function that appends each batch it is given; the file appears when the block ends without an error.

    Columns are those of `COLUMNS`. The key-value metadata at the file's end hold a JSON object with counts
    and provenance under ``splineviz``: ``pyarrow.parquet.read_metadata(path).metadata[b"splineviz"]``.

    Parameters
    ----------
    path
        The file.
    extra
        Further entries of the provenance.

    Raises
    ------
    InputError
        If pyarrow is missing, or the path cannot be written.
    """
    pa = require_pyarrow()
    totals, schema, waiting = Totals(), _schema(pa), list[Any]()
    with (
        atomic_path(path) as temporary,
        temporary.open("wb") as stream,  # pyarrow takes names in UTF-8 only
        pa.parquet.ParquetWriter(stream, schema, compression="zstd", use_dictionary=_REPEATED) as file,
    ):

        def flush() -> None:
            if waiting:
                file.write_table(pa.concat_tables(waiting))
                waiting.clear()

        def add(batch: Arrangement) -> None:
            for part in blocks(batch.n_cells, _ROWS):
                waiting.append(_table(pa, schema, batch, part, totals.cells))
                if sum(len(table) for table in waiting) >= _ROWS:
                    flush()
            totals.add(batch)

        yield add
        if totals.last is None:
            raise InputError(f"no batch was given, so there is nothing to write to {path}")
        flush()
        card = {"schema": SCHEMA, **totals.counts(), "provenance": totals.provenance(extra)}
        file.add_key_value_metadata({"splineviz": in_json(card)})


def _schema(pa: Any) -> Any:
    kinds = {
        "cell": pa.int64(),
        "window": pa.int32(),
        "stage": pa.int32(),
        "area": pa.float64(),
        "centroid": pa.list_(pa.float64(), 2),
        "polygon": pa.list_(pa.float64()),
        "pattern_hash": pa.binary(16),
        "class": pa.int32(),
        "in_doubt": pa.bool_(),
    }
    return pa.schema(
        [
            pa.field(name, kind, nullable=name == "class", metadata={"description": COLUMNS[name]})
            for name, kind in kinds.items()
        ]
    )


def _table(pa: Any, schema: Any, batch: Arrangement, part: slice, first: int) -> Any:
    """Some cells of a batch, whose first cell has the number ``first``."""
    cells, numbers = rows_between(batch.cells, part), np.arange(part.start, part.stop)
    corners = np.ascontiguousarray(batch.vertices[cells.values]).reshape(-1)
    hashes = np.ascontiguousarray(batch.pattern_hash[part].astype("<u8")).tobytes()
    columns = [
        pa.array(first + numbers),
        pa.array(batch.cell_window[part].astype(np.int32)),
        pa.array(batch.cell_stage[part].astype(np.int32)),
        pa.array(batch.areas[part]),
        pa.FixedSizeListArray.from_arrays(pa.array(centroids(batch, part).reshape(-1)), 2),
        pa.ListArray.from_arrays(pa.array((2 * cells.offsets).astype(np.int32)), pa.array(corners)),
        pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(cells), [None, pa.py_buffer(hashes)]),
        pa.array(cell_class(batch, part).astype(np.int32))
        if _has_output(batch)
        else pa.nulls(len(cells), pa.int32()),
        pa.array(np.isin(numbers, batch.in_doubt)),
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _has_output(batch: Arrangement) -> bool:
    """Whether the whole network was walked, and its maps can be had."""
    if "affine" in vars(batch):
        return True
    return batch.program is not None and len(batch.patterns) == len(batch.program.stages)
