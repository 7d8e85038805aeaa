"""Names of classes inside their regions, so that nobody has to tell colours apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from splineviz.arrangement.raster import Polygons, raster
from splineviz.render.classes import class_name
from splineviz.render.figure_layout import points_per_unit
from splineviz.render.style import FONT, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from splineviz.arrangement.decisions.boundary import DecisionRegions

__all__ = ["label_regions"]

_PIXELS = 400
_ANCHOR = 7.0
"""Points round an anchor that its disc takes"""
_LETTER = 0.7
"""Width of a letter, over the size of the type"""


def label_regions(
    ax: Axes,
    regions: DecisionRegions,
    pieces: np.ndarray,
    bounds: tuple[float, float, float, float],
    anchors: Float64[np.ndarray, "anchor 2"] | None,
    names: Sequence[str] | None,
) -> None:
    """Write the name of its class into each decision region, where it is widest and no anchor stands, unless
    the region is too small for it."""
    from matplotlib.patheffects import withStroke

    of_piece = regions.regions[pieces]
    unit = points_per_unit(ax, bounds)
    x0, x1, y0, y1 = bounds
    pixel = max(x1 - x0, y1 - y0) / _PIXELS
    width, height = (max(1, round(length / pixel)) for length in (x1 - x0, y1 - y0))
    shown = raster(Polygons(regions.vertices, regions.pieces, pieces), of_piece, bounds, (height, width))
    u, v = x0 + (np.arange(shown.shape[1]) + 0.5) * pixel, y1 - (np.arange(shown.shape[0]) + 0.5) * pixel
    taken = np.zeros(shown.shape, dtype=bool)
    for anchor in () if anchors is None else anchors:
        taken |= np.hypot(u - anchor[0], v[:, None] - anchor[1]) * unit < _ANCHOR
    for region in np.unique(of_piece).tolist():
        text = class_name(int(regions.classes[pieces[of_piece == region][0]]), names)
        row, column, radius = _widest((shown == region) & ~taken)
        if radius * pixel * unit < 0.5 * math.hypot(_LETTER * FONT * len(text), FONT):
            continue
        ax.text(
            u[column],
            v[row],
            text,
            size=FONT,
            weight="bold",
            color=INK,
            ha="center",
            va="center",
            zorder=5.5,
            parse_math=False,
            path_effects=[withStroke(linewidth=2.2, foreground="white", alpha=0.8)],
        )


def _widest(mask: np.ndarray) -> tuple[int, int, float]:
    """Row and column of the middle of the largest disc inside a mask, and its radius in pixels."""
    from scipy.ndimage import distance_transform_edt

    depth = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(depth.argmax(), depth.shape)
    return int(row), int(column), float(depth[row, column])
