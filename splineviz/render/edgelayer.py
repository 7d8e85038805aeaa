"""The edges: by stage, by size of the kink, plain, or only the outline of the window."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.choices import EDGES, EdgeStyle
from splineviz.errors import InputError
from splineviz.render.palette import stage_colors
from splineviz.render.shapes import segment_collection
from splineviz.render.style import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from splineviz.arrangement.result import Arrangement
    from splineviz.stage import Stage

__all__ = ["draw_edges", "line_width"]

_LEVELS = 8
_LEGEND_STAGES = 8
_LINE = 31
"""Characters that fit on a line of the legend"""


def line_width(n_cells: int, area: float, points_per_unit: float) -> float:
    """Width in points of the widest edges: thinner where cells are small, so that lines never hide the
    fills."""
    size = math.sqrt(area / max(n_cells, 1)) * points_per_unit
    return min(max(0.05 * size, 0.12), 0.7)


def draw_edges(
    ax: Axes, arr: Arrangement, window: int, how: EdgeStyle, width: float
) -> tuple[list[Any], list[str]]:
    """Draw each edge of the window once; returns legend handles and labels.

    Raises
    ------
    InputError
        If ``how`` is unknown.
    """
    from matplotlib.patches import Polygon

    if how not in EDGES:
        raise InputError(f"unknown edges {how!r}, expected one of {', '.join(EDGES)}")
    here = arr.cell_window[arr.edge_cells.max(1)] == window
    inner = here & (arr.edge_cells.min(1) >= 0)
    drawn = here & (arr.edge_units.lengths > 0)  # also where an incomplete arrangement ends
    legend: tuple[list[Any], list[str]] = ([], [])
    if how == "plain":
        _add(ax, arr, np.flatnonzero(drawn), color=INK, linewidth=width, zorder=2.0)
    elif how == "stage":
        legend = _by_stage(ax, arr, drawn, width)
    elif how == "kink":
        legend = _by_kink(ax, arr, np.flatnonzero(inner), width)
    # One outline, not the rim's own edges: those end at every cell, and pixel by pixel the joints would show.
    ax.add_patch(
        Polygon(
            arr.windows[window].vertices, closed=True, fill=False, edgecolor=INK, linewidth=0.8, zorder=3.5
        )
    )
    return legend


def _add(
    ax: Axes,
    arr: Arrangement,
    edges: np.ndarray,
    *,
    color: Any,
    linewidth: float,
    zorder: float,
    alpha: float = 1.0,
) -> None:
    if len(edges) == 0:
        return
    lines = segment_collection(
        arr.vertices[arr.edges[edges]],
        edgecolors=[color],
        linewidths=linewidth,
        alpha=alpha,
        zorder=zorder,
        capstyle="round",
    )
    ax.add_collection(lines, autolim=False)


def _by_stage(ax: Axes, arr: Arrangement, inner: np.ndarray, width: float) -> tuple[list[Any], list[str]]:
    """Earlier stages darker, wider and on top: their lines run through, later ones bend at them."""
    from matplotlib.lines import Line2D

    names = arr.info.stages if arr.info is not None else ()
    n = max(len(names), int(arr.edge_stage.max(initial=-1)) + 1)
    if n == 0:
        return [], []
    colors = stage_colors(n)
    widths = width * np.linspace(1.0, 0.55, n)
    present: list[int] = []
    for stage in range(n - 1, -1, -1):
        edges = np.flatnonzero(inner & (arr.edge_stage == stage))
        if len(edges):
            present.insert(0, stage)
        _add(
            ax,
            arr,
            edges,
            color=colors[stage],
            linewidth=float(widths[stage]),
            zorder=2.0 + 0.5 * (n - stage) / (n + 1),
        )
    if len(present) > _LEGEND_STAGES:
        present = [present[i] for i in np.linspace(0, len(present) - 1, _LEGEND_STAGES).round().astype(int)]
    shown = np.linspace(1.5, 0.7, n)
    handles = [Line2D([], [], color=colors[s], linewidth=float(shown[s])) for s in present]
    labels = [_stage_label(names[s]) if s < len(names) else f"stage {s}" for s in present]
    return handles, labels


def _stage_label(stage: Stage) -> str:
    """``stage 0: net.1, 200 units``; a bare number, as in a flat Sequential, gets its operation before it.

    What is too long loses its number of units, then the head of its name.
    """
    name = f"{stage.kind} {stage.name}" if stage.name.isdigit() else stage.name
    label, units = (
        f"stage {stage.index}: {name}",
        f", {stage.n_units:,} unit{'s' if stage.n_units != 1 else ''}",
    )
    if len(label) + len(units) <= _LINE:
        return label + units
    cut = len(label) - _LINE
    return label if cut <= 0 else f"stage {stage.index}: …{name[cut + 1 :]}"


def _by_kink(ax: Axes, arr: Arrangement, edges: np.ndarray, width: float) -> tuple[list[Any], list[str]]:
    """Width and opacity by the jump of the affine map, on a square-root scale in a few levels."""
    from matplotlib.lines import Line2D

    jump = arr.edge_jump[edges]
    top = float(np.quantile(jump, 0.99)) if len(jump) else 0.0
    if top <= 0:
        _add(ax, arr, edges, color=INK, linewidth=0.25 * width, zorder=2.0, alpha=0.25)
        return [], []
    level = np.minimum(np.sqrt(jump / top) * _LEVELS, _LEVELS - 1).astype(int)
    for k in range(_LEVELS):
        share = (k + 0.5) / _LEVELS
        chosen = edges[level == k]
        _add(
            ax,
            arr,
            chosen,
            color=INK,
            linewidth=width * (0.2 + 1.6 * share),
            zorder=2.0 + 0.05 * k,
            alpha=0.12 + 0.88 * share,
        )
    shares = (1.0, 0.5, 0.15)
    handles = [Line2D([], [], color=INK, linewidth=0.3 + 1.5 * s, alpha=0.12 + 0.88 * s) for s in shares]
    return handles, [f"kink {top * s**2:.2g}" for s in shares]
