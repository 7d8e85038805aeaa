"""How the picture of a slice is drawn, from the options of the command and the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.errors import InputError
from splineviz.plane import Plane, Window

from .data import Data, Preprocessing
from .slice_options import SliceOptions

if TYPE_CHECKING:
    from splineviz.program import Program

__all__ = ["drawing_options"]


def drawing_options(
    options: SliceOptions,
    program: Program,
    preprocessing: Preprocessing,
    data: Data | None,
    anchors: Data | None,
    plane: Plane,
    window: Window,
) -> dict[str, Any]:
    """Options of :func:`splineviz.draw`."""
    names = _class_names(options)
    style: dict[str, Any] = {"color": options.color, "edges": options.edges, "title": options.title, "class_names": names}
    if options.output_index is not None and names is not None:
        style["class_names"] = [names[i] for i in options.output_index if i < len(names)]
    if anchors is not None:
        style["images"] = _thumbnails(options, anchors)
        style["labels"] = _captions(options.rows(), anchors, names)
    if options.stage is not None and options.stage < len(program.stages) - 1:
        style["boundary"] = False  # there is no output yet
    if options.valid_range is not None:
        style["valid_range"] = preprocessing.range(*options.valid_range, program.input_shape)
    if options.overlay_data is not None and data is not None:
        anchored = {row % len(data) for row in options.rows()}
        others = data.take([row for row in range(len(data)) if row not in anchored])
        if len(others):
            points = preprocessing.apply(others.points, program.input_shape)
            chosen = _nearest_inside(plane, window, points, options.overlay_data)
            style["points"] = points[chosen]
            style["point_classes"] = None if others.labels is None or options.output_index else others.labels[chosen]
    return style


def _class_names(options: SliceOptions) -> list[str] | None:
    if options.class_names is not None:
        return [name.strip() for name in options.class_names.split(",")]
    if options.model == "demo":
        from splineviz import demo

        return list(demo.CLASS_NAMES)
    return None


def _thumbnails(options: SliceOptions, anchors: Data) -> Sequence[np.ndarray] | None:
    """The data as they lie in the file where they are images; otherwise the picture decides by the network's input shape."""
    if options.image_shape is not None:
        if int(np.prod(options.image_shape)) != anchors.points[0].size:
            raise InputError(f"--image-shape {options.image_shape} does not fit points of {anchors.points[0].size} values")
        return list(anchors.points.reshape(len(anchors), *options.image_shape))
    shape = anchors.points.shape[1:]
    pictured = len(shape) == 2 or (len(shape) == 3 and (shape[0] in (1, 3) or shape[2] in (1, 3)))
    return list(anchors.points) if pictured and min(sorted(shape)[-2:]) >= 4 else None


def _captions(rows: Sequence[int], anchors: Data, names: Sequence[str] | None) -> list[str]:
    if anchors.labels is None:
        return [f"#{row}" for row in rows]
    classes = [int(label) for label in anchors.labels]
    return [names[c] if names is not None and 0 <= c < len(names) else f"class {c}" for c in classes]


def _nearest_inside(plane: Plane, window: Window, points: np.ndarray, count: int) -> np.ndarray:
    """Indices of the ``count`` points nearest to the plane among those that project into the window."""
    from splineviz.render.overlay import in_window

    uv, off = plane.project(points)
    rows: np.ndarray = np.flatnonzero(in_window(uv, window))
    return rows[np.argsort(off[rows], kind="stable")][:count]
