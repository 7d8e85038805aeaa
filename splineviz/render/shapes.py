"""Cells and edges as matplotlib collections, built from arrays without a Python object per cell or edge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from splineviz.geometry.csr import Csr

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection, PolyCollection

__all__ = ["Fill", "compound_polygons", "fill_polygons", "polygon_collections", "segment_collection"]

Fill = Literal["plain", "raster", "vector"]
"""Way to fill cells: for pixels; as an image inside a vector file; as vector shapes that overlap by a
hair."""

_SEGMENTS_PER_PATH = 2000
_POLYGONS_PER_PATH = 2000  # of larger ones the renderer runs out of cells for the pixels of their sides


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


def compound_polygons(
    vertices: np.ndarray,
    polygons: Csr,
    rows: np.ndarray,
    groups: np.ndarray,
    rgb: np.ndarray,
    *,
    overlap: float,
) -> PathCollection:
    """Filled polygons in few colours, ``rgb`` of the group of each, as compound paths: a fraction of the time
    that polygons take one by one.

    Neither fills nor strokes are antialiased.
    """
    from matplotlib.collections import PathCollection
    from matplotlib.path import Path

    order = np.argsort(groups, kind="stable")
    sides, groups, number = polygons.take(rows[order]), groups[order], np.arange(len(rows))
    first, closing = sides.offsets[:-1] + number, sides.offsets[1:] + number
    points = np.empty((len(sides.values) + len(rows), 2))
    points[np.arange(len(sides.values)) + sides.row_of] = vertices[sides.values]
    points[closing] = points[first]
    codes = np.full(len(points), Path.LINETO, dtype=Path.code_type)
    codes[first], codes[closing] = Path.MOVETO, Path.CLOSEPOLY
    starts = np.flatnonzero((number % _POLYGONS_PER_PATH == 0) | (np.diff(groups, prepend=-1) != 0))
    ends = np.append(first[starts], len(points))[1:]
    return PathCollection(
        [Path(points[a:b], codes[a:b]) for a, b in zip(first[starts], ends, strict=True)],
        facecolors=rgb[groups[starts]],
        edgecolors=rgb[groups[starts]],
        linewidths=overlap,
        antialiaseds=False,
        joinstyle="round",
    )


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
