"""Which polygon, or which group of polygons, lies under each pixel of a window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Int64

if TYPE_CHECKING:
    from matplotlib.collections import Collection

__all__ = ["OVERLAP", "number_colors", "raster"]

_DPI = 100
OVERLAP = 0.5
"""Points by which polygons should overlap, so that no pixel between two of them is missed"""


def number_colors(numbers: Int64[np.ndarray, "number"]) -> Float64[np.ndarray, "number 3"]:
    """The colours in which `raster` reads these numbers, each from 0 to 2^24 - 2.

    Examples
    --------
    >>> (255 * number_colors(np.array([0, 65535]))).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    rgb: np.ndarray = (numbers[:, None] + 1 >> np.array([16, 8, 0]) & 0xFF) / 255
    return rgb


def raster(
    shapes: Sequence[Collection], bounds: tuple[float, float, float, float], longest: int
) -> Int64[np.ndarray, "row column"]:
    """Number that is the colour of the shape at each pixel, the upper row first; -1 where there is none.

    Along a side a pixel has either of the two.
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
    for collection in shapes:
        ax.add_collection(collection, autolim=False)
    canvas.draw()  # type: ignore[no-untyped-call]
    parts = np.asarray(canvas.buffer_rgba())[..., :3].astype(np.int64)  # type: ignore[no-untyped-call]
    shown: np.ndarray = parts @ np.array([1 << 16, 1 << 8, 1]) - 1
    return shown
