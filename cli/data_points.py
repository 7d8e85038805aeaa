"""Data points for commands that look at many: those of the data or of the demo, of some classes, or the
misclassified ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from splineviz.errors import InputError

from .choosing import misclassified, of_classes
from .options import DataSource

if TYPE_CHECKING:
    from splineviz.data import Collection, Data
    from splineviz.program import Program

    from .preprocessing import Preprocessing

__all__ = ["chosen_points", "demo_points", "points_of"]


def points_of(source: DataSource, seed: int) -> Collection:
    """The points of the data, by default the demo's."""
    data = source.read(seed)
    return demo_points(source.limit) if data is None else data


def demo_points(limit: int | None = None) -> Collection:
    """The demo's own digits."""
    from splineviz import demo
    from splineviz.data.classes import Classes
    from splineviz.data.collection import Arrays

    points = demo.load_points().reshape(-1, *demo.IMAGE_SHAPE)
    known = Classes(demo.load_labels(), dict(enumerate(demo.CLASS_NAMES)))
    return Arrays(points=points, known=known, source="the demo", limit=limit)


def chosen_points(
    source: DataSource, data: Collection, preprocessing: Preprocessing, judge: Callable[[], Program]
) -> Data:
    """All points that the request looks at.

    Raises
    ------
    InputError
        If there is none.
    """
    rows, said = np.arange(len(data)), data.source
    if source.classes:
        rows = of_classes(source.classes, data)
        said += f", classes {', '.join(source.classes)}"
    if source.errors:
        among = len(rows)
        rows = np.intersect1d(rows, misclassified(data, judge(), preprocessing))
        said += f", the misclassified of {among}"
    if not len(rows):
        raise InputError(
            f"none of the {len(data)} points of {data.source} that are looked at is misclassified",
            hint="more data, or all of them: without --errors",
        )
    return replace(data.take(rows.tolist()), source=said)
