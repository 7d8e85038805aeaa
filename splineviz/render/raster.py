"""Which polygon lies under each pixel of a window."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from splineviz.geometry.csr import Csr
from splineviz.render.shapes import polygon_collections

__all__ = ["raster"]

_DPI = 100
_OVERLAP = 0.5
"""Points by which polygons overlap, so that no pixel between two of them is missed"""


def raster(
    vertices: np.ndarray,
    polygons: Csr,
    rows: np.ndarray,
    numbers: np.ndarray,
    bounds: tuple[float, float, float, float],
    longest: int,
) -> Int64[np.ndarray, "row column"]:
    """Number of the polygon at each pixel, the upper row first; -1 where there is none.

    Each polygon is drawn in a colour that is its number, which may be that of others, too. Along a side a
    pixel has either of the two.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    x0, x1, y0, y1 = bounds
    pixel = max(x1 - x0, y1 - y0) / longest
    width, height = (max(1, round(length / pixel)) for length in (x1 - x0, y1 - y0))
    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor="black")
    canvas = FigureCanvasAgg(figure)
    ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.set_axis_off()
    ax.set_xlim(x0, x1)
    ax.set_ylim(y0, y1)
    rgb = (numbers[:, None] + 1 >> np.array([16, 8, 0]) & 0xFF) / 255
    for collection in polygon_collections(vertices, polygons, rows, rgb, overlap=_OVERLAP):
        ax.add_collection(collection, autolim=False)
    canvas.draw()  # type: ignore[no-untyped-call]
    parts = np.asarray(canvas.buffer_rgba())[..., :3].astype(np.int64)  # type: ignore[no-untyped-call]
    shown: np.ndarray = parts @ np.array([1 << 16, 1 << 8, 1]) - 1
    return shown
