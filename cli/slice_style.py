"""Looks of the picture of a slice, from the options of the command and the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from splineviz.files import PAGE

from .data_looks import DataLooks
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
    """Options of :func:`splineviz.render.save_figure` and :func:`splineviz.page`."""
    names, shape = options.names_of_classes, options.location.image_shape
    paged = any(output.suffix == PAGE for output in options.outputs)
    looks = DataLooks(options.drawing, preprocessing, data, anchors, shape, names, paged)
    style = looks.options(place.plane, place.window, program.input_shape)
    if place.chosen:
        style["note"] = "; ".join(place.said)
    if options.output_index is not None:  # classes are numbers of outputs that are not all there
        style["point_classes"] = None
        if names is not None:
            style["class_names"] = [names[i] for i in options.output_index if i < len(names)]
    if options.stage is not None and options.stage < len(program.stages) - 1:
        style["boundary"] = False  # there is no output yet
    return style
