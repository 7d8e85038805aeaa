"""Drawing a decision boundary that was found without the cells: segments in the frame of the window."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from splineviz.render.anchors import anchor_images, draw_anchors
from splineviz.render.figure_layout import fit, frame, new_axes, with_ticks
from splineviz.render.overlay import counted, draw_boundary, draw_footer, draw_scale_bar
from splineviz.render.panel import Panel
from splineviz.render.style import BOUNDARY, INK, MUTED, PANEL_GAP, PANEL_WIDTH, styled
from splineviz.showing import in_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from splineviz.arrangement.decisions.boundary_result import DecisionBoundary

__all__ = ["boundary_html", "draw_boundary_alone"]


_DPI = 144
"""Of the picture in a notebook"""


def draw_boundary_alone(
    found: DecisionBoundary,
    ax: Axes | None = None,
    *,
    anchors: bool = True,
    images: Sequence[Any] | bool | None = None,
    labels: Sequence[str] | None = None,
    color: str = BOUNDARY,
    title: str | None = None,
    note: str | None = None,
    legend: bool = True,
    scale_bar: bool = True,
    ticks: bool | None = None,
    width: float = 5.5,
) -> Axes:
    """Draw the segments in the frame of their window; options as for :func:`splineviz.draw`, and ``color`` of
    the lines.

    Examples
    --------
    >>> import splineviz as sv, torch
    >>> found = sv.decision_boundary(torch.nn.Linear(2, 1), sv.Plane.identity(), sv.Window.box(-9, 9, -9, 9))
    >>> ax = found.draw(width=3)
    >>> ax.get_aspect()
    1.0
    """
    plane, bounds = found.plane, found.window.bounds
    ticks = with_ticks(plane, ticks)
    with styled():
        own = ax is None
        pictured = bool(anchors and len(plane.anchors) and anchor_images(plane, images))
        beside = legend and pictured
        ax = new_axes(bounds, width, beside) if ax is None else ax
        frame(ax, bounds, ticks)
        _rim(ax, found)
        lines = draw_footer(
            ax,
            found,
            counted(len(found), "segment"),
            low=ticks,
            beside=PANEL_GAP + PANEL_WIDTH if beside else 0.0,
            note=note,
        )
        draw_boundary(ax, found.segments, 1.1, "", color)
        panel = Panel(ax) if beside or not own else None
        if anchors and len(plane.anchors):
            draw_anchors(ax, panel if legend else None, plane, images, labels)
        if scale_bar and not ticks:
            draw_scale_bar(ax, found.window)
        if title:
            ax.set_title(in_picture(title), loc="left", pad=4, color=INK, parse_math=False)
        if own:
            fit(ax, bounds, width, 0.0 if panel is None else panel.height, title, ticks, lines, below=False)
    return ax


def _rim(ax: Axes, found: DecisionBoundary) -> None:
    from matplotlib.patches import Polygon

    rim = Polygon(found.window.vertices, closed=True, fill=False, edgecolor=MUTED, linewidth=0.6, zorder=5.0)
    ax.add_patch(rim)


def boundary_html(found: DecisionBoundary) -> str:
    """The picture with what is known of it, for a notebook."""
    buffer = io.BytesIO()
    with styled():
        figure = draw_boundary_alone(found).get_figure(root=True)
        assert figure is not None
        figure.savefig(buffer, dpi=_DPI, facecolor="white")
    picture = base64.b64encode(buffer.getvalue()).decode("ascii")
    image = f'<img alt="" style="max-width: 100%" src="data:image/png;base64,{picture}">'
    return f"{image}<pre>{escape(repr(found))}</pre>"
