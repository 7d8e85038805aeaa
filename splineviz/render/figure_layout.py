"""The size of a figure of our own and the frame of the data: all lengths in inches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from splineviz.errors import InputError
from splineviz.render.style import FOOTER_LINE, PANEL_GAP, PANEL_WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from splineviz.plane import Plane

__all__ = [
    "beside_frame",
    "fit",
    "frame",
    "new_axes",
    "new_figure",
    "padded",
    "plain_axes",
    "points_per_unit",
    "ratio",
    "side_for",
    "under_frame",
    "with_ticks",
]

_MARGIN = 0.06
_HAIR = 0.002
_TICKS = 0.44
_TALLEST = 1.5  # times as tall as the room is wide

Bounds = tuple[float, float, float, float]


def new_axes(bounds: Bounds, width: float, legend: bool) -> Axes:
    """Axes of the right size on a figure of our own; :func:`fit` settles the figure once its content is
    known."""
    side = side_for(bounds, width, legend)
    return _axes(width, width, (_MARGIN, 0.1, side, side * ratio(bounds)))


def plain_axes(bounds: Bounds, inches: float) -> Axes:
    """Axes that fill a figure whose longer side is given."""
    width = inches / max(1.0, ratio(bounds))
    height = width * ratio(bounds)
    return _axes(width, height, (0.0, 0.0, width, height))


def _axes(width: float, height: float, box: tuple[float, float, float, float]) -> Axes:
    from splineviz.render.axes import PictureAxes

    left, bottom, wide, tall = box
    place = left / width, bottom / height, wide / width, tall / height
    return new_figure(width, height).add_axes(place, axes_class=PictureAxes)


def new_figure(width: float, height: float) -> Figure:
    """A figure of our own, in inches, that a notebook shows."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from splineviz.render.axes import PictureFigure

    figure = PictureFigure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def side_for(bounds: Bounds, width: float, legend: bool) -> float:
    """Width of the axes in inches: what the column at the right leaves, less for a window that is very
    tall."""
    column = PANEL_GAP + PANEL_WIDTH if legend else 0.0
    side = width - column - 2 * _MARGIN
    if side < 0.5:
        raise InputError(
            f"a figure {width:g} inches wide leaves no room for the data",
            hint="a larger width, or legend=False",
            command_hint="a larger --width, or --no-legend",
        )
    return side * min(1.0, _TALLEST / ratio(bounds))


def ratio(bounds: Bounds) -> float:
    """Height over width of axes for these bounds."""
    x0, x1, y0, y1 = padded(bounds)
    return (y1 - y0) / (x1 - x0)


def with_ticks(plane: Plane, asked: bool | None) -> bool:
    """Whether uv coordinates stand on the axes: as asked, or else where they are the inputs themselves."""
    return plane.dim == 2 if asked is None else asked


def beside_frame(ticks: bool, column: bool) -> tuple[float, float]:
    """Widths of what stands to the left and to the right of the frame: tick labels, and half of the last one
    where no column stands there."""
    return (_TICKS if ticks else 0.0), (0.14 if ticks and not column else 0.0)


def under_frame(ticks: bool, lines: int) -> float:
    """Height of what stands below the frame: tick labels or scale bar, and so many lines beyond the first."""
    return (0.36 if ticks else 0.2) + lines * FOOTER_LINE


def fit(
    ax: Axes,
    bounds: Bounds,
    width: float,
    panel: float,
    title: str | None,
    ticks: bool,
    lines: int,
    *,
    below: bool,
) -> None:
    """Give a figure of our own the size that its axes and its panel need, and no more.

    ``panel`` is the panel's height, ``lines`` the number of lines below the frame beyond the first.
    """
    column = panel > 0 and not below
    left, right = beside_frame(ticks, column)
    above = 0.22 if title else 0.0
    under = under_frame(ticks, lines)
    side = side_for(bounds, width - left - right, column)
    tall = side * ratio(bounds)
    height = above + 2 * _MARGIN + (tall + under + panel if below else max(tall + under, panel))
    width = left + side + right + 2 * _MARGIN + (PANEL_GAP + PANEL_WIDTH if column else 0.0)
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.set_size_inches(width, height)
    bottom = height - above - _MARGIN - tall
    ax.set_position(((left + _MARGIN) / width, bottom / height, side / width, tall / height))


def frame(ax: Axes, bounds: Bounds, ticks: bool) -> None:
    """Limits, aspect, and no box: the rim of the window is the frame, whatever its shape."""
    x0, x1, y0, y1 = padded(bounds)
    ax.set_xlim(x0, x1)
    ax.set_ylim(y0, y1)
    ax.set_autoscale_on(False)
    ax.set_aspect("equal")
    ax.patch.set_visible(False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    if ticks:
        ax.set_xlabel("$u$", labelpad=1)
        ax.set_ylabel("$v$", labelpad=1)
    else:
        ax.set_xticks([])
        ax.set_yticks([])


def padded(bounds: Bounds) -> Bounds:
    """A hair wider, so that the rim is not cut in half by the limits."""
    x0, x1, y0, y1 = bounds
    hair = _HAIR * max(x1 - x0, y1 - y0)
    return x0 - hair, x1 + hair, y0 - hair, y1 + hair


def points_per_unit(ax: Axes, bounds: Bounds) -> float:
    """Points of the printed page per unit of uv."""
    x0, x1, y0, y1 = bounds
    box = ax.get_window_extent()
    figure = ax.get_figure(root=True)
    assert figure is not None
    return min(box.width / (x1 - x0), box.height / (y1 - y0)) * 72 / figure.dpi
