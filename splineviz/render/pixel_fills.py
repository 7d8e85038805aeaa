"""Fills as pixels: an artist that finds the polygon of each pixel once the size of pixels is known."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float64, UInt8
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase

from splineviz.arrangement.blocks import blocks
from splineviz.arrangement.raster import Polygons, raster, row_blocks
from splineviz.render.mean_colors import mean_colors

__all__ = ["PixelFills"]

_CELLS = 1 << 16
_PIXELS = 1 << 21
"""Whose polygons are looked for at a time"""


class PixelFills(Artist):
    """Fills of polygons, in data coordinates of linear axes, as one image.

    Each pixel has the colour of the polygon at its middle, so that no seam shows between neighbours; or the
    mean colour of what it shows, for fills whose sides no line covers.

    Parameters
    ----------
    polygons
        Those that are shown.
    rgb
        The colour of each, from 0 to 1.
    smooth
        Whether colours are mixed.
    """

    def __init__(self, polygons: Polygons, rgb: Float64[np.ndarray, "shown 3"], *, smooth: bool) -> None:
        super().__init__()
        self.set_zorder(1.0)
        self.polygons, self.smooth = polygons, smooth
        self.colors: UInt8[np.ndarray, "color 4"] = np.zeros((len(rgb) + 1, 4), dtype=np.uint8)
        """Colour and opacity of each polygon; the last of all is where there is none"""
        for part in blocks(len(rgb), _CELLS):
            self.colors[part, :3] = np.rint(255 * rgb[part])
        self.colors[:-1, 3] = 255

    def image(
        self, bounds: tuple[float, float, float, float], shape: tuple[int, int]
    ) -> UInt8[np.ndarray, "row column 4"]:
        """Colours and opacity of pixels between some bounds (u0, u1, v0, v1), the upper row first."""
        (height, width), (u0, u1, v0, v1) = shape, bounds
        image = np.empty((height, width, 4), dtype=np.uint8)
        for part in blocks(height, max(1, _PIXELS // width)):
            above, below = (v1 - (v1 - v0) * row / height for row in (part.start, part.stop))
            where = (u0, u1, below, above), (part.stop - part.start, width)
            if self.smooth:
                image[part] = mean_colors(self.polygons, self.colors[:-1, :3], *where)
                continue
            shown = raster(self.polygons, np.arange(len(self.colors) - 1), *where)
            for rows in row_blocks(shown.shape):
                image[part][rows] = self.colors[shown[rows]]
        return image

    def draw(self, renderer: RendererBase) -> None:
        """Draw the image, pixel for pixel of the renderer, or of the images that a vector file holds."""
        if not self.get_visible() or self.axes is None:
            return
        left, low, right, high = self.axes.bbox.extents
        x, y = math.floor(left), math.floor(low)
        scale = renderer.get_image_magnification()
        width, height = (max(1, round(scale * n)) for n in (math.ceil(right) - x, math.ceil(high) - y))
        corners = [(x, y), (x + width / scale, y + height / scale)]
        (u0, v0), (u1, v1) = self.axes.transData.inverted().transform(corners)
        gc = renderer.new_gc()
        self._set_gc_clip(gc)  # type: ignore[attr-defined]
        renderer.draw_image(gc, x, y, self.image((u0, u1, v0, v1), (height, width))[::-1])
        gc.restore()
        self.stale = False
