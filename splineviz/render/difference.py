"""Panel of a pair of networks: by how much the map changed, where decisions differ, or the edges of
either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from jaxtyping import Bool, Float64, Int64

from splineviz.choices import Difference
from splineviz.errors import InputError
from splineviz.render.cellcolor import CellColors, color_limits, quantity_colors
from splineviz.render.edgelayer import draw_edges, line_width
from splineviz.render.figure_layout import points_per_unit
from splineviz.render.overlay import draw_boundary, footer_depth
from splineviz.render.shapes import Fill, add_segments, fill_polygons, segments_of
from splineviz.render.style import BOUNDARY, FOOTER_LINE, INK, MUTED, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from splineviz.arrangement.result import Arrangement

__all__ = [
    "PairDrawing",
    "difference_colors",
    "difference_handles",
    "draw_difference",
    "draw_numbers",
    "how_to_show",
]

_FIRST = "#0072b2"
_SECOND = "#d55e00"
_SAME, _OTHER = (0.93, 0.93, 0.92), (0.94, 0.72, 0.28)
_CHANGE = "change of the gradient $\\Vert\\,A_2 - A_1\\,\\Vert_F$"


@dataclass(frozen=True, eq=False)
class PairDrawing:
    """Two networks on the pieces of one window, as their panel shows them."""

    first: int
    second: int
    """Places of the two among the networks that are drawn."""
    pieces: Arrangement
    """Cells of both networks together, cut by their decision boundaries as well."""
    n_cells: int
    """Number of cells before that cut."""
    drawn: tuple[Bool[np.ndarray, "edge"], Bool[np.ndarray, "edge"]]
    """Edges of the pieces that the first network draws, and those that the second does."""
    classes: Int64[np.ndarray, "piece 2"] | None
    """Class by either network; None, like the next two, where they have different numbers of outputs."""
    gradient_change: Float64[np.ndarray, "piece"] | None
    """Frobenius norm of the change of the in-slice gradient."""
    agreement: float | None
    """Share of the window's area with one class."""


def how_to_show(
    pairs: Sequence[PairDrawing], difference: Difference | None, level: float | None
) -> Difference:
    """Choose the quantity of the panels, and refuse one that is not possible for all pairs."""
    known = all(pair.classes is not None for pair in pairs)
    if difference is None:
        return "map" if known else "edges"
    if difference not in get_args(Difference):
        raise InputError(
            f"unknown difference {difference!r}, expected one of {', '.join(get_args(Difference))}"
        )
    if not known and difference != "edges":
        raise InputError(
            f"difference {difference!r} needs networks with one number of outputs", hint="difference 'edges'"
        )
    if difference == "decisions" and level:
        raise InputError(
            f"a single output decides by its sign, and a level of {level:g} changes no decision",
            hint="difference 'map' or 'edges', where the level is drawn as the boundary; or no level",
        )
    return difference


def difference_colors(pairs: Sequence[PairDrawing], how: Difference, cmap: str | None) -> list[CellColors]:
    """Colours of the pieces of each overlay; those of the change of the map on one scale."""
    if how == "edges":
        return [CellColors(np.ones((pair.pieces.n_cells, 3))) for pair in pairs]
    if how == "decisions":
        classes = [pair.classes for pair in pairs]
        return [
            CellColors(np.where((c[:, 0] == c[:, 1])[:, None], _SAME, _OTHER))
            for c in classes
            if c is not None
        ]
    values = [pair.gradient_change for pair in pairs if pair.gradient_change is not None]
    areas = np.concatenate([pair.pieces.areas for pair in pairs])
    limits = color_limits(np.concatenate(values), areas, log=False)
    return [quantity_colors(value, limits, _CHANGE, log=False, shared=True, cmap=cmap) for value in values]


def draw_difference(
    ax: Axes,
    pair: PairDrawing,
    arrs: tuple[Arrangement, Arrangement],
    how: Difference,
    colors: CellColors,
    fill: Fill,
    *,
    boundary: bool,
    level: float | None,
) -> None:
    """Draw one pair on framed axes, with both decision boundaries or level sets."""
    arr = pair.pieces
    window = arr.windows[0]
    if how != "edges":
        fill_polygons(ax, arr.vertices, arr.cells, np.arange(arr.n_cells), colors.rgb, fill, smooth=True)
    draw_edges(ax, arr, 0, "none", 0.0)
    if how == "edges":
        width = line_width(arr.n_cells, window.area, points_per_unit(ax, window.bounds))
        one, other = pair.drawn
        for drawn, color, zorder in (
            (one & ~other, _FIRST, 2.0),
            (other & ~one, _SECOND, 2.1),
            (one & other, INK, 2.2),
        ):
            made = segments_of(arr.vertices, arr.edges, drawn.__getitem__)
            add_segments(ax, made, color=color, width=width, zorder=zorder)
    elif boundary and pair.classes is not None:
        for part, color in zip(arrs, (_FIRST, BOUNDARY), strict=True):
            draw_boundary(ax, part.decision_boundary(level=level), 0.8, "", color)


def difference_handles(how: Difference, boundaries: bool) -> tuple[list[Any], list[str]]:
    """Handles and labels of the legend."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    if how == "edges":
        inks = ((_FIRST, "edges of the first"), (_SECOND, "edges of the second"), (INK, "edges of both"))
        return [Line2D([], [], color=color, linewidth=1.1) for color, _ in inks], [text for _, text in inks]
    handles: list[Any] = []
    texts: list[str] = []
    if how == "decisions":
        handles = [Patch(facecolor=color, edgecolor="0.4", linewidth=0.4) for color in (_SAME, _OTHER)]
        texts = ["same class", "different classes"]
    if boundaries:
        handles += [Line2D([], [], color=color, linewidth=1.3) for color in (_FIRST, BOUNDARY)]
        texts += ["boundary of the first", "boundary of the second"]
    return handles, texts


def draw_numbers(ax: Axes, pair: PairDrawing, *, scalar: bool, low: bool) -> None:
    """Two lines of numbers below the frame; ``low`` leaves room for tick labels."""
    from matplotlib.transforms import ScaledTranslation

    figure = ax.get_figure(root=True)
    assert figure is not None
    lines = [f"overlay: {pair.n_cells:,} cells"]
    if pair.agreement is not None:
        same = "same sign" if scalar else "same class"
        lines.append(f"{same} on {100 * pair.agreement:.1f} % of the area")
    for k, text in enumerate(lines):
        depth = footer_depth(low) + k * FOOTER_LINE
        place = ax.transAxes + ScaledTranslation(0, -depth, figure.dpi_scale_trans)
        style: dict[str, Any] = {"size": SMALL, "va": "center_baseline", "clip_on": False, "color": MUTED}
        ax.text(0, 0, text, transform=place, ha="left", **style)
