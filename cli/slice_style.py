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

__all__ = ["captions", "class_names", "drawing_options", "thumbnails"]


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
    names = class_names(options.class_names, options.model)
    style: dict[str, Any] = {"color": options.color, "edges": options.edges, "title": options.title, "class_names": names}
    if options.output_index is not None and names is not None:
        style["class_names"] = [names[i] for i in options.output_index if i < len(names)]
    if anchors is not None:
        style["images"] = thumbnails(options.image_shape, anchors)
        style["labels"] = captions(options.rows(), anchors, names)
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


def class_names(given: str | None, model: str) -> list[str] | None:
    """What the user calls the classes; those of the demo are known."""
    if given is not None:
        return [name.strip() for name in given.split(",")]
    if model == "demo":
        from splineviz import demo

        return list(demo.CLASS_NAMES)
    return None


def thumbnails(image_shape: tuple[int, ...] | None, anchors: Data) -> Sequence[np.ndarray] | None:
    """The data as they lie in the file where they are images; otherwise the picture decides by the network's input shape."""
    if image_shape is not None:
        if int(np.prod(image_shape)) != anchors.points[0].size:
            raise InputError(f"--image-shape {image_shape} does not fit points of {anchors.points[0].size} values")
        return list(anchors.points.reshape(len(anchors), *image_shape))
    shape = anchors.points.shape[1:]
    pictured = len(shape) == 2 or (len(shape) == 3 and (shape[0] in (1, 3) or shape[2] in (1, 3)))
    return list(anchors.points) if pictured and min(sorted(shape)[-2:]) >= 4 else None


def captions(rows: Sequence[int], anchors: Data, names: Sequence[str] | None) -> list[str]:
    """A line under each of the points: its class, or else its number."""
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
