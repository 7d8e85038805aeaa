"""Networks side by side on one scale, and a panel for each pair that shows what differs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from splineviz.choices import SHARED_EDGES, CellColor, Difference, EdgeStyle
from splineviz.errors import InputError
from splineviz.render.anchors import draw_anchors
from splineviz.render.cellcolor import CellColors, shared_limits
from splineviz.render.classes import class_legends, scalar_output, side_names
from splineviz.render.difference import (
    PairDrawing,
    difference_colors,
    difference_handles,
    draw_difference,
    draw_numbers,
    how_to_show,
)
from splineviz.render.figure_layout import beside_frame, frame, new_figure, ratio, under_frame, with_ticks
from splineviz.render.layers import PictureKey, draw_layers, joined
from splineviz.render.overlay import counted, draw_footer, draw_points, draw_scale_bar
from splineviz.render.palette import stage_colors
from splineviz.render.panel import Panel
from splineviz.render.save import VECTOR_FILL_CELLS, suffix_of, write_figure
from splineviz.render.shapes import Fill
from splineviz.render.style import INK, PANEL_GAP, PANEL_WIDTH, styled
from splineviz.showing import in_line, in_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from splineviz.arrangement.result import Arrangement
    from splineviz.plane import Plane

__all__ = ["draw_comparison", "save_comparison"]

_MARGIN, _GAP, _HEAD = 0.06, 0.12, 0.2
_NARROWEST = 1.2
_WARNING = 4  # lines under a panel that say what is not proven
_TITLE: dict[str, Any] = {"loc": "left", "pad": 4, "color": INK, "parse_math": False}


def draw_comparison(
    arrs: Sequence[Arrangement],
    names: Sequence[str],
    pairs: Sequence[PairDrawing],
    *,
    color: CellColor = "norm",
    cmap: str | None = None,
    edges: Literal["stage", "plain", "none"] = "stage",
    difference: Difference | None = None,
    boundary: bool = True,
    level: float | None = None,
    images: Sequence[Any] | bool | None = None,
    labels: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    valid_range: tuple[Any, Any] | None = None,
    points: Any = None,
    point_classes: Sequence[int] | None = None,
    title: str | None = None,
    legend: bool = True,
    ticks: bool | None = None,
    width: float = 7.2,
    fill: Fill = "raster",
) -> Figure:
    """Draw several networks on one scale, and pairs of them.

    Two networks and their difference stand in one row; pairs of more follow in a second one. In a panel of a
    pair the decision boundary of the one that comes first is blue,
    and that of the other red.

    Parameters
    ----------
    arrs, names
        Arrangements on one window, and the names of their networks.
    pairs
        Pairs of them, one or more.
    color, cmap, edges, boundary, level, images, labels, class_names, valid_range, points, point_classes
        As for :func:`splineviz.draw`; scales and colours are shared.
    difference
        What the panels of pairs show. ``map``: the Frobenius norm of the change of the in-slice gradient, on
        the pieces of the overlay; ``decisions``: where the classes differ; ``edges``: those of either network
        in a colour of its own. By default ``map``, or ``edges`` where networks have different numbers of
        outputs.
    title
        A line above everything.
    legend, ticks, fill
        As for :func:`splineviz.draw`; coordinates v stand at the first panel of a row.
    width
        Inches; panels narrower than 1.2 inches are refused.

    Raises
    ------
    InputError
        If an option is unknown or not possible for these networks, or there is no room.
    """
    for given, known, what in ((edges, SHARED_EDGES, "edges"), (fill, get_args(Fill), "fill")):
        if given not in known:
            raise InputError(f"unknown {what} {given!r}, expected one of {', '.join(known)}")
    how = how_to_show(pairs, difference, level)
    plane = arrs[0].planes[0]
    ticks = with_ticks(plane, ticks)
    with styled():
        figure, axes = _grid(arrs, len(pairs), width, title, legend=legend, ticks=ticks)
        limits = shared_limits(arrs, color)
        keys = []
        for k, (ax, arr) in enumerate(zip(axes, arrs, strict=False)):
            shape = arr.planes[0].input_shape
            keys.append(
                draw_layers(
                    ax,
                    arr,
                    color=color,
                    limits=limits,
                    cmap=cmap,
                    edges=edges,
                    boundary=boundary,
                    level=level,
                    anchors=True,
                    class_names=class_names,
                    valid_range=None if valid_range is None else _in_shape(valid_range, plane, shape),
                    points=points,
                    point_classes=point_classes,
                    fill=fill,
                )
            )
            draw_anchors(ax, None, plane, images, labels)
            draw_footer(ax, arr, counted(arr.n_cells, "cell"), low=ticks, beside=0.0)
            if k == 0 and not ticks:
                draw_scale_bar(ax, arr.windows[0])
            ax.set_title(in_line(f"{k + 1}  {names[k]}"), **_TITLE)
        panel = Panel(axes[min(len(axes), _columns(len(arrs))) - 1])
        colors = difference_colors(pairs, how, cmap)
        for ax, pair, shown in zip(axes[len(arrs) :], pairs, colors, strict=True):
            ends = arrs[pair.first], arrs[pair.second]
            draw_difference(ax, pair, ends, how, shown, fill, boundary=boundary, level=level)
            if points is not None:
                draw_points(ax, plane, arrs[0].windows[0], points, point_classes)
            draw_anchors(ax, panel if legend and ax is axes[-1] else None, plane, images, labels)
            draw_numbers(ax, pair, scalar=scalar_output(arrs[0]), low=ticks)
            ax.set_title(f"{pair.first + 1} → {pair.second + 1}", **_TITLE)
        if legend:
            _legends(
                panel, arrs, keys, edges, side_names(arrs[0], class_names, level), scaled=limits is not None
            )
            _difference_legends(panel, how, colors, boundary and pairs[0].classes is not None)
        if title:
            figure.suptitle(
                in_picture(title),
                x=_MARGIN / width,
                y=1 - _MARGIN / figure.get_figheight(),
                ha="left",
                va="top",
                color=INK,
                size=9,
                parse_math=False,
            )
        _settle(figure, axes, panel)
    return figure


def save_comparison(
    arrs: Sequence[Arrangement],
    names: Sequence[str],
    pairs: Sequence[PairDrawing],
    path: str | os.PathLike[str],
    card: Mapping[str, Any],
    *,
    dpi: float = 300,
    text: bool = False,
    **options: Any,
) -> None:
    """Draw several networks into a PNG, SVG or PDF file that carries ``card``; options of
    :func:`draw_comparison`, and of :func:`splineviz.render.save_figure`."""
    few = max(arr.n_cells for arr in arrs) <= VECTOR_FILL_CELLS
    fill: Fill = "vector" if few and suffix_of(path) != ".png" else "raster"
    write_figure(draw_comparison(arrs, names, pairs, fill=fill, **options), path, card, dpi, text=text)


def _columns(n: int) -> int:
    return 3 if n == 2 else n


def _grid(
    arrs: Sequence[Arrangement],
    n_pairs: int,
    width: float,
    title: str | None,
    *,
    legend: bool,
    ticks: bool,
) -> tuple[Figure, list[Axes]]:
    """Framed axes of all panels, in rows; their places in inches from the upper left corner, since the height
    is settled later."""
    bounds = arrs[0].windows[0].bounds
    columns, before = _columns(len(arrs)), 0.25 if title else 0.0
    left, right = beside_frame(ticks, legend)
    right += PANEL_GAP + PANEL_WIDTH if legend else 0.0
    side = (width - left - right - 2 * _MARGIN - (columns - 1) * _GAP) / columns
    if side < _NARROWEST:
        least = np.ceil(10 * (width + columns * (_NARROWEST - side))) / 10
        raise InputError(
            f"{columns} panels do not fit into a width of {width:g} inches",
            hint=f"width={least:g}",
            command_hint=f"--width {least:g}",
        )
    tall = side * ratio(bounds)
    warnings = _WARNING if any(arr.status.name != "COMPLETE" for arr in arrs) else 1
    row = _HEAD + tall + under_frame(ticks, warnings)
    rows = 1 if len(arrs) == 2 else 2
    height = _MARGIN + before + rows * row + _MARGIN
    figure, axes = new_figure(width, height), []
    for k in range(len(arrs) + n_pairs):
        x = _MARGIN + left + k % columns * (side + _GAP)
        y = _MARGIN + before + k // columns * row + _HEAD
        ax = figure.add_axes((x / width, 1 - (y + tall) / height, side / width, tall / height))
        frame(ax, bounds, ticks)
        ax.tick_params(labelleft=k % columns == 0)
        if k:  # the names of the axes once, where no numbers of a pair stand
            ax.set_xlabel("")
            ax.set_ylabel("")
        axes.append(ax)
    return figure, axes


def _in_shape(bounds: tuple[Any, Any], plane: Plane, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Bounds of the inputs, numbers or arrays that broadcast to the plane's own, for a network that takes
    them in another shape."""
    if all(np.ndim(bound) == 0 for bound in bounds):
        return bounds
    low, high = (np.broadcast_to(bound, plane.input_shape).reshape(shape) for bound in bounds)
    return low, high


