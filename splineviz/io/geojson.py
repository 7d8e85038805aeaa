"""GeoJSON of the cells, for GIS tools and web maps. Coordinates are uv, which GeoJSON has no way to declare:
the file says so."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from splineviz.arrangement.blocks import blocks
from splineviz.files import atomic_path
from splineviz.io.export import cell_attributes, closed_rings
from splineviz.io.provenance import provenance

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement

__all__ = ["save_geojson"]

_CELLS = 1 << 12
"""That are written at a time"""

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode

_NOTE = (
    "Coordinates are plane coordinates (u, v), isometric to the network's input space; they are not WGS84 "
    "longitude and latitude."
)


def save_geojson(
    arr: Arrangement, path: str | os.PathLike[str], *, extra: Mapping[str, Any] | None = None
) -> None:
    """Write one polygon per cell with its id, area, window, stage and, where known, linear region and
    predicted class.

    Coordinates keep every bit. Rings are closed and counter-clockwise.

    Parameters
    ----------
    arr
        The arrangement.
    path
        The file; it appears only when it is complete.
    extra
        Further entries of the collection's properties.

    Raises
    ------
    InputError
        If the path cannot be written.
    """
    head = {"note": _NOTE, "crs": None, **provenance(arr, extra=extra)}
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
        # One feature per line: the file can be read by line tools, and is never held in memory as a whole.
        stream.write(f'{{"type":"FeatureCollection","properties":{_encode(head)},"features":[')
        for part in blocks(arr.n_cells, _CELLS):
            stream.write(("\n" if part.start == 0 else ",\n") + ",\n".join(_features(arr, part)))
        stream.write("\n]}\n")


def _features(arr: Arrangement, part: slice) -> Iterator[str]:
    """Some cells as text, one by one."""
    coordinates, offsets = closed_rings(arr, part)
    points, bounds = coordinates.tolist(), offsets.tolist()
    columns = cell_attributes(arr, part)
    names, rows = list(columns), zip(*(column.tolist() for column in columns.values()), strict=True)
    for k, row in enumerate(rows):
        yield _encode({
            "type": "Feature",
            "id": part.start + k,
            "properties": dict(zip(names, row, strict=True)),
            "geometry": {"type": "Polygon", "coordinates": [points[bounds[k] : bounds[k + 1]]]},
        })  # fmt: skip
