"""Fill by the output itself: affine inside each cell, so it is taken pixel by pixel and not once a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from splineviz.arrangement.raster import Polygons, raster
from splineviz.errors import InputError
from splineviz.render.cellcolor import CellColors, Limits, color_limits, quantity_colors

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from splineviz.arrangement.result import Arrangement

__all__ = ["draw_values", "pixel_values"]

_PIXELS = 1200
"""Of the longer side"""
_BEYOND = 0.1
"""By how much an image may leave 0 to 1 and still be one"""


def draw_values(
    ax: Axes, arr: Arrangement, window: int, limits: Limits | None, cmap: str | None
) -> CellColors:
    """Shade a window by the output: one on a colour scale, three as red, green and blue.

    Returns the colours without one for each cell, and the scale that explains them.

    Raises
    ------
    InputError
        If the network has another number of outputs.
    """
    values = pixel_values(arr, window)
    inside = np.isfinite(values).all(2)
    seen = values[inside]
    colors = _scaled(seen[:, 0], limits, cmap) if seen.shape[1] == 1 else _as_rgb(seen, limits, cmap)
    image = np.zeros((*inside.shape, 4))
    image[inside] = np.column_stack([colors.rgb, np.ones(len(seen))])
    x0, x1, y0, y1 = arr.windows[window].bounds
    shown = ax.imshow(
        image, extent=(x0, x1, y0, y1), origin="upper", interpolation="bilinear", aspect="equal", zorder=1.0
    )
    shown.set_label("output")
    return colors


def _scaled(values: np.ndarray, limits: Limits | None, cmap: str | None) -> CellColors:
    own = limits or color_limits(values, np.ones(values.size), log=False, signed=True)
    return quantity_colors(values, own, "output", log=False, shared=limits is not None, cmap=cmap)


def _as_rgb(values: np.ndarray, limits: Limits | None, cmap: str | None) -> CellColors:
    """Colours as the network means them where its outputs are about 0 to 1, else between common limits."""
    if cmap is not None:
        raise InputError(
            "three outputs are shown as red, green and blue, so a colour map has no use",
            hint="leave cmap out",
            command_hint="leave --cmap out",
        )
    low, high = limits or color_limits(values.ravel(), np.ones(values.size), log=False, signed=True)
    if limits is None and low >= -_BEYOND and high <= 1 + _BEYOND:
        low, high = 0.0, 1.0
    scale = "" if (low, high) == (0.0, 1.0) else f",\n{low:.3g} to {high:.3g}"
    return CellColors(((values - low) / (high - low)).clip(0.0, 1.0), f"outputs as red, green, blue{scale}")


def pixel_values(arr: Arrangement, window: int) -> Float64[np.ndarray, "row column output"]:
    """Outputs in the middle of each pixel, the upper row first: A [u, v, 1] of its cell; NaN outside.

    Raises
    ------
    InputError
        If there are no affine maps, or neither one nor three outputs.
    """
    n = arr.affine.shape[1]
    if n not in (1, 3):
        raise InputError(
            f"color 'value' shows one output, or three as red, green and blue; this network has {n}",
            hint="a module that returns one of them, or color='class'",
            command_hint="choose one with --output-index I, or --color class",
        )
    x0, x1, y0, y1 = arr.windows[window].bounds
    here = np.flatnonzero(arr.cell_window == window)
    pixel = max(x1 - x0, y1 - y0) / _PIXELS
    columns, rows = (max(1, round(length / pixel)) for length in (x1 - x0, y1 - y0))
    cells = raster(Polygons(arr.vertices, arr.cells, here), here, (x0, x1, y0, y1), (rows, columns))
    u = x0 + (np.arange(columns) + 0.5) * (x1 - x0) / columns
    v = y1 - (np.arange(rows) + 0.5) * (y1 - y0) / rows
    values = np.full((rows, columns, n), np.nan)
    inside = cells >= 0
    uv1 = np.stack(np.broadcast_arrays(u, v[:, None], 1.0), -1)[inside]
    for output in range(n):
        values[inside, output] = (arr.affine[cells[inside], output] * uv1).sum(-1)
    return values
