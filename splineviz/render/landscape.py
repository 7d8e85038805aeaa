"""Picture of the loss on a plane of weights: cells over colours and contours, and where the loss is least."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.render.cellcolor import CellColors, even_steps
from splineviz.render.edgelayer import draw_edges, line_width
from splineviz.render.figure_layout import fit, frame, new_axes, padded, points_per_unit
from splineviz.render.panel import Panel
from splineviz.render.save import write_figure
from splineviz.render.style import BOUNDARY, INK, styled
from splineviz.showing import in_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from splineviz.measures.landscape import Landscape

__all__ = ["draw_landscape", "save_landscape"]

_PIXELS = 480
_WIDTH = 5.0
_FAINT = 40_000
"""Cells above which lines would hide the colours, and are left out by default"""


def draw_landscape(
    landscape: Landscape,
    ax: Axes | None = None,
    *,
    edges: bool | None = None,
    contours: int = 12,
    cmap: str | None = None,
    width: float = _WIDTH,
    title: str | None = None,
) -> Axes:
    """Draw the loss on a plane of weights.

    The colours are the loss at the pixels, not at the corners of a mesh, and contours are lines of equal loss
    of the same values. The star is where the loss is least in the window, the cross the present weight.

    Parameters
    ----------
    landscape
        What :func:`splineviz.measures.landscape.loss_landscape` returns.
    ax
        Where to draw; by default on a figure of its own, ``width`` inches wide.
    edges
        Whether the cells are drawn; by default up to 40,000.
    contours
        Number of contours; 0 for none.
    cmap
        A colour map of matplotlib.
    title
        Above the picture.
    """
    from matplotlib.colors import ListedColormap, Normalize

    arr, own = landscape.arrangement, ax is None
    bounds = arr.windows[0].bounds
    with styled():
        ax = new_axes(bounds, width, legend=True) if ax is None else ax
        frame(ax, bounds, ticks=True)
        x, y, values = _pixels(landscape, bounds)
        known = values[np.isfinite(values)]
        scale = Normalize(float(known.min()), float(known.max()) or 1.0)
        steps = ListedColormap(even_steps(cmap, 256))
        where = (bounds[0], bounds[1], bounds[2], bounds[3])
        shown = steps(scale(np.where(np.isfinite(values), values, known.min())))
        shown[~np.isfinite(values), 3] = 0.0
        ax.imshow(shown, extent=where, origin="lower", interpolation="nearest", zorder=1.0)
        if contours and known.min() < known.max():
            levels = np.linspace(known.min(), known.max(), contours + 2)[1:-1]
            ax.contour(x, y, values, levels=levels, colors="white", linewidths=0.5, zorder=2.5)
        lines = arr.n_cells <= _FAINT if edges is None else edges
        size = line_width(arr.n_cells, arr.windows[0].area, points_per_unit(ax, bounds))
        draw_edges(ax, arr, 0, "plain" if lines else "none", 0.6 * size)
        ax.plot(
            *landscape.minimum, marker="*", color=BOUNDARY, markersize=9, zorder=5.0, markeredgecolor="white"
        )
        ax.plot(0.0, 0.0, marker="+", color=INK, markersize=7, zorder=5.0)
        ax.set_xlim(padded(bounds)[:2])
        ax.set_ylim(padded(bounds)[2:])
        ax.set_xlabel("$s$", labelpad=1)
        ax.set_ylabel("$t$", labelpad=1)
        if title:
            ax.set_title(in_picture(title), loc="left", pad=4, color=INK, parse_math=False)
        if own:
            panel = Panel(ax)
            colors = steps(np.linspace(0, 1, 2))[:, :3]
            panel.colorbar(CellColors(colors, landscape.loss, scale, steps, "neither"))
            fit(ax, bounds, width, panel.height, title, True, 0, below=False)
    return ax


def save_landscape(
    landscape: Landscape, path: str | os.PathLike[str], *, dpi: float = 200, **how: Any
) -> None:
    """Write the picture of :func:`draw_landscape` with the card of what it was made from."""
    figure = draw_landscape(landscape, **how).get_figure(root=True)
    assert figure is not None
    write_figure(figure, path, dict(landscape.provenance), dpi)


def _pixels(landscape: Landscape, bounds: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centres of pixels, and (rows, columns) the loss there; NaN outside of the window."""
    x0, x1, y0, y1 = bounds
    x, y = ((np.arange(_PIXELS) + 0.5) / _PIXELS * (b - a) + a for a, b in ((x0, x1), (y0, y1)))
    grid = np.stack(np.meshgrid(x, y), axis=-1)
    return x, y, landscape.at(grid)
