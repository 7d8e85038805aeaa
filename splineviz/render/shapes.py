"""Cells and edges as matplotlib collections, built from arrays without a Python object per cell or edge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from splineviz.geometry.csr import Csr

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection, PolyCollection

__all__ = ["Fill", "fill_polygons", "polygon_collections", "segment_collection"]

Fill = Literal["plain", "raster", "vector"]
"""Way to fill cells: for pixels; as an image inside a vector file; as vector shapes that overlap by a
hair."""

_SEGMENTS_PER_PATH = 2000


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
    """Fill some polygons.

    ``smooth`` is for fills whose sides no line covers: on top of the seamless fills the same ones once more,
    antialiased.
    """
    for antialiased in (False, True) if smooth and fill != "vector" else (False,):
        for collection in polygon_collections(
            vertices, polygons, rows, rgb, overlap=0.3 if fill == "vector" else 0.0
        ):
            collection.set_antialiased(antialiased)
            collection.set_zorder(1.1 if antialiased else 1.0)
            collection.set_rasterized(fill == "raster")
            ax.add_collection(collection, autolim=False)


def polygon_collections(
    vertices: np.ndarray, cells: Csr, rows: np.ndarray, rgb: np.ndarray, *, overlap: float = 0.0
) -> list[PolyCollection]:
    """Filled polygons, one collection per number of corners (a 3-D array each, which matplotlib takes in
    fast).

    Fills are not antialiased: neighbours then share each pixel column exactly and no seam shows. In vector
    formats, where the viewer smooths, ``overlap`` strokes each polygon in its own colour by that many points.
    """
    from matplotlib.collections import PolyCollection

    lengths = cells.lengths[rows]
    collections = []
    for k in np.unique(lengths):
        pick = np.flatnonzero(lengths == k)
        corners = vertices[cells.values[cells.offsets[rows[pick], None] + np.arange(k)]]
        collection = PolyCollection(
            corners,
            facecolors=rgb[pick],
            edgecolors=rgb[pick] if overlap else "none",
            linewidths=overlap,
            antialiaseds=False,
            zorder=1.0,
        )
        collection.set_joinstyle("round")
        collections.append(collection)
    return collections


def segment_collection(segments: np.ndarray, **style: Any) -> PathCollection:
    """Line segments (n, 2, 2), each once, in compound paths: transparent lines do not add up where they
    meet."""
    from matplotlib.collections import PathCollection
    from matplotlib.path import Path

    points = segments.reshape(-1, 2)
    codes = np.tile(np.array([Path.MOVETO, Path.LINETO], dtype=Path.code_type), len(segments))
    size = 2 * _SEGMENTS_PER_PATH
    paths = [Path(points[i : i + size], codes[i : i + size]) for i in range(0, len(points), size)]
    return PathCollection(paths, facecolors="none", **style)
