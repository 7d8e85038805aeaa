"""Looks of the picture of a slice, from the options of the command and the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.plane import Plane, Window

from .choosing import tell_numbers
from .location import captions, thumbnails
from .place import Place
from .preprocessing import Preprocessing
from .slice_options import SliceOptions

if TYPE_CHECKING:
    from splineviz.data import Collection, Data
    from splineviz.program import Program

__all__ = ["drawing_options"]


def drawing_options(
    options: SliceOptions,
    program: Program,
    preprocessing: Preprocessing,
    data: Collection | None,
    anchors: Data | None,
    place: Place,
) -> dict[str, Any]:
    """Options of :func:`splineviz.render.save_figure`."""
    drawing, names = options.drawing, options.names_of_classes
    style = {**drawing.style, "class_names": names}
    if place.chosen:
        style["note"] = "; ".join(place.said)
    if options.output_index is not None and names is not None:
        style["class_names"] = [names[i] for i in options.output_index if i < len(names)]
    if anchors is not None:
        style["images"] = thumbnails(options.location.image_shape, anchors)
        style["labels"] = captions(anchors, names)
    if options.stage is not None and options.stage < len(program.stages) - 1:
        style["boundary"] = False  # there is no output yet
    if drawing.valid_range is not None:
        style["valid_range"] = preprocessing.range(*drawing.valid_range, program.input_shape, anchors)
    if options.overlay_data is not None and data is not None:
        anchored = set() if anchors is None else set(anchors.rows.tolist())
        others = data.take([row for row in range(len(data)) if row not in anchored])
        if len(others):
            points = preprocessing.apply(others, program.input_shape)
            if options.location.class_names is None and not options.on_demo:
                tell_numbers(others.class_names, others.source)
            chosen = _nearest_inside(place.plane, place.window, points, options.overlay_data)
            style["points"] = points[chosen]
            style["point_classes"] = (
                None if others.labels is None or options.output_index else others.labels[chosen]
            )
    return style


def _nearest_inside(plane: Plane, window: Window, points: np.ndarray, count: int) -> np.ndarray:
    """Indices of the ``count`` points nearest to the plane among those that project into the window."""
    from splineviz.render.overlay import in_window

    uv, off = plane.project(points)
    rows: np.ndarray = np.flatnonzero(in_window(uv, window))
    return rows[np.argsort(off[rows], kind="stable")][:count]
