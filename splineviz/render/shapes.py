"""Fills of cells and lines between them on Axes, without a Python object per edge."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from splineviz.arrangement.blocks import blocks
from splineviz.arrangement.raster import Polygons
from splineviz.geometry.csr import Csr

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Fill", "add_segments", "fill_polygons", "segments_of"]

Fill = Literal["raster", "vector"]
"""Way to fill cells: as an image, also inside a vector file; as vector shapes that overlap by a hair."""

_EDGES = 1 << 16
_OVERLAP = 0.3
"""Points by which vector shapes overlap, since viewers smooth each on its own"""


def fill_polygons(
    ax: Axes,
    vertices: np.ndarray,
    polygons: Csr,
    rows: np.ndarray,
    rgb: np.ndarray,
    fill: Fill,
    *,
    smooth: bool,
) -> None:
    """Fill some convex polygons; ``smooth`` is for fills whose sides no line covers."""
    if fill == "vector":
        _fill_shapes(ax, vertices, polygons, rows, rgb)
        return
    from splineviz.render.pixel_fills import PixelFills

    ax.add_artist(PixelFills(Polygons(vertices, polygons, rows), rgb, smooth=smooth))


def _fill_shapes(ax: Axes, vertices: np.ndarray, polygons: Csr, rows: np.ndarray, rgb: np.ndarray) -> None:
    """One collection per number of corners: a 3-D array each, which matplotlib takes in fast."""
    from matplotlib.collections import PolyCollection

    lengths = polygons.lengths[rows]
    for k in np.unique(lengths):
        pick = np.flatnonzero(lengths == k)
        corners = vertices[polygons.values[polygons.offsets[rows[pick], None] + np.arange(k)]]
        shapes = PolyCollection(
            corners,
            facecolors=rgb[pick],
            edgecolors=rgb[pick],
            linewidths=_OVERLAP,
            antialiaseds=False,
            zorder=1.0,
        )
        shapes.set_joinstyle("round")
        ax.add_collection(shapes, autolim=False)


def segments_of(
    vertices: np.ndarray, edges: np.ndarray, chosen: Callable[[slice], np.ndarray]
) -> Callable[[], Iterable[np.ndarray]]:
    """Makes segments (n, 2, 2) of the edges that a mask of each block of them chooses, block by block."""

    def made() -> Iterable[np.ndarray]:
        for part in blocks(len(edges), _EDGES):
            yield vertices[edges[part][chosen(part)]]

    return made


def add_segments(
    ax: Axes,
    made: Callable[[], Iterable[np.ndarray]],
    *,
    color: Any,
    width: float,
    zorder: float,
    alpha: float = 1.0,
) -> None:
    """Draw line segments with round ends, each once."""
    from splineviz.render.segments import Segments

    ax.add_artist(Segments(made, color=color, width=width, zorder=zorder, alpha=alpha))
