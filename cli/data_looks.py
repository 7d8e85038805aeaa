"""Looks that the data decide: thumbnails, captions, the valid range as the network sees it, data points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.plane import Plane, Window

from .choosing import tell_numbers
from .location import captions, thumbnails
from .looks import DataDrawing
from .preprocessing import Preprocessing

if TYPE_CHECKING:
    from splineviz.data import Collection, Data

__all__ = ["DataLooks"]


@dataclass(frozen=True, eq=False)
class DataLooks:
    """The data of a request: points of the plane, and all others, with the names of their classes."""

    drawing: DataDrawing
    preprocessing: Preprocessing
    data: Collection | None
    anchors: Data | None
    image_shape: tuple[int, ...] | None
    class_names: Sequence[str] | None
    paged: bool
    """Whether a page is among the outputs, which draws inputs in the scale of the data"""

    def options(self, plane: Plane, window: Window, input_shape: tuple[int, ...]) -> dict[str, Any]:
        """Options of :func:`splineviz.draw` and :func:`splineviz.page`, those that the command line tells
        included."""
        style = {**self.drawing.style, "class_names": self.class_names}
        if self.paged:
            style["data_scale"] = self.preprocessing.range(0.0, 1.0, input_shape, self.anchors)
        if self.anchors is not None:
            style["images"] = thumbnails(self.image_shape, self.anchors)
            style["labels"] = captions(self.anchors, self.class_names)
        if self.drawing.valid_range is not None:
            style["valid_range"] = self.preprocessing.range(
                *self.drawing.valid_range, input_shape, self.anchors
            )
        return style | self._overlay(plane, window, input_shape)

    def _overlay(self, plane: Plane, window: Window, input_shape: tuple[int, ...]) -> dict[str, Any]:
        """Points of the data that are drawn, those of the plane left out, with their classes."""
        if self.drawing.overlay_data is None or self.data is None:
            return {}
        anchored = set() if self.anchors is None else set(self.anchors.rows.tolist())
        others = self.data.take([row for row in range(len(self.data)) if row not in anchored])
        if not len(others):
            return {}
        points = self.preprocessing.apply(others, input_shape)
        if self.class_names is None:
            tell_numbers(others.class_names, others.source)
        chosen = _nearest_inside(plane, window, points, self.drawing.overlay_data)
        classes = None if others.labels is None else others.labels[chosen]
        return {"points": points[chosen], "point_classes": classes}


def _nearest_inside(plane: Plane, window: Window, points: np.ndarray, count: int) -> np.ndarray:
    """Indices of the ``count`` points nearest to the plane among those that project into the window."""
    from splineviz.render.overlay import in_window

    uv, off = plane.project(points)
    rows: np.ndarray = np.flatnonzero(in_window(uv, window))
    return rows[np.argsort(off[rows], kind="stable")][:count]
