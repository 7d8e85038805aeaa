"""Drawing an arrangement on Axes. Never touches pyplot: figures are made here and belong to the caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, get_args

from splineviz.choices import CellColor, EdgeStyle
from splineviz.errors import InputError
from splineviz.inputs import real_number, whole_number
from splineviz.render.anchors import anchor_images, draw_anchors
from splineviz.render.cellcolor import Limits
from splineviz.render.classes import class_legends, scalar_output, side_names
from splineviz.render.figure_layout import fit, frame, new_axes, ratio, under_frame, with_ticks
from splineviz.render.layers import draw_layers, joined
from splineviz.render.overlay import counted, draw_footer, draw_scale_bar
from splineviz.render.panel import Panel
from splineviz.render.shapes import Fill
from splineviz.render.style import COLUMN_GAP, INK, PANEL_GAP, PANEL_WIDTH, styled
from splineviz.showing import in_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from splineviz.arrangement.result import Arrangement

__all__ = ["draw"]

_WIDE = 0.45
"""Height over width of a window below which a column beside it would stand over empty paper"""
_NARROW = 2.0
"""Inches of width that a legend below the data needs"""
_ABOVE_PANEL = 0.08


def draw(
    arr: Arrangement,
    ax: Axes | None = None,
    *,
    color: CellColor = "random",
    limits: Limits | None = None,
    cmap: str | None = None,
    edges: EdgeStyle = "stage",
    boundary: bool = True,
    level: float | None = None,
    anchors: bool = True,
    images: Sequence[Any] | bool | None = None,
    labels: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    valid_range: tuple[Any, Any] | None = None,
    points: Any = None,
    point_classes: Sequence[int] | None = None,
    window: int = 0,
    title: str | None = None,
    note: str | None = None,
    legend: bool = True,
    scale_bar: bool = True,
    ticks: bool | None = None,
    width: float = 5.5,
    fill: Fill = "raster",
) -> Axes:
    """Draw one window of an arrangement.

    Thumbnails, legends and the colour bar never cover the data. They stand to the right of the Axes, in a
    column of 1.8 inches; below them where there are no thumbnails, or the window is wide. Without ``ax`` a
    figure of the right size is made; on given Axes leave room at the right.

    Parameters
    ----------
    arr
        The arrangement.
    ax
        Where to draw; a new figure if left out (save it with ``ax.figure.savefig``).
    color
        What the fills show. ``random``: a soft colour per activation pattern, the same in every picture;
        ``norm``: spectral norm of the affine map in the slice; ``jacobian``: of the full input Jacobian;
        ``class``: the predicted class, cells split where the decision boundary crosses them; ``area``;
        ``kink``: the largest jump of the affine map across a side of the cell; ``stage``: the stage that made
        the cell; ``volume``: sqrt(det A'A); ``value``: the output itself, which changes linearly inside each
        cell, three of them as red, green and blue; ``none``.
    limits
        Ends of the colour scale of a quantity, to draw several arrangements on one scale; by default from the
        cells.
    cmap
        Name of one of matplotlib's colour maps for the quantity; by default a light cividis.
    edges
        What the lines show: ``stage``, ``kink`` (jump of the affine map), ``plain``, ``none``.
    boundary
        Draw the decision boundary.
    level
        Value of a single output whose level set is drawn as the decision boundary; by default 0.
    anchors
        Mark the points that the plane was made from.
    images
        Pictures of the anchors, one each, (H, W), (H, W, 3) or (3, H, W). None: made from the plane if its
        input shape is that of an image; False: none.
    labels
        A caption per anchor.
    class_names
        Names of the classes, by class number.
    valid_range
        Shade where an input coordinate leaves these two bounds: numbers, or arrays that broadcast to the
        input shape.
    points
        Data, (n, \\*input_shape), drawn where they project to; smaller and fainter the farther off the plane.
    point_classes
        (n,) class numbers that colour the data.
    window
        Which window of the arrangement.
    title, legend, scale_bar, ticks
        A title above; the column at the right; a bar of input distance below; uv coordinates on the axes, by
        default for networks with two inputs, and in place of the bar.
    note
        A sentence below the picture, such as how its window was chosen.
    width
        Width of a new figure in inches, column included.
    fill
        ``raster``: as an image, also in a vector file; ``vector``: as shapes, for vector files of few cells.

    Returns
    -------
    Axes
        With equal aspect and uv coordinates. On a figure of its own a notebook shows them as the picture.

    Raises
    ------
    InputError
        If an option is unknown, or the number of images or labels is not that of the anchors.
    """
    _check(arr, window, fill)
    width = real_number(width, "width", above=0.0)
    plane, shown = arr.planes[window], arr.windows[window]
    ticks = with_ticks(plane, ticks)
    with styled():
        own = ax is None
        pictured = bool(anchors and len(plane.anchors) and anchor_images(plane, images))
        below = own and width >= _NARROW and (not pictured or ratio(shown.bounds) < _WIDE)
        ax = new_axes(shown.bounds, width, legend and not below) if ax is None else ax
        frame(ax, shown.bounds, ticks)
        beside = PANEL_GAP + PANEL_WIDTH if legend and not below else 0.0
        n_cells = int((arr.cell_window == window).sum())
        lines = draw_footer(ax, arr, counted(n_cells, "cell"), low=ticks, beside=beside, note=note)
        panel = _panel_below(ax, under_frame(ticks, lines)) if below else Panel(ax)
        key = draw_layers(
            ax,
            arr,
            window,
            color=color,
            limits=limits,
            cmap=cmap,
            edges=edges,
            boundary=boundary,
            level=level,
            anchors=anchors,
            class_names=class_names,
            valid_range=valid_range,
            points=points,
            point_classes=point_classes,
            fill=fill,
        )
        if anchors and len(plane.anchors):
            draw_anchors(ax, panel if legend else None, plane, images, labels)
        if legend:
            panel.scale(key.colors)
            names = side_names(arr, class_names, level)
            class_legends(panel, key.class_areas, key.data_classes, names, scalar=scalar_output(arr))
            panel.legend(*joined([key.edges, key.marks]))
        if scale_bar and not ticks:
            draw_scale_bar(ax, shown)
        if title:
            ax.set_title(in_picture(title), loc="left", pad=4, color=INK, parse_math=False)
        if own:
            fit(ax, shown.bounds, width, panel.height, title, ticks, lines, below=below)
    return ax


def _panel_below(ax: Axes, under: float) -> Panel:
    """A panel of as many columns as fit under the axes."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    side = ax.get_window_extent().width / figure.dpi
    columns = int((side + COLUMN_GAP) / (PANEL_WIDTH + COLUMN_GAP))
    return Panel(ax, below=under + _ABOVE_PANEL, columns=max(1, columns))


def _check(arr: Arrangement, window: int, fill: Fill) -> None:
    whole_number(window, "window", 0, len(arr.windows) - 1)
    if fill not in get_args(Fill):
        raise InputError(f"unknown fill {fill!r}, expected one of {', '.join(get_args(Fill))}")
