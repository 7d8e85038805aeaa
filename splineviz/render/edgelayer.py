"""The edges: by stage, by size of the kink, plain, or only the outline of the window."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Int16

from splineviz.arrangement.blocks import blocks
from splineviz.choices import EDGES, EdgeStyle
from splineviz.errors import InputError
from splineviz.render.palette import stage_colors
from splineviz.render.shapes import add_segments, segments_of
from splineviz.render.style import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from splineviz.arrangement.result import Arrangement
    from splineviz.stage import Stage

__all__ = ["draw_edges", "line_width"]

_LEVELS = 8
_LEGEND_STAGES = 8
_EDGES = 1 << 16
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
    legend: tuple[list[Any], list[str]] = ([], [])
    if how == "plain":
        _add(ax, arr, np.minimum(_stages(arr, window), 0), 0, color=INK, width=width, zorder=2.0)
    elif how == "stage":
        legend = _by_stage(ax, arr, _stages(arr, window), width)
    elif how == "kink":
        legend = _by_kink(ax, arr, _inner(arr, window), width)
    # One outline, not the rim's own edges: those end at every cell, and pixel by pixel the joints would show.
    ax.add_patch(
        Polygon(
            arr.windows[window].vertices, closed=True, fill=False, edgecolor=INK, linewidth=0.8, zorder=3.5
        )
    )
    return legend


def _add(ax: Axes, arr: Arrangement, layers: np.ndarray, layer: int, **look: Any) -> None:
    """Draw the edges of one layer; ``layers`` holds that of each edge, -1 for none."""
    add_segments(ax, segments_of(arr.vertices, arr.edges, lambda part: layers[part] == layer), **look)


def _stages(arr: Arrangement, window: int) -> Int16[np.ndarray, "edge"]:
    """(E,) the stage of each edge of a window; -1 for those on its rim, and of other windows."""
    stages = np.empty(arr.n_edges, dtype=np.int16)
    for part in blocks(arr.n_edges, _EDGES):
        here = arr.cell_window[arr.edge_cells[part].max(1)] == window
        stages[part] = np.where(here, arr.stages_of_edges(part), -1)
    return stages


def _inner(arr: Arrangement, window: int) -> Bool[np.ndarray, "edge"]:
    """(E,) whether each edge lies between two cells of a window."""
    inner = np.empty(arr.n_edges, dtype=bool)
    for part in blocks(arr.n_edges, _EDGES):
        cells = arr.edge_cells[part]
        inner[part] = (cells.min(1) >= 0) & (arr.cell_window[cells[:, 0]] == window)
    return inner


def _by_stage(ax: Axes, arr: Arrangement, stages: np.ndarray, width: float) -> tuple[list[Any], list[str]]:
    """Earlier stages darker, wider and on top: their lines run through, later ones bend at them."""
    from matplotlib.lines import Line2D

    names = arr.info.stages if arr.info is not None else ()
    n = max(len(names), int(stages.max(initial=-1)) + 1)
    if n == 0:
        return [], []
    colors = stage_colors(n)
    widths = width * np.linspace(1.0, 0.55, n)
    present = np.flatnonzero(np.bincount(stages[stages >= 0], minlength=n)).tolist()
    for stage in reversed(present):
        _add(
            ax,
            arr,
            stages,
            stage,
            color=colors[stage],
            width=float(widths[stage]),
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


def _by_kink(ax: Axes, arr: Arrangement, inner: np.ndarray, width: float) -> tuple[list[Any], list[str]]:
    """Width and opacity by the jump of the affine map, on a square-root scale in a few levels."""
    from matplotlib.lines import Line2D

    top = float(np.quantile(arr.edge_jump[inner], 0.99, overwrite_input=True)) if inner.any() else 0.0
    if top <= 0:
        _add(ax, arr, inner, True, color=INK, width=0.25 * width, zorder=2.0, alpha=0.25)
        return [], []
    level = np.full(arr.n_edges, -1, dtype=np.int8)
    for part in blocks(arr.n_edges, _EDGES):
        share = np.minimum(np.sqrt(arr.edge_jump[part] / top) * _LEVELS, _LEVELS - 1)
        level[part] = np.where(inner[part], share, -1)
    for k in np.unique(level[inner]).tolist():
        share = (k + 0.5) / _LEVELS
        _add(
            ax,
            arr,
            level,
            k,
            color=INK,
            width=width * (0.2 + 1.6 * share),
            zorder=2.0 + 0.05 * k,
            alpha=0.12 + 0.88 * share,
        )
    shares = (1.0, 0.5, 0.15)
    handles = [Line2D([], [], color=INK, linewidth=0.3 + 1.5 * s, alpha=0.12 + 0.88 * s) for s in shares]
    return handles, [f"kink {top * s**2:.2g}" for s in shares]
