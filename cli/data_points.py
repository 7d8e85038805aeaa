"""Data points for commands that look at many: the file's or the demo's, and no more than asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .options import DataSource

if TYPE_CHECKING:
    from .data import Data

__all__ = ["read_points"]


def read_points(source: DataSource, limit: int | None) -> Data:
    """The first ``limit`` points of a file, by default the demo's."""
    data = source.read()
    if data is None:
        from splineviz import demo

        from .data import Data

        data = Data(demo.load_points(), demo.load_labels(), "the demo")
    return data if limit is None else data.take(range(min(limit, len(data))))
