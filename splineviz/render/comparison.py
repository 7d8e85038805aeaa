"""Networks side by side on one scale, and a panel for each pair that shows what differs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from splineviz.choices import SHARED_EDGES, CellColor, Difference, EdgeStyle
from splineviz.errors import InputError
from splineviz.render.anchors import draw_anchors
from splineviz.render.cellcolor import CellColors, cell_colors, shared_limits
from splineviz.render.classes import boundary_segments, class_legends, scalar_output, side_names
from splineviz.render.difference import (
    PairDrawing,
    difference_colors,
    difference_handles,
    draw_difference,
    how_to_show,
)
from splineviz.render.figure import draw
from splineviz.render.figure_layout import new_figure, padded
from splineviz.render.palette import stage_colors
from splineviz.render.panel import Panel
from splineviz.render.save import VECTOR_FILL_CELLS, suffix_of, write_figure
from splineviz.render.shapes import Fill
from splineviz.render.style import BOUNDARY, FOOTER_LINE, INK, PANEL_GAP, PANEL_WIDTH, styled
from splineviz.showing import in_line, in_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from splineviz.arrangement.result import Arrangement

__all__ = ["draw_comparison", "save_comparison"]

_MARGIN, _GAP, _HEAD, _FOOT = 0.06, 0.12, 0.2, 0.2
_NARROWEST = 1.2
_WARNING = 4  # lines under a panel that say what is not proven


def draw_comparison(
    arrs: Sequence[Arrangement],
    names: Sequence[str],
    pairs: Sequence[PairDrawing],
    *,
    color: CellColor = "norm",
    edges: Literal["stage", "plain", "none"] = "stage",
    difference: Difference | None = None,
    images: Sequence[Any] | bool | None = None,
    labels: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    title: str | None = None,
    width: float = 7.2,
    fill: Fill = "plain",
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
    color, edges, images, labels, class_names, fill
        As for :func:`splineviz.draw`; scales and colours are shared.
    difference
        What the panels of pairs show. ``map``: the Frobenius norm of the change of the in-slice gradient, on
        the pieces of the overlay; ``decisions``: where the classes differ; ``edges``: those of either network
        in a colour of its own. By default ``map``, or ``edges`` where networks have different numbers of
        outputs.
    title
        A line above everything.
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
    how = how_to_show(pairs, difference)
    with styled():
        figure, axes = _grid(arrs, len(pairs), width, title)
        limits = shared_limits(arrs, color)
        for k, (ax, arr) in enumerate(zip(axes, arrs, strict=False)):
            style: dict[str, Any] = {
                "color": color,
                "limits": limits,
                "edges": edges,
                "fill": fill,
                "legend": False,
                "ticks": False,
            }
            draw(arr, ax, **style, scale_bar=k == 0, title=in_line(f"{k + 1}  {names[k]}"))
        colors = difference_colors(pairs, how)
        for ax, pair, shown in zip(axes[len(arrs) :], pairs, colors, strict=True):
            ends = arrs[pair.first], arrs[pair.second]
            draw_difference(ax, pair, ends, how, shown, fill, f"{pair.first + 1} → {pair.second + 1}")
        panel = Panel(axes[min(len(axes), _columns(len(arrs))) - 1])
        for ax in axes[len(arrs) :]:
            draw_anchors(ax, panel if ax is axes[-1] else None, arrs[0].planes[0], images, labels)
        _legends(panel, arrs, color, limits, edges, class_names)
        _difference_legends(panel, how, colors, pairs[0].classes is not None)
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
    **options: Any,
) -> None:
    """Draw several networks into a PNG, SVG or PDF file that carries ``card``; options of
    :func:`draw_comparison`."""
    few = max(arr.n_cells for arr in arrs) <= VECTOR_FILL_CELLS
    fill: Fill = "plain" if suffix_of(path) == ".png" else "vector" if few else "raster"
    write_figure(draw_comparison(arrs, names, pairs, fill=fill, **options), path, card, dpi)


def _columns(n: int) -> int:
    return 3 if n == 2 else n


def _grid(
    arrs: Sequence[Arrangement], n_pairs: int, width: float, title: str | None
) -> tuple[Figure, list[Axes]]:
    """Axes of all panels, in rows; their places in inches from the upper left corner, since the height is
    settled later."""
    x0, x1, y0, y1 = padded(arrs[0].windows[0].bounds)
    columns = _columns(len(arrs))
    side = (width - PANEL_GAP - PANEL_WIDTH - 2 * _MARGIN - (columns - 1) * _GAP) / columns
    if side < _NARROWEST:
        least = width + columns * (_NARROWEST - side)
        raise InputError(
            f"{columns} panels do not fit into a width of {width:g} inches",
            hint=f"width={np.ceil(10 * least) / 10:g}",
        )
    tall = side * (y1 - y0) / (x1 - x0)
    warnings = _WARNING if any(arr.status.name != "COMPLETE" for arr in arrs) else 1
    row = _HEAD + tall + _FOOT + warnings * FOOTER_LINE
    rows = 1 if len(arrs) == 2 else 2
    height = _MARGIN + (0.25 if title else 0.0) + rows * row + _MARGIN
    figure, axes = new_figure(width, height), []
    for k in range(len(arrs) + n_pairs):
        left = _MARGIN + k % columns * (side + _GAP)
        top = _MARGIN + (0.25 if title else 0.0) + k // columns * row + _HEAD
        axes.append(figure.add_axes((left / width, 1 - (top + tall) / height, side / width, tall / height)))
    return figure, axes


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
    color: CellColor,
    limits: Any,
    edges: EdgeStyle,
    names: Sequence[str] | None,
) -> None:
    from matplotlib.lines import Line2D

    if limits is not None:
        all_colors = [cell_colors(arr, np.arange(arr.n_cells), color, limits) for arr in arrs]
        panel.colorbar(all_colors[0])
    if color == "class":
        regions = [arr.decision_regions() for arr in arrs]
        classes, areas = (
            np.concatenate(part) for part in zip(*((r.classes, r.areas) for r in regions), strict=True)
        )
        area = np.bincount(classes, weights=areas)
        seen = np.flatnonzero(area)
        class_legends(
            panel,
            seen[np.argsort(-area[seen], kind="stable")],
            np.zeros(0, int),
            side_names(arrs[0], names),
            scalar=scalar_output(arrs[0]),
        )
    drawn = max(int(arr.edge_stage.max(initial=-1)) for arr in arrs) + 1 if edges == "stage" else 0
    texts = ["edges of the first stage", "edges of the last stage"][:drawn]
    ends = zip(texts, stage_colors(2), (1.5, 0.7), strict=False)
    handles = [Line2D([], [], color=color, linewidth=width) for _, color, width in ends]
    if any(len(boundary_segments(arr, 0)) for arr in arrs):
        texts.append("output = 0" if all(map(scalar_output, arrs)) else "decision boundary")
        handles.append(Line2D([], [], color=BOUNDARY, linewidth=1.3))
    panel.legend(handles, texts)


def _difference_legends(
    panel: Panel, how: Difference, colors: Sequence[CellColors], boundaries: bool
) -> None:
    if how == "map":
        panel.colorbar(colors[0])
    panel.legend(*difference_handles(how, boundaries), title="in panels of pairs")