def _settle(figure: Figure, axes: Sequence[Axes], panel: Panel) -> None:
    """Make the figure taller where the column at the right needs it."""
    width, height = figure.get_size_inches()
    top = (1 - axes[0].get_position().y1) * height
    needed = max(height, top + panel.height + _MARGIN)
    for ax in axes:
        box = ax.get_position()
        ax.set_position((box.x0, 1 - (1 - box.y0) * height / needed, box.width, box.height * height / needed))
    figure.set_size_inches(width, needed)


def _legends(
    panel: Panel,
    arrs: Sequence[Arrangement],
    keys: Sequence[PictureKey],
    edges: EdgeStyle,
    names: Sequence[str] | None,
    *,
    scaled: bool,
) -> None:
    from matplotlib.lines import Line2D

    if scaled:
        panel.colorbar(keys[0].colors)
    areas = np.zeros(max(len(key.class_areas) for key in keys))
    for key in keys:
        areas[: len(key.class_areas)] += key.class_areas
    class_legends(panel, areas, keys[0].data_classes, names, scalar=scalar_output(arrs[0]))
    drawn = max(int(arr.edge_stage.max(initial=-1)) + 1 for arr in arrs) if edges == "stage" else 0
    texts = ["edges of the first stage", "edges of the last stage"][:drawn]
    ends = zip(texts, stage_colors(2), (1.5, 0.7), strict=False)
    stages = [Line2D([], [], color=color, linewidth=width) for _, color, width in ends]
    panel.legend(*joined([(stages, texts), *(key.marks for key in keys)]))


def _difference_legends(
    panel: Panel, how: Difference, colors: Sequence[CellColors], boundaries: bool
) -> None:
    if how == "map":
        panel.colorbar(colors[0])
    panel.legend(*difference_handles(how, boundaries), title="in panels of pairs")
