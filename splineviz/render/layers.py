"""The layers of one window of an arrangement, from the fills to the data points, and what a legend has to
explain of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.choices import CellColor, EdgeStyle
from splineviz.errors import InputError
from splineviz.inputs import real_number
from splineviz.render.cellcolor import CellColors, Limits, cell_colors, check_cmap
from splineviz.render.class_labels import label_regions
from splineviz.render.classes import boundary_segments, class_pieces, scalar_output, side_names
from splineviz.render.doubtful_cells import draw_in_doubt
from splineviz.render.edgelayer import draw_edges, line_width
from splineviz.render.figure_layout import points_per_unit
from splineviz.render.overlay import Legend, draw_boundary, draw_invalid, draw_points
from splineviz.render.shapes import Fill, fill_polygons
from splineviz.render.values import draw_values

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from splineviz.arrangement.result import Arrangement

__all__ = ["PictureKey", "check_level", "draw_layers", "joined"]


@dataclass(frozen=True, eq=False)
class PictureKey:
    """Meaning of the colours, lines and marks of one window."""

    colors: CellColors
    class_areas: Float64[np.ndarray, "class"]
    """Area of each predicted class, where fills show classes"""
    data_classes: Int64[np.ndarray, "seen"]
    """Classes of the data points that are drawn, ascending"""
    edges: Legend
    marks: Legend
    """The decision boundary, the valid range, cells in doubt, data points"""


def draw_layers(
    ax: Axes,
    arr: Arrangement,
    window: int = 0,
    *,
    color: CellColor,
    limits: Limits | None,
    cmap: str | None,
    edges: EdgeStyle,
    boundary: bool,
    level: float | None,
    anchors: bool,
    class_names: Sequence[str] | None,
    valid_range: tuple[Any, Any] | None,
    points: Any,
    point_classes: Sequence[int] | None,
    fill: Fill,
) -> PictureKey:
    """Draw all that lies inside the frame but the anchors; options as for :func:`splineviz.draw`.

    ``anchors`` tells whether names of classes have to keep clear of them.
    """
    check_level(level, scalar=scalar_output(arr))
    check_cmap(color, cmap)
    plane, shown = arr.planes[window], arr.windows[window]
    cells = np.flatnonzero(arr.cell_window == window)
    widest = line_width(len(cells), shown.area, points_per_unit(ax, shown.bounds))
    areas, data_classes = np.zeros(0), np.zeros(0, dtype=np.int64)
    if color == "value":
        colors = draw_values(ax, arr, window, limits, cmap)
    else:
        colors = cell_colors(arr, cells, color, limits, cmap)
        vertices, polygons, rows, rgb = arr.vertices, arr.cells, cells, colors.rgb
        if color == "class":
            regions, names = arr.decision_regions(level=level), side_names(arr, class_names, level)
            vertices, polygons = regions.vertices, regions.pieces
            rows = np.flatnonzero(arr.cell_window[regions.cells] == window)
            rgb, areas = class_pieces(regions, rows)
            label_regions(ax, regions, rows, shown.bounds, plane.anchors if anchors else None, names)
        fill_polygons(ax, vertices, polygons, rows, rgb, fill, smooth=edges in ("none", "kink"))
    lines, marks = draw_edges(ax, arr, window, edges, widest), list[Legend]()
    if boundary:
        name = f"output = {level or 0:g}" if scalar_output(arr) else "decision boundary"
        segments = boundary_segments(arr, window, level)
        marks.append(draw_boundary(ax, segments, max(0.9, min(1.3, 2.2 * widest)), name))
    if valid_range is not None:
        marks.append(draw_invalid(ax, plane, shown, *valid_range))
    marks.append(draw_in_doubt(ax, arr, window))
    if points is not None:
        key, data_classes = draw_points(ax, plane, shown, points, point_classes)
        marks.append(key)
    return PictureKey(colors, areas, data_classes, lines, joined(marks))


def joined(legends: Iterable[Legend]) -> Legend:
    """One legend of several, in which each label stands once.

    Examples
    --------
    >>> joined([(["line"], ["boundary"]), (["line", "dot"], ["boundary", "data"])])
    (['line', 'dot'], ['boundary', 'data'])
    """
    found: dict[str, Any] = {}
    for handles, labels in legends:
        for handle, label in zip(handles, labels, strict=True):
            found.setdefault(label, handle)
    return list(found.values()), list(found)


def check_level(level: float | None, *, scalar: bool) -> None:
    """Refuse a level where the network has several outputs."""
    if level is not None:
        real_number(level, "level")
    if level is not None and not scalar:
        raise InputError(
            "a level is one of a network with a single output",
            hint="leave it out for the decision boundary, or give a module that returns one of its outputs",
            command_hint="leave --level out for the decision boundary, or slice with --output-index I",
        )
